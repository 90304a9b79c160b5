// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract AbortTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        _refuses(1, owner, abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
    }

    function test_RevertGiven_TheJobWasAborted() external {
        uint256 jobId = _create(_terms());
        vm.prank(owner);
        market.abort(jobId);
        _refuses(jobId, owner, abi.encodeWithSelector(Errors.Market_Ending.selector, jobId));
        // The deadline opens the call to anyone only for an open job.
        vm.warp(START + 2 days);
        _refuses(jobId, stranger, _notAuthorised(stranger));
    }

    function test_RevertGiven_TheLastRoundHasEnded() external {
        Terms memory terms = _terms();
        terms.rounds = 1;
        uint256 jobId = _running(terms, 5);
        _round(jobId);
        _refuses(jobId, owner, abi.encodeWithSelector(Errors.Market_Ending.selector, jobId));
    }

    function test_RevertGiven_TheOwnerHasAsked() external {
        uint256 jobId = _running(_terms(), 5);
        vm.prank(owner);
        market.abort(jobId);
        _refuses(jobId, owner, abi.encodeWithSelector(Errors.Market_AbortAlreadyRequested.selector, jobId));
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        uint256 jobId = _joined(_terms(), 5);
        vm.warp(START + 1 days);
        _refuses(jobId, aggregator, _notAuthorised(aggregator));
    }

    function test_RevertWhen_RunningAndTheCallerIsNotTheOwner() external {
        uint256 jobId = _running(_terms(), 5);
        vm.warp(START + 2 days);
        _refuses(jobId, stranger, _notAuthorised(stranger));
    }

    function test_Given_NobodyAccepted() external {
        uint256 jobId = _create(_terms());
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnded(jobId, JobState.Aborted, 0, 0, 0, 34_557);
        vm.prank(owner);
        market.abort(jobId);
        expected.ledger.escrow = 0;
        expected.withdrawable[OWNER] = 34_557;
        _assertBooks(jobId, expected);
    }

    function test_Given_OpenWithTrainersAndPaidInTheNativeCoin() external {
        _abortsOpen(_terms(), owner);
    }

    function test_Given_OpenWithTrainersAndPaidInAToken() external {
        _abortsOpen(_tokenTerms(), owner);
    }

    function test_Given_OpenAndPastTheStartDeadline() external {
        _abortsOpen(_terms(), stranger);
    }

    function test_Given_ARoundIsOpen() external {
        uint256 jobId = _running(_terms(), 5);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.AbortRequested(jobId, 1);
        vm.prank(owner);
        market.abort(jobId);
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Running);
        vm.assertTrue(market.progressOf(jobId).abortRequested, "the request");

        // Whoever has committed is paid before the job ends.
        _round(jobId);
        vm.assertEq(uint256(market.progressOf(jobId).outcome), uint256(JobState.Aborted), "outcome");
        _passChallenge(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[0]), 2001, "pay");
    }

    function _abortsOpen(Terms memory terms, address caller) private {
        uint256 jobId = _joined(terms, 5);
        Books memory expected = _books(jobId);
        if (caller != owner) vm.warp(uint256(terms.startDeadline) + 1);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnded(jobId, JobState.Aborted, 0, 0, terms.bond, _deposit(terms));
        vm.prank(caller);
        market.abort(jobId);
        expected.ledger.escrow = 0;
        expected.ledger.bond = 0;
        expected.withdrawable[OWNER] = _deposit(terms);
        expected.withdrawable[AGGREGATOR] = terms.bond;
        for (uint256 i = 0; i < 5; ++i) {
            expected.withdrawable[TRAINER + i] = terms.stake;
        }
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Aborted);
    }

    function _notAuthorised(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_NotAuthorised.selector, caller, owner);
    }

    function _refuses(uint256 jobId, address caller, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(caller);
        market.abort(jobId);
    }
}
