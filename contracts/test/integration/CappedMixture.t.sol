// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms} from "../../src/Types.sol";
import {CappedMixtureRule} from "../../src/rules/CappedMixtureRule.sol";
import {VectorRounds} from "../VectorRounds.sol";
import {AcceptingVerifier} from "../mocks/AcceptingVerifier.sol";
import {SettableRule} from "../mocks/SettableRule.sol";

/// @notice The market with the rule of the best mixture, on small updates whose matrix the tests compute.
contract CappedMixtureTest is VectorRounds {
    function setUp() public override {
        super.setUp();
        rule = SettableRule(address(new CappedMixtureRule()));
        market = _deploy(new AcceptingVerifier(), address(rule));
    }

    function test_WhatHelpsIsPaidAndWhatHarmsIsNot() external {
        uint256 jobId = _submitted(_withCurvature(), 7);
        for (uint256 i = 0; i < 5; ++i) {
            _push(100, int64(int256(i) * 30 - 60), int64(int256(i * i)), 1);
        }
        _push(-400, 0, 0, 0);
        _push(0, 0, 0, 0);
        _push(1000, 0, 0, 0);
        _push(0, 900, 0, 0);
        _settleVectors(jobId);
        _passChallenge(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[5]), 0, "the poisoner");
        vm.assertEq(market.withdrawable(jobId, trainers[6]), 0, "the zero update");
        uint256 paid = _paid(jobId, 7);
        vm.assertLe(paid, 10_007, "no more than the reward");
        vm.assertGt(paid, 10_007 - 7, "all but dust");
    }

    function test_TwoCopiesAreBothUnpaidWhenTwoMayBeFaulty() external {
        Terms memory terms = _withCurvature();
        terms.tolerated = 2;
        terms.minTrainers = 7;
        uint256 jobId = _submitted(terms, 8);
        for (uint256 i = 0; i < 6; ++i) {
            _push(100, int64(int256(i) * 40 - 100), int64(int256(i * i) * 3), 1);
        }
        _push(100, 0, 0, 300);
        _push(200, 0, 0, 600);
        _push(1000, 0, 0, 10);
        _push(0, 900, 0, 0);
        _settleVectors(jobId);
        vm.assertEq(market.trainerOf(jobId, trainers[6]).pending, 0, "the first");
        vm.assertEq(market.trainerOf(jobId, trainers[7]).pending, 0, "its copy");
        vm.assertGt(_paid(jobId, 6), 0, "the others");
    }

    function testFuzz_NoUpdatesBreakTheRoundOrTakeMoreThanTheReward(int16[4][9] calldata updates) external {
        uint256 jobId = _submitted(_withCurvature(), 7);
        for (uint256 i = 0; i < 9; ++i) {
            _push(updates[i][0], updates[i][1], updates[i][2], updates[i][3]);
        }
        _settlesWithinTheReward(jobId, 7);
    }

    function _withCurvature() private view returns (Terms memory terms) {
        terms = _terms();
        terms.references = 2;
    }
}
