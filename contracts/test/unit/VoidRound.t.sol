// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Phase, Progress, Terms, VoidCause} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract VoidRoundTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        _refuses(1, 1, abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
    }

    function test_RevertGiven_TheJobHasNotStarted() external {
        uint256 jobId = _joined(_terms(), 5);
        _refuses(
            jobId,
            0,
            abi.encodeWithSelector(Errors.Market_WrongState.selector, jobId, JobState.Open, JobState.Running)
        );
    }

    function test_RevertGiven_SubmissionsAreOpen() external {
        uint256 jobId = _running(_terms(), 5);
        vm.warp(START + 1000);
        _refuses(
            jobId, 1, abi.encodeWithSelector(Errors.Market_TooEarly.selector, START + 1000, START + 1000)
        );
    }

    function test_RevertGiven_EnoughSubmitted() external {
        uint256 jobId = _running(_terms(), 6);
        for (uint256 i = 0; i < 5; ++i) {
            _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
        _refuses(jobId, 1, abi.encodeWithSelector(Errors.Market_EnoughSubmitted.selector, 5, 5));
    }

    function test_RevertWhen_TheRoundIsAnother() external {
        uint256 jobId = _running(_terms(), 5);
        _passSubmissions(jobId);
        _refuses(jobId, 2, abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 2, 1));
    }

    function test_Given_OneTooFewSubmitted() external {
        uint256 jobId = _running(_terms(), 6);
        for (uint256 i = 0; i < 4; ++i) {
            _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundVoided(jobId, 1, VoidCause.TooFewSubmitted);
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundOpened(jobId, 2, _now() + 1000, KEY, keccak256(_model(0)));
        vm.prank(stranger);
        market.voidRound(jobId, 1);
        _assertBooks(jobId, expected);
        Progress memory progress = market.progressOf(jobId);
        vm.assertEq(progress.round, 2, "round");
        vm.assertEq(progress.voids, 1, "voids");
        vm.assertEq(progress.failuresInARow, 1, "failures in a row");
        vm.assertEq(progress.settledRounds, 0, "settled rounds");
        vm.assertEq(market.seatsOf(jobId).absentLast, 16 + 32, "the absent");
    }

    function test_Given_TheSettleDeadlineHasPassedToo() external {
        uint256 jobId = _running(_terms(), 5);
        _passSettlement(jobId);
        _assertPhase(jobId, Phase.Overdue);
        market.voidRound(jobId, 1);
        vm.assertEq(market.progressOf(jobId).round, 2, "round");
    }

    function test_Given_TheRoundBeforeWasVoidToo() external {
        uint256 jobId = _running(_terms(), 5);
        _passSubmissions(jobId);
        market.voidRound(jobId, 1);
        _submitSome(jobId, 4);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnding(jobId, JobState.Aborted, 0);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnded(jobId, JobState.Aborted, 0, 0, 22_019, 34_557);
        market.voidRound(jobId, 2);

        // Trainer 4 missed both rounds.
        expected.withdrawable[OWNER] = _deposit(_terms());
        expected.withdrawable[AGGREGATOR] = 22_019;
        expected.ledger.escrow = 0;
        expected.ledger.bond = 0;
        expected.ledger.burned = 200;
        for (uint256 i = 0; i < 4; ++i) {
            expected.withdrawable[TRAINER + i] = 2003;
        }
        expected.withdrawable[TRAINER + 4] = 1803;
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Aborted);
    }

    function test_Given_TooManyRoundsWereVoid() external {
        Terms memory terms = _terms();
        terms.rounds = 40;
        uint256 jobId = _running(terms, 5);
        for (uint256 voids = 1; voids <= 5; ++voids) {
            _assertState(jobId, JobState.Running);
            _submitSome(jobId, 4);
            market.voidRound(jobId, 2 * voids - 1);
            if (voids < 5) _round(jobId);
        }
        vm.assertEq(market.progressOf(jobId).voids, 5, "one more than a tenth of the rounds");
        _assertState(jobId, JobState.Aborted);
    }

    function test_Given_TwoOfFewRoundsWereVoid() external {
        Terms memory terms = _terms();
        terms.rounds = 10;
        uint256 jobId = _running(terms, 5);
        for (uint256 voids = 1; voids <= 3; ++voids) {
            _assertState(jobId, JobState.Running);
            _submitSome(jobId, 4);
            market.voidRound(jobId, 2 * voids - 1);
            if (voids < 3) _round(jobId);
        }
        _assertState(jobId, JobState.Aborted);
    }

    function test_Given_AChallengeWindowIsOpen() external {
        Terms memory terms = _terms();
        terms.rounds = 2;
        terms.submitWindow = 100;
        terms.deliverWindow = 300;
        uint256 jobId = _running(terms, 5);
        _round(jobId);
        _passSubmissions(jobId);
        uint256 challengeEnd = market.progressOf(jobId).challengeEnd;
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnding(jobId, JobState.Completed, challengeEnd);
        market.voidRound(jobId, 2);
        _assertState(jobId, JobState.Running);
        _assertPhase(jobId, Phase.None);
        vm.assertEq(uint256(market.progressOf(jobId).outcome), uint256(JobState.Completed), "outcome");
    }

    function _submitSome(uint256 jobId, uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
    }

    function _refuses(uint256 jobId, uint256 round, bytes memory reason) private {
        vm.expectRevert(reason);
        market.voidRound(jobId, round);
    }
}
