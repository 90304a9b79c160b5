// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Phase} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract SubmitTest is Base {
    bytes32 private constant HASH = keccak256("commitment");

    function test_RevertGiven_NoSuchJob() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
        market.submit(1, 1, HASH, _cid("envelope"));
    }

    function test_RevertGiven_TheJobHasNotStarted() external {
        uint256 jobId = _joined(_terms(), 5);
        _refuses(
            jobId,
            0,
            trainers[0],
            abi.encodeWithSelector(Errors.Market_WrongState.selector, jobId, JobState.Open, JobState.Running)
        );
    }

    function test_RevertGiven_NoFurtherRoundWillOpen() external {
        uint256 jobId = _running(_terms(), 5);
        vm.prank(owner);
        market.abort(jobId);
        _round(jobId);
        _refuses(jobId, 1, trainers[0], abi.encodeWithSelector(Errors.Market_Ending.selector, jobId));
    }

    function test_RevertGiven_SubmissionsHaveEnded() external {
        uint256 jobId = _running(_terms(), 5);
        _passSubmissions(jobId);
        _refuses(jobId, 1, trainers[0], _wrongPhase(jobId, 1, Phase.Delivering));
    }

    function test_RevertGiven_SubmissionsWereClosed() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        _refuses(jobId, 1, trainers[0], _wrongPhase(jobId, 1, Phase.Delivering));
    }

    function test_RevertWhen_TheRoundIsAnother() external {
        uint256 jobId = _running(_terms(), 5);
        _refuses(
            jobId, 2, trainers[0], abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 2, 1)
        );
        _refuses(
            jobId, 0, trainers[0], abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 0, 1)
        );
    }

    function test_RevertWhen_TheCallerNeverJoined() external {
        uint256 jobId = _running(_terms(), 5);
        _refuses(
            jobId, 1, stranger, abi.encodeWithSelector(Errors.Market_NotActive.selector, jobId, stranger)
        );
    }

    function test_RevertWhen_TheCallerTakesPartFromTheNextRound() external {
        uint256 jobId = _running(_terms(), 5);
        _join(jobId, trainers[5]);
        _refuses(
            jobId,
            1,
            trainers[5],
            abi.encodeWithSelector(Errors.Market_NotActive.selector, jobId, trainers[5])
        );
    }

    function test_RevertWhen_TheCallersSeatHasAnotherHolder() external {
        uint256 jobId = _joined(_terms(), 5);
        vm.prank(trainers[4]);
        market.leaveJob(jobId);
        _join(jobId, trainers[5]);
        market.start(jobId);
        _refuses(
            jobId,
            1,
            trainers[4],
            abi.encodeWithSelector(Errors.Market_NotActive.selector, jobId, trainers[4])
        );
    }

    function test_RevertWhen_TheCallerHasSubmitted() external {
        uint256 jobId = _running(_terms(), 5);
        _submit(jobId, trainers[0]);
        _refuses(
            jobId,
            1,
            trainers[0],
            abi.encodeWithSelector(Errors.Market_AlreadySubmitted.selector, jobId, 1, trainers[0])
        );
    }

    function test_RevertWhen_TheCommitmentIsZero() external {
        uint256 jobId = _running(_terms(), 5);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_ZeroCommitment.selector));
        vm.prank(trainers[0]);
        market.submit(jobId, 1, 0, _cid("envelope"));
    }

    function test_RevertWhen_TheCIDIsMalformed() external {
        uint256 jobId = _running(_terms(), 5);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_MalformedCid.selector, bytes("")));
        vm.prank(trainers[0]);
        market.submit(jobId, 1, HASH, "");
    }

    function test_Given_SubmissionsAreOpen() external {
        uint256 jobId = _running(_terms(), 5);
        Books memory expected = _books(jobId);
        vm.warp(market.progressOf(jobId).submitEnd);
        vm.expectEmit(address(market));
        emit ITrainingMarket.Submitted(jobId, 1, trainers[2], HASH, _cid("envelope"));
        vm.prank(trainers[2]);
        market.submit(jobId, 1, HASH, _cid("envelope"));
        _assertBooks(jobId, expected);
        vm.assertEq(market.submissionOf(jobId, trainers[2]), HASH, "submission");
        vm.assertEq(market.seatsOf(jobId).submitted, 4, "those who submitted");
    }

    function test_Given_TheCallerAskedToLeave() external {
        uint256 jobId = _running(_terms(), 5);
        vm.prank(trainers[2]);
        market.leaveJob(jobId);
        _submit(jobId, trainers[2]);
        vm.assertEq(market.seatsOf(jobId).submitted, 4, "those who submitted");
    }

    function _wrongPhase(uint256 jobId, uint256 round, Phase phase) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(Errors.Market_WrongPhase.selector, jobId, round, phase, Phase.Submitting);
    }

    function _refuses(uint256 jobId, uint256 round, address account, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(account);
        market.submit(jobId, round, HASH, _cid("envelope"));
    }
}
