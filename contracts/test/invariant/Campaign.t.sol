// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Ghost, Ghosts} from "./Ghost.sol";
import {Mischief} from "./Mischief.sol";

/// @notice Random campaigns of several jobs at once. Each test is one campaign with its own seed, so that they run in
/// parallel and none of them fills the memory.
contract CampaignTest is Mischief {
    using Ghosts for Ghost;

    uint256 private constant STEPS = 16_000;
    uint256 private constant LIVE = 5;
    /// @dev How often each function and transition is reached in one campaign, so that all together make a hundred.
    uint256 private constant MINIMUM = 13;

    uint256[LIVE] private _live;

    function _campaign(uint256 seed) private {
        _seed(seed);
        vm.recordLogs();
        for (uint256 i = 0; i < STEPS; ++i) {
            // A call of its own, so that what it allocates is freed.
            this.step();
            if (i % 500 == 499) this.wayOut();
        }
        _requireReached(MINIMUM);
    }

    /// @notice One call of somebody, and everything that must hold after it.
    function step() external {
        touched = 0;
        if (_oneIn(2)) vm.roll(vm.getBlockNumber() + 1);
        if (_oneIn(3)) vm.warp(_now() + _below(4));
        if (_oneIn(400)) vm.warp(_now() + _below(4000));
        uint256 slot = _below(LIVE);
        if (_live[slot] == 0) _live[slot] = _createWell();
        else if (_oneIn(3)) _mischief(_live[slot]);
        else _act(slot);
        _replay();
        _checkAll();
    }

    /// @dev The first job that can do something does it; if none can, time passes until one can.
    function _act(uint256 slot) private {
        wake = type(uint256).max;
        for (uint256 k = 0; k < LIVE; ++k) {
            uint256 place = (slot + k) % LIVE;
            if (_live[place] != 0 && _further(_live[place])) return;
            if (_live[place] == 0 || !ghosts[_live[place]].ended()) continue;
            _checkReplay(_live[place]);
            _live[place] = _createWell();
            return;
        }
        if (wake != type(uint256).max) vm.warp(wake);
        _mischief(_live[slot]);
    }

    /// @notice From here everybody gets out.
    function wayOut() external {
        for (uint256 jobId = 1; jobId <= jobs; ++jobId) {
            if (!_isOver(jobId)) _checkReplay(jobId);
        }
        _tryExit();
    }

    function test_Campaign1() external {
        _campaign(1);
    }

    function test_Campaign2() external {
        _campaign(2);
    }

    function test_Campaign3() external {
        _campaign(3);
    }

    function test_Campaign4() external {
        _campaign(4);
    }

    function test_Campaign5() external {
        _campaign(5);
    }

    function test_Campaign6() external {
        _campaign(6);
    }

    function test_Campaign7() external {
        _campaign(7);
    }

    function test_Campaign8() external {
        _campaign(8);
    }
}
