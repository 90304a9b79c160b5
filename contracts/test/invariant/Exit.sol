// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Terms} from "../../src/Types.sol";
import {Ghost, Ghosts} from "./Ghost.sol";
import {Replay} from "./Replay.sol";

interface Snapshots {
    function snapshotState() external returns (uint256 id);
    function revertToStateAndDelete(uint256 id) external returns (bool done);
}

/// @notice From where the market stands, time passes, strangers poke, and everybody takes its money.
abstract contract Exit is Replay {
    using Ghosts for Ghost;

    /// @dev Calls by strangers after which every job has ended.
    uint256 private constant MOST_CALLS = 3;

    /// @dev Tries the way out and comes back.
    function _tryExit() internal {
        Snapshots state = Snapshots(address(vm));
        uint256 id = state.snapshotState();
        for (uint256 jobId = 1; jobId <= jobs; ++jobId) {
            if (_isOver(jobId)) continue;
            _finish(jobId, ghosts[jobId]);
            _replay();
            _payOut(jobId, ghosts[jobId]);
            _replay();
            _checkJob(jobId, ghosts[jobId]);
            _checkReplay(jobId);
        }
        vm.assertEq(address(market).balance, donated[address(0)], "6: coins stay in the market");
        vm.assertEq(token.balanceOf(address(market)), donated[address(token)], "6: tokens stay in the market");
        vm.assertTrue(state.revertToStateAndDelete(id), "the way back");
        // What was logged on the way out did not happen.
        vm.getRecordedLogs();
        _count("everybody got out");
    }

    /// @dev Whether a job has ended and all its money is out.
    function _isOver(uint256 jobId) internal view returns (bool) {
        Ghost storage g = ghosts[jobId];
        return g.ended() && g.received == g.sent;
    }

    /// @dev Ends a job without owner, aggregator, referee or trainers.
    function _finish(uint256 jobId, Ghost storage g) private {
        uint256 began = _now();
        uint256 left =
            g.state == JobState.Open && began <= g.terms.startDeadline ? g.terms.startDeadline - began : 0;
        uint256 calls = 0;
        while (!g.ended()) {
            _poke(jobId, g);
            vm.assertLe(++calls, MOST_CALLS, "29: the owner waits for too many calls");
        }
        vm.assertLe(_now() - began, left + _bound(g.terms), "29: the owner waits too long");
    }

    /// @dev The current round and one more, each with its windows and the challenge window before it.
    function _bound(Terms memory terms) private pure returns (uint256) {
        uint256 round = uint256(terms.submitWindow) + terms.deliverWindow + terms.settleWindow;
        return 2 * (round + terms.challengeWindow) + 4;
    }

    function _poke(uint256 jobId, Ghost storage g) private {
        address stranger_ = _pick(strangers);
        (, uint256 submitted,) = g.sizes(_now());
        if (g.state == JobState.Open) {
            _pass(g.terms.startDeadline);
            _abort(stranger_, jobId);
        } else if (g.outcome != JobState.None) {
            _pass(g.challengeEnd);
            _complete(stranger_, jobId);
        } else if (submitted < g.quorum()) {
            if (!g.closed) _pass(g.submitEnd);
            _void(stranger_, jobId, g.round);
        } else {
            _pass(g.settleEnd());
            _expire(stranger_, jobId, g.round);
        }
    }

    function _pass(uint256 moment) private {
        if (_now() <= moment) vm.warp(moment + 1);
    }

    function _payOut(uint256 jobId, Ghost storage g) private {
        _takeAll(jobId, g, g.owner);
        _takeAll(jobId, g, g.terms.aggregator);
        if (g.terms.referee != address(0)) _takeAll(jobId, g, g.terms.referee);
        if (g.challenger != address(0)) _takeAll(jobId, g, g.challenger);
        for (uint256 i = 0; i < g.members.length; ++i) {
            _takeAll(jobId, g, g.members[i]);
        }
        if (g.burned != 0) _burn(_pick(strangers), jobId);
        vm.assertEq(g.received, g.sent, "6: a job keeps money for ever");
    }

    function _takeAll(uint256 jobId, Ghost storage g, address account) private {
        if (g.free(account, _now()) != 0) _withdraw(account, jobId, account);
        vm.assertEq(market.withdrawable(jobId, account), 0, "6: a party's money is stuck");
    }
}
