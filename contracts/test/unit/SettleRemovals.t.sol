// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Reason, Removal, Terms, TrainerStatus} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Base} from "../Base.sol";

contract SettleRemovalsTest is Base {
    function test_When_AContributionIsHarmful() external {
        uint256 jobId = _running(_terms(), 6);
        _harmful(6, 2, -10);
        _submitAll(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.Strike(jobId, trainers[2], 1, 1);
        _settle(jobId);
        vm.assertEq(market.trainerOf(jobId, trainers[2]).strikes, 1, "strikes");
        vm.assertEq(market.seatsOf(jobId).active, 63, "it stays");
    }

    function test_When_AContributionIsAtTheTolerance() external {
        // The others sum to 50, of which a tenth is 5.
        uint256 jobId = _running(_terms(), 6);
        _harmful(6, 2, -5);
        _round(jobId);
        vm.assertEq(market.trainerOf(jobId, trainers[2]).strikes, 0, "at the tolerance");
        _harmful(6, 2, -6);
        _round(jobId);
        vm.assertEq(market.trainerOf(jobId, trainers[2]).strikes, 1, "beyond it");
    }

    function test_Given_NoStrikeLimit() external {
        Terms memory terms = _terms();
        terms.strikeLimit = 0;
        uint256 jobId = _running(terms, 6);
        _harmful(6, 2, -10);
        _round(jobId);
        _round(jobId);
        vm.assertEq(market.trainerOf(jobId, trainers[2]).strikes, 0, "strikes");
        vm.assertEq(market.seatsOf(jobId).active, 63, "it stays");
    }

    function test_When_TheStrikeLimitIsReached() external {
        Terms memory terms = _tokenTerms();
        uint256 jobId = _running(terms, 6);
        _harmful(6, 2, -10);
        _round(jobId);
        _submitAll(jobId);
        _passChallenge(jobId);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.Strike(jobId, trainers[2], 2, 2);
        vm.expectEmit(address(market));
        emit ITrainingMarket.TrainerRemoved(jobId, trainers[2], 2, Removal.StruckOut, 2003);
        _settle(jobId);
        _passChallenge(jobId);
        expected.ledger.escrow -= 10_005;
        expected.ledger.burned = 2003;
        for (uint256 i = 0; i < 6; ++i) {
            if (i != 2) expected.withdrawable[TRAINER + i] += 2001;
        }
        _assertBooks(jobId, expected);
        vm.assertEq(market.seatsOf(jobId).active, 63 - 4, "it takes part no more");
        _assertStatus(jobId, 2, TrainerStatus.Out);
    }

    function test_Given_TheStruckOutTrainerAskedToLeave() external {
        uint256 jobId = _running(_terms(), 6);
        _harmful(6, 2, -10);
        _round(jobId);
        vm.prank(trainers[2]);
        market.leaveJob(jobId);
        _round(jobId);
        _passChallenge(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 0, "leaving saves no stake");
        vm.assertEq(market.ledgerOf(jobId).burned, 2003, "burned");
    }

    function test_When_ATrainerMissesTwoRoundsRunning() external {
        uint256 jobId = _running(_terms(), 6);
        _roundWithout(jobId, 5);
        vm.assertEq(market.seatsOf(jobId).absentLast, 32, "the absent");
        Books memory expected = _books(jobId);
        for (uint256 i = 0; i < 5; ++i) {
            _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.TrainerRemoved(jobId, trainers[5], 2, Removal.Absent, 200);
        _settle(jobId);
        vm.assertEq(market.seatsOf(jobId).active, 31, "it takes part no more");
        vm.assertEq(market.withdrawable(jobId, trainers[5]), 0, "in the challenge window");
        _passChallenge(jobId);
        expected.ledger.escrow -= 10_005;
        expected.ledger.burned = 200;
        for (uint256 i = 0; i < 5; ++i) {
            expected.withdrawable[TRAINER + i] = 4002;
        }
        expected.withdrawable[TRAINER + 5] = 1803;
        _assertBooks(jobId, expected);
        vm.assertEq(_withdraw(jobId, trainers[5]), 1803, "the rest of its stake");
        _assertStatus(jobId, 5, TrainerStatus.Out);
    }

    function test_When_ATrainerMissesTwoRoundsApart() external {
        Terms memory terms = _terms();
        terms.rounds = 5;
        uint256 jobId = _running(terms, 6);
        _roundWithout(jobId, 5);
        _round(jobId);
        _roundWithout(jobId, 5);
        vm.assertEq(market.seatsOf(jobId).active, 63, "it stays");
        vm.assertEq(market.ledgerOf(jobId).burned, 0, "burned");
    }

    function test_When_AnAbsentTrainerAskedToLeave() external {
        Terms memory terms = _terms();
        terms.rounds = 5;
        uint256 jobId = _running(terms, 6);
        _roundWithout(jobId, 5);
        vm.prank(trainers[5]);
        market.leaveJob(jobId);
        _roundWithout(jobId, 5);
        _passChallenge(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[5]), 1803, "leaving saves no penalty");
    }

    function test_When_ATrainerIsExcludedTwiceRunning() external {
        uint256 jobId = _running(_terms(), 6);
        _roundExcluding(jobId, 1);
        vm.assertEq(market.seatsOf(jobId).excludedLast, 2, "the excluded");
        _submitAll(jobId);
        _passChallenge(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.TrainerRemoved(jobId, trainers[1], 2, Removal.Excluded, 0);
        _settle(_settlement(jobId, _exclude(Reason.Mismatch, _list(trainers[1]))));
        vm.assertEq(market.seatsOf(jobId).active, 61, "it takes part no more");
        vm.assertEq(market.seatsOf(jobId).excludedLast, 0, "the excluded");
        vm.assertEq(market.withdrawable(jobId, trainers[1]), 0, "in the challenge window");
        _passChallenge(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[1]), 2003, "its full stake");
        vm.assertEq(market.ledgerOf(jobId).burned, 0, "burned");
    }

    function test_When_ATrainerIsExcludedTwiceApart() external {
        Terms memory terms = _terms();
        terms.rounds = 5;
        uint256 jobId = _running(terms, 6);
        _roundExcluding(jobId, 1);
        _round(jobId);
        _roundExcluding(jobId, 1);
        vm.assertEq(market.seatsOf(jobId).active, 63, "it stays");
    }

    function test_When_ExclusionAndAbsenceFollowEachOther() external {
        Terms memory terms = _terms();
        terms.rounds = 5;
        uint256 jobId = _running(terms, 6);
        _roundExcluding(jobId, 1);
        _roundWithout(jobId, 1);
        vm.assertEq(market.seatsOf(jobId).active, 63, "it stays");
    }

    function test_When_TooFewAreLeftForARound() external {
        uint256 jobId = _running(_terms(), 5);
        vm.prank(trainers[0]);
        market.leaveJob(jobId);
        _submitAll(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnding(jobId, JobState.Aborted, START + 400);
        _settle(jobId);
        _assertState(jobId, JobState.Running);
        _passChallenge(jobId);
        market.complete(jobId);
        _assertState(jobId, JobState.Aborted);
        vm.assertEq(market.withdrawable(jobId, trainers[0]), 4004, "stake and pay");
    }

    function test_When_WhoJoinsReplacesWhoLeaves() external {
        uint256 jobId = _running(_terms(), 5);
        vm.prank(trainers[0]);
        market.leaveJob(jobId);
        _join(jobId, trainers[5]);
        _round(jobId);
        vm.assertEq(market.progressOf(jobId).round, 2, "the next round");
        vm.assertEq(market.seatsOf(jobId).active, 62, "those active");
    }

    /// @dev Everyone is kept; one of them contributed so much, each other ten.
    function _harmful(uint256 count, uint256 index, int256 contribution) private {
        uint256[] memory weights = new uint256[](count);
        int256[] memory contributions = new int256[](count);
        for (uint256 i = 0; i < count; ++i) {
            weights[i] = 1;
            contributions[i] = i == index ? contribution : int256(10);
        }
        rule.set(weights, contributions);
    }

    function _roundWithout(uint256 jobId, uint256 index) private {
        for (uint256 i = 0; i < 6; ++i) {
            if (i != index) _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
        _settle(jobId);
    }

    function _roundExcluding(uint256 jobId, uint256 index) private {
        _submitAll(jobId);
        uint256 challengeEnd = market.progressOf(jobId).challengeEnd;
        if (_now() <= challengeEnd) vm.warp(challengeEnd + 1);
        _settle(_settlement(jobId, _exclude(Reason.Mismatch, _list(trainers[index]))));
    }

    function _assertStatus(uint256 jobId, uint256 index, TrainerStatus status) private view {
        vm.assertEq(uint256(market.trainerOf(jobId, trainers[index]).status), uint256(status), "status");
    }
}
