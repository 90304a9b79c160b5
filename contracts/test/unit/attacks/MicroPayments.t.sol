// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Case, Verdict} from "../../../src/RoundJudge.sol";
import {Terms} from "../../../src/Types.sol";
import {IRule} from "../../../src/interfaces/IRule.sol";
import {Base} from "../../Base.sol";

/// @notice Nobody gains by doing something small very often.
contract MicroPaymentsTest is Base {
    function test_TenThousandJoinsAndLeavesGainNothing() external {
        uint256 jobId = _joined(_terms(), 0);
        bytes32 digest = market.joinDigest(jobId);
        bytes32[] memory proof = new bytes32[](0);
        vm.deal(trainers[0], 2003);
        vm.startPrank(trainers[0]);
        for (uint256 i = 0; i < 10_000; ++i) {
            market.join{value: 2003}(jobId, digest, proof);
            market.leaveJob(jobId);
            market.withdraw(jobId, trainers[0]);
        }
        vm.stopPrank();
        vm.assertEq(trainers[0].balance, 2003, "the attacker's balance");
        vm.assertEq(address(market).balance, _deposit(_terms()) + 22_019, "the market's balance");
    }

    function test_TenThousandMicroRoundsPayAtMostTheirRewards() external {
        // A reward of a few wei in parts that never come out even.
        Case memory round;
        round.rule = IRule(address(rule));
        round.trainers = 5;
        round.maximumNorm = 1;
        round.gram = _gram(5);
        uint256[] memory weights = new uint256[](5);
        int256[] memory contributions = new int256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            weights[i] = 1;
        }
        uint256 rewards = 0;
        uint256 paid = 0;
        for (uint256 k = 0; k < 10_000; ++k) {
            if (k % 100 == 0) {
                for (uint256 i = 0; i < 5; ++i) {
                    contributions[i] = int256(uint256(keccak256(abi.encode(k, i))) % 1000) - 200;
                }
                rule.set(weights, contributions);
            }
            round.reward = k % 23;
            Verdict memory verdict = market.judge().judge(round);
            vm.assertLe(verdict.paid, round.reward, "a round's pay");
            rewards += round.reward;
            paid += verdict.paid;
        }
        vm.assertLt(paid, rewards, "rounding goes to the escrow");
    }

    function test_ThousandsOfMicroWithdrawalsAddUpToWhatWasEarned() external {
        // One wei of reward in a round, or pay below a wei, makes nobody richer than the escrow poorer.
        Terms memory terms = _terms();
        (terms.rounds, terms.rewardPerRound, terms.penalty, terms.bond) = (200, 7, 8, 16);
        (terms.aggregatorFeePerRound, terms.refereeFeePerRound) = (1, 1);
        uint256 jobId = _running(terms, 5);
        for (uint256 k = 0; k < 200; ++k) {
            _round(jobId);
            _passChallenge(jobId);
            for (uint256 i = 0; i < 5 && k < 199; ++i) {
                vm.assertEq(_withdraw(jobId, trainers[i]), 1, "a fifth of seven, rounded down");
            }
        }
        market.complete(jobId);
        for (uint256 i = 0; i < 5; ++i) {
            _withdraw(jobId, trainers[i]);
            vm.assertEq(trainers[i].balance, 200 + 2003, "earned, and the stake");
        }
        vm.assertEq(_withdraw(jobId, aggregator), 200 + 16, "aggregator");
        vm.assertEq(_withdraw(jobId, referee), 200, "referee");
        vm.assertEq(_withdraw(jobId, owner), 200 * 2, "the dust is the owner's");
        vm.assertEq(address(market).balance, 0, "nothing is left");
    }

    function test_AThousandJobsThatAreCreatedAndAbortedReturnTheDeposit() external {
        uint256 deposit = _deposit(_terms());
        for (uint256 i = 0; i < 1000; ++i) {
            uint256 jobId = _create(_terms());
            vm.prank(owner);
            market.abort(jobId);
            vm.assertEq(_withdraw(jobId, owner), deposit, "the deposit");
            vm.deal(owner, 0);
        }
        vm.assertEq(address(market).balance, 0, "nothing is left");
    }
}
