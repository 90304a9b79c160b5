// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Phase, Progress, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract StartTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        _joined(_terms(), 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 0, 1));
        market.start(0);
    }

    function test_RevertGiven_ItHasStarted() external {
        uint256 jobId = _running(_terms(), 5);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Market_WrongState.selector, jobId, JobState.Running, JobState.Open)
        );
        market.start(jobId);
    }

    function test_RevertGiven_TooFewTrainersJoined() external {
        uint256 jobId = _joined(_terms(), 4);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_TooFewTrainers.selector, 4, 5));
        market.start(jobId);
    }

    function test_RevertWhen_TheStartDeadlineHasPassed() external {
        uint256 jobId = _joined(_terms(), 5);
        uint256 deadline = market.termsOf(jobId).startDeadline;
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_TooLate.selector, deadline + 1, deadline));
        market.start(jobId);
    }

    function test_When_AnyoneStarts() external {
        Terms memory terms = _terms();
        uint256 jobId = _joined(terms, 5);
        Books memory expected = _books(jobId);
        vm.warp(terms.startDeadline);
        uint256 submitEnd = uint256(terms.startDeadline) + terms.submitWindow;
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundOpened(jobId, 1, submitEnd, KEY, keccak256(_model(0)));
        vm.prank(stranger);
        market.start(jobId);

        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Running);
        Progress memory progress = market.progressOf(jobId);
        vm.assertEq(progress.round, 1, "round");
        vm.assertTrue(progress.roundOpen, "a round is open");
        vm.assertEq(progress.submitEnd, submitEnd, "end of submissions");
        _assertPhase(jobId, Phase.Submitting);
    }
}
