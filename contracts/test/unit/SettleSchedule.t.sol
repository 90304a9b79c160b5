// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Settlement, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Refuting} from "../Refuting.sol";

/// @notice Jobs of three rounds whose rewards fall: 30,021 in all, of which 19,299, 8,577 and 2,144 with a quadratic
/// decay, 15,010, 10,007 and 5,003 with a linear one.
contract SettleScheduleTest is Refuting {
    /// @dev What aggregator and referee get of a settled round.
    uint256 private constant FEES = 1009 + 503;

    function test_Given_AQuadraticDecay() external {
        uint256 jobId = _running(_falling(2), 5);
        // A fifth of each, rounded down.
        _paysEach(jobId, [uint256(3859), 1715, 428]);
        vm.assertEq(market.ledgerOf(jobId).escrow, 3 * FEES + 11, "fees, and what rounding leaves");
        _ends(jobId, 11);
        vm.assertEq(_withdraw(jobId, aggregator), 3 * 1009 + 42_458, "aggregator");
        vm.assertEq(_withdraw(jobId, referee), 3 * 503, "referee");
        vm.assertEq(_withdraw(jobId, owner), 11, "owner");
        vm.assertEq(address(market).balance, 0, "nothing is left");
    }

    function test_Given_ALinearDecay() external {
        uint256 jobId = _running(_falling(1), 5);
        _paysEach(jobId, [uint256(3002), 2001, 1000]);
        _ends(jobId, 30_021 - 5 * 6003);
    }

    function test_Given_PaidInAToken() external {
        Terms memory terms = _falling(2);
        terms.token = address(token);
        uint256 jobId = _running(terms, 5);
        _paysEach(jobId, [uint256(3859), 1715, 428]);
        _ends(jobId, 11);
    }

    function test_Given_OneTakesAll() external {
        uint256[3] memory rewards = [uint256(19_299), 8577, 2144];
        uint256 jobId = _running(_falling(2), 5);
        _answer([int256(0), 1, 0, 0, 0]);
        uint256 earned = 0;
        for (uint256 i = 0; i < 3; ++i) {
            _round(jobId);
            _passChallenge(jobId);
            earned += rewards[i];
            vm.assertEq(market.withdrawable(jobId, trainers[1]), earned, "all that the rounds pay");
        }
        _ends(jobId, 1);
    }

    function test_Given_AVoidRound() external {
        uint256 jobId = _running(_falling(2), 5);
        _passSubmissions(jobId);
        market.voidRound(jobId, 1);
        vm.assertEq(market.ledgerOf(jobId).escrow, _deposit(_falling(2)), "all of it");
        _round(jobId);
        _round(jobId);
        _passChallenge(jobId);
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(market.withdrawable(jobId, trainers[i]), 3859 + 1715, "pay of the settled rounds");
        }
        _ends(jobId, 2144 + 4 + 2 + 1 + FEES);
    }

    function test_Given_AnExpiredRound() external {
        uint256 jobId = _running(_falling(2), 5);
        _submitAll(jobId);
        _passSettlement(jobId);
        market.expire(jobId, 1);
        vm.assertEq(market.ledgerOf(jobId).bond, 42_458 - 21_229, "a tenth more than the first round pays");
        _round(jobId);
        _round(jobId);
        _passChallenge(jobId);
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(
                market.withdrawable(jobId, trainers[i]), 21_229 / uint256(5) + 3859 + 1715, "penalty and pay"
            );
        }
        _ends(jobId, 2144 + 4 + 2 + 1 + FEES);
    }

    function test_Given_ARefutedRound() external {
        uint256 jobId = _running(_falling(2), 5);
        _round(jobId);
        _submitAll(jobId);
        Settlement memory settlement = _settleLie(jobId);
        vm.assertEq(market.trainerOf(jobId, trainers[0]).pending, 1715, "the second round's pay");
        _announce(stranger, jobId, 2, _witness(6));
        _nextBlock();
        // The referee keeps its fee of the refuted round.
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnded(
            jobId, JobState.Aborted, 1009, 2 * 503, 0, 8577 + 2144 + 4 + 1 + 2 * 1009 + 503
        );
        _refute(stranger, settlement, _witness(6));
        vm.assertEq(
            market.withdrawable(jobId, trainers[0]), 3859 + 2003, "the first round's pay, and the stake"
        );
    }

    /// @dev The usual terms with rewards that fall; the penalty is the least.
    function _falling(uint8 decay) private view returns (Terms memory terms) {
        terms = _terms();
        terms.rewardDecay = decay;
        terms.penalty = decay == 1 ? 16_511 : 21_229;
        terms.bond = 2 * terms.penalty;
    }

    /// @dev Settles three rounds in which five trainers contribute alike; after each, its pay can be withdrawn.
    function _paysEach(uint256 jobId, uint256[3] memory pay) private {
        uint256 earned = 0;
        for (uint256 round = 0; round < 3; ++round) {
            _round(jobId);
            vm.assertEq(market.trainerOf(jobId, trainers[0]).pending, pay[round], "pending");
            _passChallenge(jobId);
            earned += pay[round];
            for (uint256 i = 0; i < 5; ++i) {
                vm.assertEq(market.withdrawable(jobId, trainers[i]), earned, "withdrawable");
            }
        }
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(_withdraw(jobId, trainers[i]), earned, "withdrawn");
        }
    }

    /// @dev Ends the job, after which the owner gets back exactly so much; trainers withdraw the rest.
    function _ends(uint256 jobId, uint256 refund) private {
        market.complete(jobId);
        _assertState(jobId, JobState.Completed);
        vm.assertEq(market.withdrawable(jobId, owner), refund, "back to the owner");
        vm.assertEq(market.ledgerOf(jobId).escrow, 0, "escrow");
        for (uint256 i = 0; i < 5; ++i) {
            if (market.withdrawable(jobId, trainers[i]) != 0) _withdraw(jobId, trainers[i]);
        }
    }

    function _answer(int256[5] memory values) private {
        uint256[] memory weights = new uint256[](5);
        int256[] memory contributions = new int256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            (weights[i], contributions[i]) = (13_000, values[i]);
        }
        rule.set(weights, contributions);
    }
}
