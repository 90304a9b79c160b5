// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Phase, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract CloseSubmissionsTest is Base {
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

    function test_RevertGiven_SubmissionsHaveEnded() external {
        uint256 jobId = _running(_terms(), 5);
        _submitTrainers(jobId);
        _submitReference(jobId);
        _passSubmissions(jobId);
        _refuses(
            jobId,
            1,
            abi.encodeWithSelector(
                Errors.Market_WrongPhase.selector, jobId, 1, Phase.Delivering, Phase.Submitting
            )
        );
    }

    function test_RevertGiven_ATrainersSubmissionIsOutstanding() external {
        uint256 jobId = _running(_terms(), 5);
        for (uint256 i = 0; i < 4; ++i) {
            _submit(jobId, trainers[i]);
        }
        _submitReference(jobId);
        _refuses(jobId, 1, abi.encodeWithSelector(Errors.Market_SubmissionsOutstanding.selector, 4, 5, false));
    }

    function test_RevertGiven_TheReferenceIsOutstanding() external {
        uint256 jobId = _running(_terms(), 5);
        _submitTrainers(jobId);
        _refuses(jobId, 1, abi.encodeWithSelector(Errors.Market_SubmissionsOutstanding.selector, 5, 5, true));
    }

    function test_RevertWhen_TheRoundIsAnother() external {
        uint256 jobId = _running(_terms(), 5);
        _refuses(jobId, 2, abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 2, 1));
    }

    function test_Given_EverybodySubmitted() external {
        Terms memory terms = _terms();
        uint256 jobId = _running(terms, 5);
        _submitTrainers(jobId);
        _submitReference(jobId);
        Books memory expected = _books(jobId);
        vm.warp(START + 321);
        vm.expectEmit(address(market));
        emit ITrainingMarket.SubmissionsClosed(jobId, 1, START + 321 + terms.deliverWindow);
        vm.prank(stranger);
        market.closeSubmissions(jobId, 1);
        _assertBooks(jobId, expected);
        (Phase phase, uint256 submitEnd, uint256 deliverEnd, uint256 settleEnd) = market.phaseOf(jobId);
        vm.assertEq(uint256(phase), uint256(Phase.Delivering), "phase, in the same block");
        vm.assertEq(submitEnd, START + 321, "end of submissions");
        vm.assertEq(deliverEnd, START + 321 + 600, "end of delivery");
        vm.assertEq(settleEnd, START + 321 + 600 + 500, "end of settlement");
    }

    function test_Given_EverybodySubmittedWithoutAReferee() external {
        Terms memory terms = _terms();
        terms.referee = address(0);
        terms.refereeFeePerRound = 0;
        terms.references = 0;
        uint256 jobId = _running(terms, 5);
        _submitTrainers(jobId);
        market.closeSubmissions(jobId, 1);
        _assertPhase(jobId, Phase.Delivering);
    }

    function _refuses(uint256 jobId, uint256 round, bytes memory reason) private {
        vm.expectRevert(reason);
        market.closeSubmissions(jobId, round);
    }
}
