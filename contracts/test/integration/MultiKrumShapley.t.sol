// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Settlement, Terms, VoidCause} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {MultiKrumShapleyRule} from "../../src/rules/MultiKrumShapleyRule.sol";
import {VectorRounds} from "../VectorRounds.sol";
import {AcceptingVerifier} from "../mocks/AcceptingVerifier.sol";
import {SettableRule} from "../mocks/SettableRule.sol";

/// @notice The market with its first rule, on small updates whose matrix the tests compute.
contract MultiKrumShapleyTest is VectorRounds {
    function setUp() public override {
        super.setUp();
        rule = SettableRule(address(new MultiKrumShapleyRule()));
        market = _deploy(new AcceptingVerifier(), address(rule));
    }

    function test_EqualWorkIsPaidAlike() external {
        uint256 jobId = _submitted(_terms(), 7);
        for (uint256 i = 0; i < 7; ++i) {
            _push(
                int64(int256(100 + 30 * (i % 2))), int64(int256(i % 3) * 40 - 40), int64(int256(i % 5) * 9), 7
            );
        }
        _push(1000, 0, 0, 0);
        _settleVectors(jobId);
        uint256 paid = _paid(jobId, 7);
        vm.assertLe(paid, 10_007, "no more than the reward");
        vm.assertGt(paid, 10_007 - 7, "all but dust");
    }

    function test_AZeroUpdateAPoisonerAndACopyEarnNothing() external {
        uint256 jobId = _submitted(_terms(), 8);
        for (uint256 i = 0; i < 5; ++i) {
            _push(100, int64(int256(i) * 30 - 60), int64(int256(i * i)), 1);
        }
        _push(0, 0, 0, 0);
        _push(-400, 0, 0, 0);
        _push(100, -60, 0, 1);
        _push(1000, 0, 0, 0);
        _settleVectors(jobId);
        _passChallenge(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[5]), 0, "the zero update");
        vm.assertEq(market.withdrawable(jobId, trainers[6]), 0, "the poisoner");
        vm.assertEq(market.withdrawable(jobId, trainers[7]), 0, "the copy of the first");
        vm.assertGt(market.withdrawable(jobId, trainers[0]), 0, "the first");
        vm.assertEq(market.trainerOf(jobId, trainers[6]).strikes, 0, "who is dropped is not struck");
    }

    function test_ARoundOfZerosIsVoid() external {
        uint256 jobId = _submitted(_terms(), 5);
        for (uint256 i = 0; i < 6; ++i) {
            _push(0, 0, 0, 0);
        }
        Settlement memory settlement = _withMatrix(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundVoided(jobId, 1, VoidCause.TooFewKept);
        _settle(settlement);
    }

    function test_AReversedReferenceCostsNobodyItsStake() external {
        Terms memory terms = _terms();
        terms.strikeLimit = 1;
        terms.strikeToleranceBps = 0;
        uint256 jobId = _submitted(terms, 7);
        for (uint256 i = 0; i < 6; ++i) {
            _push(100, int64(int256(i) * 30 - 60), int64(int256(i * i)), 1);
        }
        _push(-10, 50, 50, 1);
        _push(-1000, 0, 0, 0);
        _settleVectors(jobId);
        for (uint256 i = 0; i < 7; ++i) {
            vm.assertEq(market.trainerOf(jobId, trainers[i]).strikes, 0, "strikes");
        }
    }

    function testFuzz_NoUpdatesBreakTheRoundOrTakeMoreThanTheReward(int16[4][8] calldata updates) external {
        uint256 jobId = _submitted(_terms(), 7);
        for (uint256 i = 0; i < 8; ++i) {
            _push(updates[i][0], updates[i][1], updates[i][2], updates[i][3]);
        }
        _settlesWithinTheReward(jobId, 7);
    }
}
