// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms, Trainer, TrainerStatus} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract LeaveJobTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
        market.leaveJob(1);
    }

    function test_RevertGiven_TheJobHasEnded() external {
        uint256 jobId = _joined(_terms(), 1);
        vm.prank(owner);
        market.abort(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_Ending.selector, jobId));
        vm.prank(trainers[0]);
        market.leaveJob(jobId);
    }

    function test_RevertWhen_TheCallerNeverJoined() external {
        uint256 jobId = _joined(_terms(), 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotActive.selector, jobId, stranger));
        vm.prank(stranger);
        market.leaveJob(jobId);
    }

    function test_RevertWhen_TheCallerHasAskedBefore() external {
        uint256 jobId = _running(_terms(), 5);
        _leave(jobId, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotActive.selector, jobId, trainers[0]));
        vm.prank(trainers[0]);
        market.leaveJob(jobId);
    }

    function test_Given_TheJobIsOpen() external {
        uint256 jobId = _joined(_tokenTerms(), 5);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.TrainerLeft(jobId, trainers[3], 0);
        _leave(jobId, 3);
        expected.withdrawable[TRAINER + 3] += 2003;
        _assertBooks(jobId, expected);
        vm.assertEq(market.seatsOf(jobId).active, 23, "the seats left");
        _assertStatus(jobId, 3, TrainerStatus.None);
    }

    function test_Given_ItLeftBeforeTheStart() external {
        uint256 jobId = _joined(_terms(), 5);
        _leave(jobId, 3);
        _join(jobId, trainers[5]);
        _join(jobId, trainers[3]);
        vm.assertEq(market.seatHolder(jobId, 3), trainers[5], "the seat has another holder");
        vm.assertEq(market.trainerOf(jobId, trainers[3]).seat, 5, "the new seat");
        vm.assertEq(market.withdrawable(jobId, trainers[3]), 2003, "the first stake");
        vm.assertEq(market.seatsOf(jobId).active, 63, "seats");
    }

    function test_Given_ItHasNotTakenPartYet() external {
        uint256 jobId = _running(_terms(), 5);
        _join(jobId, trainers[5]);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.TrainerLeft(jobId, trainers[5], 0);
        _leave(jobId, 5);
        expected.withdrawable[TRAINER + 5] += 2003;
        _assertBooks(jobId, expected);
        vm.assertEq(market.seatsOf(jobId).joining, 0, "nobody is to come");
        vm.assertEq(market.seatsOf(jobId).active, 31, "those active stay");
    }

    function test_Given_ItTakesPartInTheRound() external {
        uint256 jobId = _running(_terms(), 6);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.TrainerLeft(jobId, trainers[2], 1);
        _leave(jobId, 2);
        _assertBooks(jobId, expected);
        _assertStatus(jobId, 2, TrainerStatus.Leaving);
        vm.assertEq(market.trainerOf(jobId, trainers[2]).releaseRound, 1, "its last round");
        vm.assertEq(market.seatsOf(jobId).active, 63, "it takes part until the round ends");

        // It still submits and is paid; its stake is free after the challenge window.
        _round(jobId);
        vm.assertEq(market.seatsOf(jobId).active, 63 - 4, "it takes part no more");
        vm.warp(market.progressOf(jobId).challengeEnd);
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 0, "while the round can be challenged");
        vm.warp(_now() + 1);
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 2003 + uint256(10_007) / 6, "afterwards");
    }

    function test_Given_ItsLastRoundIsVoid() external {
        uint256 jobId = _running(_terms(), 6);
        _leave(jobId, 2);
        _passSubmissions(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 0, "while the round is open");
        market.voidRound(jobId, 1);
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 2003, "a void round can't be challenged");
    }

    function test_Given_ItJoinsAndLeavesOverAndOver() external {
        // Stakes that were returned and not withdrawn must not fill up the field that holds the pay: then nobody
        // could settle or expire the round.
        Terms memory terms = _tokenTerms();
        terms.stake = 2 ** 94;
        terms.rewardPerRound = 2 ** 92;
        terms.penalty = 2 ** 92 + 2 ** 89;
        terms.bond = 2 ** 94;
        uint256 jobId = _joined(terms, 5);
        for (uint256 i = 0; i < 5; ++i) {
            _leave(jobId, 0);
            _join(jobId, trainers[0]);
        }
        market.start(jobId);
        _round(jobId);
        _submitAll(jobId);
        _passSettlement(jobId);
        market.expire(jobId, 2);
        uint256 earned = uint256(2 ** 92) / 5 + uint256(2 ** 92 + 2 ** 89) / 5;
        vm.assertEq(market.withdrawable(jobId, trainers[0]), 5 * 2 ** 94 + earned, "withdrawable");
        vm.assertEq(_withdraw(jobId, trainers[0]), 5 * 2 ** 94 + earned, "withdrawn");
    }

    function _leave(uint256 jobId, uint256 index) private {
        vm.prank(trainers[index]);
        market.leaveJob(jobId);
    }

    function _assertStatus(uint256 jobId, uint256 index, TrainerStatus status) private view {
        Trainer memory trainer = market.trainerOf(jobId, trainers[index]);
        vm.assertEq(uint256(trainer.status), uint256(status), "status");
    }
}
