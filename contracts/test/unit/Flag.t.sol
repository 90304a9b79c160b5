// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Reason, Terms, VoidCause} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract FlagTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        _refuses(1, 1, trainers[0], abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
    }

    function test_RevertGiven_TheJobHasNotStarted() external {
        uint256 jobId = _joined(_terms(), 5);
        _refuses(jobId, 1, trainers[0], _wrongState(jobId, JobState.Open));
    }

    function test_RevertGiven_TheJobHasEnded() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        for (uint256 i = 0; i < 3; ++i) {
            _flag(jobId, 1, i);
        }
        _refuses(jobId, 1, trainers[3], _wrongState(jobId, JobState.Aborted));
    }

    function test_RevertGiven_NoRoundWasSettled() external {
        uint256 jobId = _running(_terms(), 5);
        _refuses(
            jobId, 0, trainers[0], abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 0, 0)
        );
        _refuses(
            jobId, 1, trainers[0], abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 1, 0)
        );
    }

    function test_RevertGiven_TheNextRoundWasSettled() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        _round(jobId);
        _refuses(
            jobId, 1, trainers[0], abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 1, 2)
        );
    }

    function test_RevertGiven_TheChallengeWindowIsOver() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        uint256 end = START + 400;
        vm.warp(end + 1);
        _refuses(jobId, 1, trainers[0], abi.encodeWithSelector(Errors.Market_TooLate.selector, end + 1, end));
    }

    function test_RevertWhen_TheCallerDidNotSubmit() external {
        uint256 jobId = _running(_terms(), 6);
        for (uint256 i = 0; i < 5; ++i) {
            _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
        _settle(jobId);
        _refuses(jobId, 1, trainers[5], _cannotFlag(jobId, trainers[5]));
        _refuses(jobId, 1, stranger, _cannotFlag(jobId, stranger));
        _refuses(jobId, 1, owner, _cannotFlag(jobId, owner));
        _refuses(jobId, 1, referee, _cannotFlag(jobId, referee));
    }

    function test_RevertWhen_TheCallerHasFlagged() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        _flag(jobId, 1, 0);
        _refuses(
            jobId,
            1,
            trainers[0],
            abi.encodeWithSelector(Errors.Market_AlreadyFlagged.selector, jobId, 1, trainers[0])
        );
    }

    function test_When_FewerThanAMajorityFlag() external {
        uint256 jobId = _running(_terms(), 6);
        _round(jobId);
        Books memory expected = _books(jobId);
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectEmit(address(market));
            emit ITrainingMarket.Flagged(jobId, 1, trainers[i], i + 1);
            _flag(jobId, 1, i);
        }
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Running);
        vm.assertEq(market.seatsOf(jobId).flags, 7, "half is no majority");
    }

    function test_When_TwoOfThreeFlag() external {
        Terms memory terms = _terms();
        terms.tolerated = 0;
        terms.minTrainers = 3;
        uint256 jobId = _running(terms, 3);
        _round(jobId);
        _flag(jobId, 1, 0);
        _flag(jobId, 1, 1);
        _assertState(jobId, JobState.Running);
        _flag(jobId, 1, 2);
        _assertState(jobId, JobState.Aborted);
    }

    function test_When_AMajorityFlags() external {
        _aborts(_terms());
    }

    function test_When_AMajorityFlagsAJobInAToken() external {
        _aborts(_tokenTerms());
    }

    function test_When_AnExcludedTrainerFlags() external {
        uint256 jobId = _running(_terms(), 6);
        _submitAll(jobId);
        _settle(_settlement(jobId, _exclude(Reason.Mismatch, _list(trainers[3]))));
        _flag(jobId, 1, 3);
        vm.assertEq(market.seatsOf(jobId).flags, 8, "flags");
    }

    function test_When_SomebodyWhoLeftFlags() external {
        uint256 jobId = _running(_terms(), 6);
        vm.prank(trainers[3]);
        market.leaveJob(jobId);
        _round(jobId);
        _flag(jobId, 1, 3);
        vm.assertEq(market.seatsOf(jobId).flags, 8, "flags");
    }

    function test_Given_TheLastRoundWasSettled() external {
        Terms memory terms = _terms();
        terms.rounds = 1;
        uint256 jobId = _running(terms, 5);
        _round(jobId);
        vm.assertEq(uint256(market.progressOf(jobId).outcome), uint256(JobState.Completed), "outcome");
        Books memory expected = _books(jobId);
        vm.warp(market.progressOf(jobId).challengeEnd);
        vm.recordLogs();
        for (uint256 i = 0; i < 3; ++i) {
            _flag(jobId, 1, i);
        }
        vm.assertEq(vm.getRecordedLogs().length, 4, "three flags and the end; no round is void");
        _assertFlagged(jobId, expected, terms);
    }

    function test_Given_TheBondIsUsedUp() external {
        Terms memory terms = _terms();
        terms.bond = 22_018;
        terms.rounds = 9;
        uint256 jobId = _running(terms, 5);
        for (uint256 i = 0; i < 2; ++i) {
            _submitAll(jobId);
            _passSettlement(jobId);
            market.expire(jobId, 2 * i + 1);
            _round(jobId);
        }
        vm.assertEq(market.ledgerOf(jobId).bond, 0, "bond");
        for (uint256 i = 0; i < 3; ++i) {
            _flag(jobId, 4, i);
        }
        vm.assertEq(market.ledgerOf(jobId).burned, 8 + 1009, "the fee is burned all the same");
        vm.assertEq(market.withdrawable(jobId, aggregator), 1009, "the fee of the other round");
    }

    function _aborts(Terms memory terms) private {
        uint256 jobId = _running(terms, 5);
        _round(jobId);
        Books memory expected = _books(jobId);
        _flag(jobId, 1, 4);
        _flag(jobId, 1, 0);
        vm.expectEmit(address(market));
        emit ITrainingMarket.Flagged(jobId, 1, trainers[2], 3);
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundVoided(jobId, 2, VoidCause.Flagged);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnded(
            jobId, JobState.Aborted, 0, 503, 22_019 - 11_009, _deposit(terms) - 10_005 - 1009 - 503
        );
        _flag(jobId, 1, 2);
        _assertFlagged(jobId, expected, terms);
    }

    /// @dev Penalty and fee are burned, the settled round's pay and everything else goes to whom it belongs.
    function _assertFlagged(uint256 jobId, Books memory expected, Terms memory terms) private view {
        expected.withdrawable[OWNER] = _deposit(terms) - 10_005 - 1009 - 503;
        expected.withdrawable[AGGREGATOR] = 22_019 - 11_009;
        expected.withdrawable[REFEREE] = 503;
        for (uint256 i = 0; i < 5; ++i) {
            expected.withdrawable[TRAINER + i] = 2001 + 2003;
        }
        expected.ledger.escrow = 0;
        expected.ledger.bond = 0;
        expected.ledger.burned = 11_009 + 1009;
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Aborted);
        vm.assertFalse(market.progressOf(jobId).roundOpen, "no round is open");
    }

    function _flag(uint256 jobId, uint256 round, uint256 index) private {
        vm.prank(trainers[index]);
        market.flag(jobId, round);
    }

    function _cannotFlag(uint256 jobId, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_CannotFlag.selector, jobId, 1, account);
    }

    function _wrongState(uint256 jobId, JobState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_WrongState.selector, jobId, state, JobState.Running);
    }

    function _refuses(uint256 jobId, uint256 round, address account, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(account);
        market.flag(jobId, round);
    }
}
