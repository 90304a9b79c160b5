// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Reason, Settlement, Terms, VoidCause} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Base} from "../Base.sol";

contract SettleVoidTest is Base {
    function test_When_MoreThanTheToleratedAreFaulty() external {
        uint256 jobId = _submitted(_terms(), 7);
        _voids(jobId, _settlement(jobId, _exclude(Reason.OutOfRange, _first(2))), VoidCause.TooManyFaulty);
        vm.assertEq(market.seatsOf(jobId).excludedLast, 3, "the excluded");
    }

    function test_When_TooFewAreAccepted() external {
        uint256 jobId = _submitted(_terms(), 5);
        _voids(
            jobId, _settlement(jobId, _exclude(Reason.Mismatch, _list(trainers[0]))), VoidCause.TooFewAccepted
        );
        vm.assertEq(market.seatsOf(jobId).excludedLast, 1, "the excluded");
    }

    function test_When_TooFewAreKept() external {
        uint256 jobId = _submitted(_terms(), 6);
        uint256[] memory weights = new uint256[](5);
        int256[] memory contributions = new int256[](5);
        (weights[1], weights[4]) = (9, 9);
        (contributions[1], contributions[4]) = (5, 5);
        rule.set(weights, contributions);
        _voids(jobId, _settlement(jobId, _exclude(Reason.Mismatch, _list(trainers[5]))), VoidCause.TooFewKept);
        vm.assertEq(market.seatsOf(jobId).excludedLast, 32, "the excluded");
        vm.assertEq(market.progressOf(jobId).lastSettledRound, 0, "no round can be flagged");
    }

    function test_When_EveryoneIsExcluded() external {
        Terms memory terms = _terms();
        uint256 jobId = _submitted(terms, 5);
        vm.prank(aggregator);
        market.missing(jobId, 1, _first(5));
        _passDelivery(jobId);
        Settlement memory settlement = _settlement(jobId, _exclude(Reason.Unavailable, _first(5)));
        _voids(jobId, settlement, VoidCause.TooFewAccepted);
    }

    function test_When_EveryoneAndTheReferenceAreExcluded() external {
        uint256 jobId = _submitted(_terms(), 5);
        address[] memory all = new address[](6);
        for (uint256 i = 0; i < 5; ++i) {
            all[i] = trainers[i];
        }
        all[5] = referee;
        Settlement memory settlement = _settlement(jobId, _exclude(Reason.Mismatch, _ascending(all)));
        vm.assertEq(settlement.commitments.length, 0, "no commitment is left");
        _voids(jobId, settlement, VoidCause.TooManyFaulty);
    }

    function test_When_TooFewSubmitted() external {
        uint256 jobId = _running(_terms(), 5);
        _submit(jobId, trainers[0]);
        _passSubmissions(jobId);
        _voids(jobId, _settlement(jobId), VoidCause.TooFewAccepted);
    }

    function test_Given_TheRoundBeforeWasVoid() external {
        uint256 jobId = _submitted(_terms(), 7);
        _settle(_settlement(jobId, _exclude(Reason.OutOfRange, _first(2))));
        _submitAll(jobId);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnded(jobId, JobState.Aborted, 0, 0, 22_019, 34_557);
        address[] memory others = new address[](2);
        (others[0], others[1]) = (trainers[2], trainers[3]);
        _settle(_settlement(jobId, _exclude(Reason.OutOfRange, others)));
        expected.ledger.escrow = 0;
        expected.ledger.bond = 0;
        expected.withdrawable[OWNER] = 34_557;
        expected.withdrawable[AGGREGATOR] = 22_019;
        for (uint256 i = 0; i < 7; ++i) {
            expected.withdrawable[TRAINER + i] = 2003;
        }
        _assertBooks(jobId, expected);
    }

    function _submitted(Terms memory terms, uint256 count) private returns (uint256 jobId) {
        jobId = _running(terms, count);
        _submitAll(jobId);
    }

    function _voids(uint256 jobId, Settlement memory settlement, VoidCause cause) private {
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundVoided(jobId, 1, cause);
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundOpened(jobId, 2, _now() + 1000, KEY, keccak256(_model(0)));
        _settle(settlement);
        _assertBooks(jobId, expected);
        vm.assertEq(market.progressOf(jobId).voids, 1, "voids");
        vm.assertEq(market.progressOf(jobId).failuresInARow, 1, "failures in a row");
        vm.assertEq(market.progressOf(jobId).settledRounds, 0, "settled rounds");
    }
}
