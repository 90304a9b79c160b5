// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Phase, Progress, Seats, Terms, Trainer} from "../../src/Types.sol";
import {IRule} from "../../src/interfaces/IRule.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract ViewsTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        _create(_terms());
        bytes[10] memory calls = [
            abi.encodeCall(market.termsOf, (2)),
            abi.encodeCall(market.identityOf, (2)),
            abi.encodeCall(market.progressOf, (2)),
            abi.encodeCall(market.seatsOf, (2)),
            abi.encodeCall(market.seatHolder, (2, 0)),
            abi.encodeCall(market.ledgerOf, (2)),
            abi.encodeCall(market.trainerOf, (2, owner)),
            abi.encodeCall(market.submissionOf, (2, owner)),
            abi.encodeCall(market.phaseOf, (2)),
            abi.encodeCall(market.withdrawable, (2, owner))
        ];
        bytes memory reason = abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 2, 1);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done, bytes memory answer) = address(market).staticcall(calls[i]);
            vm.assertFalse(done, "a view of no job");
            vm.assertEq(answer, reason, "its reason");
        }
        vm.expectRevert(reason);
        market.joinDigest(2);
    }

    function test_Given_ANewMarket() external view {
        vm.assertEq(market.jobCount(), 0, "jobs");
        IRule[] memory rules = market.rules();
        vm.assertEq(rules.length, 1, "rules");
        vm.assertEq(address(rules[0]), address(rule), "the rule");
        vm.assertEq(address(market.judge().verifier()), address(market.verifier()), "the judge's verifier");
        vm.assertGt(address(market.termsCheck()).code.length, 0, "the check of terms");
    }

    function test_Given_AJob() external {
        Terms memory terms = _terms();
        uint256 jobId = _create(terms);
        vm.assertEq(abi.encode(market.termsOf(jobId)), abi.encode(terms), "terms");
    }

    function test_Given_NoRoundIsOpen() external {
        uint256 jobId = _joined(_terms(), 5);
        (Phase phase, uint256 submitEnd, uint256 deliverEnd, uint256 settleEnd) = market.phaseOf(jobId);
        vm.assertEq(uint256(phase), uint256(Phase.None), "phase");
        vm.assertEq(submitEnd + deliverEnd + settleEnd, 0, "ends");
    }

    function test_Given_ARoundIsOpen() external {
        uint256 jobId = _running(_terms(), 5);
        (, uint256 submitEnd, uint256 deliverEnd, uint256 settleEnd) = market.phaseOf(jobId);
        vm.assertEq(submitEnd, START + 1000, "end of submissions");
        vm.assertEq(deliverEnd, START + 1600, "end of delivery");
        vm.assertEq(settleEnd, START + 2100, "end of settlement");
        Phase[4] memory phases = [Phase.Submitting, Phase.Delivering, Phase.Settling, Phase.Overdue];
        uint256[4] memory starts = [START, submitEnd + 1, deliverEnd + 1, settleEnd + 1];
        for (uint256 i = 0; i < 4; ++i) {
            vm.warp(starts[i]);
            _assertPhase(jobId, phases[i]);
            if (i == 3) continue;
            vm.warp(starts[i + 1] - 1);
            _assertPhase(jobId, phases[i]);
        }
    }

    function test_Given_TheChallengeWindowEndsAfterDelivery() external {
        Terms memory terms = _terms();
        terms.challengeWindow = 1600;
        uint256 jobId = _running(terms, 5);
        _round(jobId);
        _submitAll(jobId);
        (,, uint256 deliverEnd, uint256 settleEnd) = market.phaseOf(jobId);
        vm.assertEq(deliverEnd, START + 600, "end of delivery");
        vm.assertEq(settleEnd, START + 1600 + 500, "the window to settle begins when settling is legal");
    }

    function test_Given_EveryFieldIsInUse() external {
        uint256 jobId = _running(_terms(), 5);
        vm.prank(trainers[1]);
        market.leaveJob(jobId);
        _join(jobId, trainers[5]);
        _round(jobId);
        Trainer memory trainer = market.trainerOf(jobId, trainers[1]);
        vm.assertEq(
            abi.encode(trainer), abi.encode(uint256(0), 2001, 1, 1, 1, 0, uint256(2)), "a trainer's record"
        );
        Seats memory seats = market.seatsOf(jobId);
        vm.assertEq(abi.encode(seats), abi.encode(uint256(61), 0, 0, 0, 0, 0, 0, 31, 0), "seats");
        Progress memory progress = market.progressOf(jobId);
        vm.assertEq(
            abi.encode(progress),
            bytes.concat(
                abi.encode(uint256(2), 0, false, true, false, false, false, 0),
                abi.encode(uint256(0), 2, 1, 1, 1, START + 1000, START + 400)
            ),
            "progress"
        );
    }

    function test_When_AStructIsRead() external {
        _create(_terms());
        _assertWords(abi.encodeCall(market.termsOf, (1)), 28);
        _assertWords(abi.encodeCall(market.progressOf, (1)), 15);
        _assertWords(abi.encodeCall(market.seatsOf, (1)), 9);
        _assertWords(abi.encodeCall(market.ledgerOf, (1)), 3);
        _assertWords(abi.encodeCall(market.trainerOf, (1, owner)), 7);
    }

    function _assertWords(bytes memory call, uint256 words) private view {
        (, bytes memory answer) = address(market).staticcall(call);
        vm.assertEq(answer.length, 32 * words, "length of the answer");
    }
}
