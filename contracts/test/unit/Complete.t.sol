// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract CompleteTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        _refuses(1, abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
    }

    function test_RevertGiven_TheJobHasNotStarted() external {
        uint256 jobId = _joined(_terms(), 5);
        _refuses(jobId, _wrongState(jobId, JobState.Open));
    }

    function test_RevertGiven_ItIsCompleted() external {
        uint256 jobId = _ending(_terms());
        _passChallenge(jobId);
        market.complete(jobId);
        _refuses(jobId, _wrongState(jobId, JobState.Completed));
    }

    function test_RevertGiven_RoundsAreToCome() external {
        uint256 jobId = _running(_terms(), 5);
        _refuses(jobId, abi.encodeWithSelector(Errors.Market_NotEnding.selector, jobId, 1, 3));
    }

    function test_RevertGiven_TheLastChallengeWindowIsOpen() external {
        uint256 jobId = _ending(_terms());
        uint256 end = market.progressOf(jobId).challengeEnd;
        vm.warp(end);
        _refuses(jobId, abi.encodeWithSelector(Errors.Market_TooEarly.selector, end, end));
    }

    function test_Given_PaidInTheNativeCoin() external {
        _completes(_terms());
    }

    function test_Given_PaidInAToken() external {
        _completes(_tokenTerms());
    }

    function test_Given_TheOwnerAskedToAbort() external {
        uint256 jobId = _running(_terms(), 5);
        vm.prank(owner);
        market.abort(jobId);
        _submitAll(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnding(jobId, JobState.Aborted, START + 400);
        _settle(jobId);
        _passChallenge(jobId);
        market.complete(jobId);
        _assertState(jobId, JobState.Aborted);
        vm.assertEq(market.withdrawable(jobId, owner), _deposit(_terms()) - 10_005 - 1009 - 503, "refund");
    }

    function test_Given_ALastRoundWithoutResult() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        _round(jobId);
        _passSubmissions(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnding(jobId, JobState.Completed, market.progressOf(jobId).challengeEnd);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnded(
            jobId, JobState.Completed, 2 * 1009, 2 * 503, 22_019, _deposit(_terms()) - 2 * (10_005 + 1512)
        );
        market.voidRound(jobId, 3);
        _assertState(jobId, JobState.Completed);
    }

    function test_Given_RoundsWithoutReference() external {
        uint256 jobId = _running(_terms(), 5);
        for (uint256 round = 1; round <= 3; ++round) {
            _submitTrainers(jobId);
            if (round == 2) _submitReference(jobId);
            _passSubmissions(jobId);
            _settle(jobId);
        }
        _passChallenge(jobId);
        market.complete(jobId);
        vm.assertEq(market.withdrawable(jobId, referee), 503, "the referee's fee for one round");
        vm.assertEq(market.withdrawable(jobId, aggregator), 3 * 1009 + 22_019, "the aggregator's for all");
    }

    function _ending(Terms memory terms) private returns (uint256 jobId) {
        jobId = _running(terms, 5);
        for (uint256 i = 0; i < terms.rounds; ++i) {
            _round(jobId);
        }
    }

    function _completes(Terms memory terms) private {
        uint256 jobId = _ending(terms);
        Books memory expected = _books(jobId);
        uint256 refund = _deposit(terms) - 3 * (10_005 + 1009 + 503);
        _passChallenge(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnded(jobId, JobState.Completed, 3 * 1009, 3 * 503, 22_019, refund);
        vm.prank(stranger);
        market.complete(jobId);

        expected.ledger.escrow = 0;
        expected.ledger.bond = 0;
        expected.withdrawable[OWNER] = refund;
        expected.withdrawable[AGGREGATOR] = 3 * 1009 + 22_019;
        expected.withdrawable[REFEREE] = 3 * 503;
        for (uint256 i = 0; i < 5; ++i) {
            expected.withdrawable[TRAINER + i] = 3 * 2001 + 2003;
        }
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Completed);
    }

    function _wrongState(uint256 jobId, JobState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_WrongState.selector, jobId, state, JobState.Running);
    }

    function _refuses(uint256 jobId, bytes memory reason) private {
        vm.expectRevert(reason);
        market.complete(jobId);
    }
}
