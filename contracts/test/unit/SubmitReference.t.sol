// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Phase, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract SubmitReferenceTest is Base {
    bytes32 private constant HASH = keccak256("commitments");

    function test_RevertGiven_NoSuchJob() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
        market.submitReference(1, 1, HASH, _cid("reference"));
    }

    function test_RevertGiven_TheJobHasNoReferee() external {
        Terms memory terms = _terms();
        terms.referee = address(0);
        terms.refereeFeePerRound = 0;
        terms.references = 0;
        uint256 jobId = _running(terms, 5);
        _refuses(
            jobId,
            1,
            referee,
            abi.encodeWithSelector(Errors.Market_NotAuthorised.selector, referee, address(0))
        );
    }

    function test_RevertGiven_SubmissionsHaveEnded() external {
        uint256 jobId = _running(_terms(), 5);
        _passSubmissions(jobId);
        bytes memory reason = abi.encodeWithSelector(
            Errors.Market_WrongPhase.selector, jobId, 1, Phase.Delivering, Phase.Submitting
        );
        _refuses(jobId, 1, referee, reason);
    }

    function test_RevertWhen_TheCallerIsNotTheReferee() external {
        uint256 jobId = _running(_terms(), 5);
        _refuses(
            jobId,
            1,
            trainers[0],
            abi.encodeWithSelector(Errors.Market_NotAuthorised.selector, trainers[0], referee)
        );
    }

    function test_RevertWhen_TheRoundIsAnother() external {
        uint256 jobId = _running(_terms(), 5);
        _refuses(jobId, 2, referee, abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 2, 1));
    }

    function test_RevertWhen_TheRefereeHasSubmitted() external {
        uint256 jobId = _running(_terms(), 5);
        _submitReference(jobId);
        _refuses(
            jobId,
            1,
            referee,
            abi.encodeWithSelector(Errors.Market_AlreadySubmitted.selector, jobId, 1, referee)
        );
    }

    function test_RevertWhen_TheCommitmentIsZero() external {
        uint256 jobId = _running(_terms(), 5);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_ZeroCommitment.selector));
        vm.prank(referee);
        market.submitReference(jobId, 1, 0, _cid("reference"));
    }

    function test_RevertWhen_TheCIDIsMalformed() external {
        uint256 jobId = _running(_terms(), 5);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_MalformedCid.selector, bytes("")));
        vm.prank(referee);
        market.submitReference(jobId, 1, HASH, "");
    }

    function test_Given_SubmissionsAreOpen() external {
        uint256 jobId = _running(_terms(), 5);
        Books memory expected = _books(jobId);
        vm.warp(market.progressOf(jobId).submitEnd);
        vm.expectEmit(address(market));
        emit ITrainingMarket.ReferenceSubmitted(jobId, 1, referee, HASH, _cid("reference"));
        vm.prank(referee);
        market.submitReference(jobId, 1, HASH, _cid("reference"));
        _assertBooks(jobId, expected);
        vm.assertEq(market.submissionOf(jobId, referee), HASH, "submission");
        vm.assertTrue(market.progressOf(jobId).referenceSubmitted, "the reference is there");
    }

    function test_Given_TheNextRoundOpened() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        vm.assertFalse(market.progressOf(jobId).referenceSubmitted, "it is awaited again");
        _submitReference(jobId);
        vm.assertTrue(market.progressOf(jobId).referenceSubmitted, "the reference is there");
    }

    function _refuses(uint256 jobId, uint256 round, address account, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(account);
        market.submitReference(jobId, round, HASH, _cid("reference"));
    }
}
