// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Progress, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract ExpireTest is Base {
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
        _refuses(jobId, 1, abi.encodeWithSelector(Errors.Market_TooEarly.selector, START, START + 2100));
    }

    function test_RevertGiven_TheRoundCanStillBeSettled() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        uint256 end = START + 1100;
        vm.warp(end);
        _refuses(jobId, 1, abi.encodeWithSelector(Errors.Market_TooEarly.selector, end, end));
    }

    function test_RevertGiven_TooFewSubmitted() external {
        uint256 jobId = _running(_terms(), 5);
        _passSettlement(jobId);
        _refuses(jobId, 1, abi.encodeWithSelector(Errors.Market_TooFewSubmitted.selector, 0, 5));
    }

    function test_RevertWhen_TheRoundIsAnother() external {
        uint256 jobId = _running(_terms(), 5);
        _passSettlement(jobId);
        _refuses(jobId, 2, abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 2, 1));
    }

    function test_Given_PaidInTheNativeCoin() external {
        _expires(_terms());
    }

    function test_Given_PaidInAToken() external {
        _expires(_tokenTerms());
    }

    function test_Given_TheBondIsShort() external {
        // The bond covers two penalties; the third costs what is left.
        Terms memory terms = _terms();
        terms.rounds = 9;
        uint256 jobId = _running(terms, 5);
        for (uint256 round = 1; round <= 5; round += 2) {
            _submitAll(jobId);
            _passSettlement(jobId);
            uint256 bond = market.ledgerOf(jobId).bond;
            uint256 penalty = bond < 11_009 ? bond : 11_009;
            vm.expectEmit(address(market));
            emit ITrainingMarket.RoundExpired(jobId, round, penalty, penalty / 5);
            market.expire(jobId, round);
            vm.assertEq(market.ledgerOf(jobId).bond, bond - penalty, "what is left of the bond");
            _round(jobId);
        }
        vm.assertEq(market.ledgerOf(jobId).bond, 0, "the bond is used up");
        vm.assertEq(market.ledgerOf(jobId).burned, 4 + 4 + 1, "what could not be divided");
    }

    function test_Given_TheRoundBeforeExpiredToo() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        _passSettlement(jobId);
        market.expire(jobId, 1);
        _submitAll(jobId);
        _passSettlement(jobId);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnded(jobId, JobState.Aborted, 0, 0, 1, 34_557);
        market.expire(jobId, 2);

        expected.withdrawable[OWNER] = 34_557;
        expected.withdrawable[AGGREGATOR] = 1;
        for (uint256 i = 0; i < 5; ++i) {
            expected.withdrawable[TRAINER + i] = 2 * 2201 + 2003;
        }
        expected.ledger.escrow = 0;
        expected.ledger.bond = 0;
        expected.ledger.burned = 8;
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Aborted);
    }

    function test_Given_AVoidRoundBefore() external {
        uint256 jobId = _running(_terms(), 5);
        _passSubmissions(jobId);
        market.voidRound(jobId, 1);
        _submitAll(jobId);
        _passSettlement(jobId);
        market.expire(jobId, 2);
        _assertState(jobId, JobState.Aborted);
    }

    function test_Given_ARoundWasSettledBetween() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        _passSettlement(jobId);
        market.expire(jobId, 1);
        _round(jobId);
        vm.assertEq(market.progressOf(jobId).failuresInARow, 0, "failures in a row");
    }

    function _expires(Terms memory terms) private {
        uint256 jobId = _running(terms, 6);
        for (uint256 i = 0; i < 5; ++i) {
            _submit(jobId, trainers[i]);
        }
        _passSettlement(jobId);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundExpired(jobId, 1, 11_009, 2201);
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundOpened(jobId, 2, _now() + 1000, KEY, keccak256(_model(0)));
        vm.prank(stranger);
        market.expire(jobId, 1);

        expected.ledger.bond -= 11_009;
        expected.ledger.burned += 4;
        for (uint256 i = 0; i < 5; ++i) {
            expected.withdrawable[TRAINER + i] += 2201;
        }
        _assertBooks(jobId, expected);
        Progress memory progress = market.progressOf(jobId);
        vm.assertEq(progress.round, 2, "round");
        vm.assertEq(progress.voids, 0, "voids");
        vm.assertEq(progress.failuresInARow, 1, "failures in a row");
        vm.assertEq(market.seatsOf(jobId).absentLast, 32, "the absent");
    }

    function _refuses(uint256 jobId, uint256 round, bytes memory reason) private {
        vm.expectRevert(reason);
        market.expire(jobId, round);
    }
}
