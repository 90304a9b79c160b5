// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Settlement, Terms} from "../../../src/Types.sol";
import {Refuting} from "../../Refuting.sol";

contract EndedJobsTest is Refuting {
    function test_NothingUnsettlesACompletedJob() external {
        Terms memory terms = _terms();
        terms.rounds = 1;
        uint256 jobId = _running(terms, 5);
        _submitAll(jobId);
        Settlement memory settlement = _settlement(jobId);
        settlement.gram = _lie(6);
        _settle(settlement);
        _passChallenge(jobId);
        market.complete(jobId);
        _assertAbsorbing(jobId, settlement, JobState.Completed);
    }

    function test_NothingUnsettlesAnAbortedJob() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        Settlement memory settlement = _settlement(jobId);
        settlement.gram = _lie(6);
        _settle(settlement);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(trainers[i]);
            market.flag(jobId, 1);
        }
        _assertAbsorbing(jobId, settlement, JobState.Aborted);
    }

    function test_NothingUnsettlesARefutedJob() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        Settlement memory settlement = _settleLie(jobId);
        _refuteLie(stranger, settlement);
        _assertAbsorbing(jobId, settlement, JobState.Aborted);
    }

    /// @dev No call by anyone, now or much later, changes anything but by withdrawing and burning.
    function _assertAbsorbing(uint256 jobId, Settlement memory settlement, JobState state) private {
        Books memory expected = _books(jobId);
        vm.deal(address(this), 1 ether);
        _announceAll(jobId);
        for (uint256 days_ = 0; days_ <= 40; days_ += 20) {
            vm.warp(_now() + days_ * 1 days);
            for (uint256 round = 0; round <= 2; ++round) {
                settlement.round = round;
                _tryAll(jobId, round, settlement);
            }
        }
        _assertBooks(jobId, expected);
        _assertState(jobId, state);
    }

    /// @dev Every caller has announced a refutation of the settled matrix.
    function _announceAll(uint256 jobId) private {
        address[5] memory callers = [owner, aggregator, referee, trainers[0], stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            _announce(callers[i], jobId, 1, _witness(6));
        }
        _nextBlock();
    }

    function _tryAll(uint256 jobId, uint256 round, Settlement memory settlement) private {
        bytes[15] memory calls = [
            abi.encodeCall(market.abort, (jobId)),
            abi.encodeCall(market.accept, (jobId, KEY)),
            abi.encodeCall(market.rotateKey, (jobId, KEY)),
            abi.encodeCall(market.missing, (jobId, round, _first(1))),
            abi.encodeCall(market.settle, (settlement)),
            abi.encodeCall(market.leaveJob, (jobId)),
            abi.encodeCall(market.submit, (jobId, round, KEY, _cid("envelope"))),
            abi.encodeCall(market.submitReference, (jobId, round, KEY, _cid("reference"))),
            abi.encodeCall(market.flag, (jobId, round)),
            abi.encodeCall(market.refuteGram, (jobId, round, keccak256(_model(0)), _lie(6), _witness(6))),
            abi.encodeCall(market.start, (jobId)),
            abi.encodeCall(market.closeSubmissions, (jobId, round)),
            abi.encodeCall(market.voidRound, (jobId, round)),
            abi.encodeCall(market.expire, (jobId, round)),
            abi.encodeCall(market.complete, (jobId))
        ];
        address[5] memory callers = [owner, aggregator, referee, trainers[0], stranger];
        for (uint256 i = 0; i < calls.length; ++i) {
            for (uint256 k = 0; k < callers.length; ++k) {
                vm.prank(callers[k]);
                (bool done,) = address(market).call(calls[i]);
                vm.assertFalse(done, "a call on an ended job");
            }
        }
        bytes32 digest = market.joinDigest(jobId);
        vm.deal(trainers[9], 2003);
        vm.prank(trainers[9]);
        (bool joined,) =
            address(market).call{value: 2003}(abi.encodeCall(market.join, (jobId, digest, new bytes32[](0))));
        vm.assertFalse(joined, "joining an ended job");
        vm.deal(trainers[9], 0);
    }
}
