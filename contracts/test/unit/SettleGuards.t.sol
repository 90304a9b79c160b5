// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Reason, Settlement} from "../../src/Types.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract SettleGuardsTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        Settlement memory settlement;
        settlement.jobId = 1;
        _refuses(settlement, abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
    }

    function test_RevertGiven_TheJobHasNotStarted() external {
        uint256 jobId = _joined(_terms(), 5);
        Settlement memory settlement = _settlement(jobId);
        _refuses(
            settlement,
            abi.encodeWithSelector(Errors.Market_WrongState.selector, jobId, JobState.Open, JobState.Running)
        );
    }

    function test_RevertGiven_NoFurtherRoundWillOpen() external {
        uint256 jobId = _running(_terms(), 5);
        vm.prank(owner);
        market.abort(jobId);
        _submitAll(jobId);
        Settlement memory settlement = _settlement(jobId);
        _settle(settlement);
        _refuses(settlement, abi.encodeWithSelector(Errors.Market_Ending.selector, jobId));
    }

    function test_RevertGiven_SubmissionsAreOpen() external {
        uint256 jobId = _running(_terms(), 5);
        _submitTrainers(jobId);
        vm.warp(START + 1000);
        _refuses(
            _settlement(jobId),
            abi.encodeWithSelector(Errors.Market_TooEarly.selector, START + 1000, START + 1000)
        );
    }

    function test_RevertGiven_TheSettleDeadlineHasPassed() external {
        uint256 jobId = _submitted(5);
        vm.warp(START + 1101);
        _refuses(
            _settlement(jobId),
            abi.encodeWithSelector(Errors.Market_TooLate.selector, START + 1101, START + 1100)
        );
    }

    function test_RevertGiven_TheChallengeWindowBeforeIsOpen() external {
        uint256 jobId = _submitted(5);
        _settle(jobId);
        _submitAll(jobId);
        vm.warp(START + 400);
        _refuses(
            _settlement(jobId),
            abi.encodeWithSelector(Errors.Market_TooEarly.selector, START + 400, START + 400)
        );
    }

    function test_RevertGiven_TheRoundIsSettled() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        _settle(settlement);
        _refuses(settlement, abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 1, 2));
    }

    function test_RevertWhen_TheCallerIsNotTheAggregator() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotAuthorised.selector, owner, aggregator));
        vm.prank(owner);
        market.settle(settlement);
    }

    function test_RevertWhen_TheRoundIsAnother() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.round = 2;
        _refuses(settlement, abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 2, 1));
    }

    function test_RevertWhen_TrainersAreNotAscending() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        address[] memory list = settlement.trainers;
        (list[1], list[2]) = (list[2], list[1]);
        settlement.commitments = bytes.concat(_commitments(jobId, list), _commitment(jobId, referee, 1));
        _refuses(settlement, abi.encodeWithSelector(Errors.Market_NotAscending.selector, 2, list[1], list[2]));
    }

    function test_RevertWhen_ATrainerIsNamedTwice() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.trainers[1] = settlement.trainers[0];
        settlement.commitments =
            bytes.concat(_commitments(jobId, settlement.trainers), _commitment(jobId, referee, 1));
        _refuses(
            settlement,
            abi.encodeWithSelector(Errors.Market_NotAscending.selector, 1, trainers[0], trainers[0])
        );
    }

    function test_RevertWhen_ATrainerIsZero() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.trainers[0] = address(0);
        _refuses(
            settlement, abi.encodeWithSelector(Errors.Market_NotAscending.selector, 0, address(0), address(0))
        );
    }

    function test_RevertWhen_ATrainerDidNotSubmit() external {
        uint256 jobId = _running(_terms(), 6);
        for (uint256 i = 0; i < 5; ++i) {
            _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
        Settlement memory settlement = _settlement(jobId);
        settlement.trainers = _first(6);
        settlement.commitments = _commitments(jobId, settlement.trainers);
        _refuses(settlement, _notSubmitted(jobId, trainers[5]));
    }

    function test_RevertWhen_AStrangerIsNamed() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        address ghost = address(uint160(settlement.trainers[0]) - 1);
        settlement.trainers[0] = ghost;
        _refuses(settlement, _notSubmitted(jobId, ghost));
    }

    function test_RevertWhen_ASubmitterIsLeftOut() external {
        uint256 jobId = _submitted(6);
        Settlement memory settlement = _settlement(jobId);
        settlement.trainers = _first(5);
        settlement.commitments =
            bytes.concat(_commitments(jobId, settlement.trainers), _commitment(jobId, referee, 1));
        _refuses(settlement, abi.encodeWithSelector(Errors.Market_SubmittersUnaccounted.selector, 6, 5));
    }

    function test_RevertWhen_ATrainerIsAcceptedAndExcluded() external {
        uint256 jobId = _submitted(6);
        Settlement memory settlement = _settlement(jobId);
        settlement.exclusions = _exclude(Reason.Mismatch, _list(trainers[5]));
        _refuses(settlement, abi.encodeWithSelector(Errors.Market_SubmittersUnaccounted.selector, 6, 7));
    }

    function test_RevertWhen_ATrainerIsAcceptedAndExcludedInAnothersPlace() external {
        uint256 jobId = _submitted(6);
        Settlement memory settlement = _settlement(jobId, _exclude(Reason.Mismatch, _list(trainers[5])));
        settlement.exclusions[0].account = trainers[4];
        _refuses(settlement, abi.encodeWithSelector(Errors.Market_SubmittersUnaccounted.selector, 6, 6));
    }

    function test_RevertWhen_CommitmentsDoNotDivide() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.commitments = bytes.concat(settlement.commitments, hex"00");
        _refuses(settlement, _wrongLength("commitments", 6 * 32 + 1, 6 * 32));
    }

    function test_RevertWhen_ACommitmentIsMissing() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.commitments = _commitments(jobId, settlement.trainers);
        _refuses(settlement, _wrongLength("commitments", 160, 156));
    }

    function test_RevertWhen_CommitmentsAreEmpty() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.commitments = "";
        _refuses(
            settlement,
            abi.encodeWithSelector(
                Errors.Market_CommitmentMismatch.selector,
                trainers[0],
                keccak256(""),
                keccak256(_commitment(jobId, trainers[0], 1))
            )
        );
    }

    function test_RevertWhen_CommitmentsAreSwapped() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        address[] memory list = _first(5);
        (list[3], list[4]) = (list[4], list[3]);
        settlement.commitments = bytes.concat(_commitments(jobId, list), _commitment(jobId, referee, 1));
        _refuses(
            settlement,
            abi.encodeWithSelector(
                Errors.Market_CommitmentMismatch.selector,
                trainers[3],
                keccak256(_commitment(jobId, trainers[4], 1)),
                keccak256(_commitment(jobId, trainers[3], 1))
            )
        );
    }

    function test_RevertWhen_TheReferencesCommitmentIsAnother() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.commitments =
            bytes.concat(_commitments(jobId, settlement.trainers), _commitment(jobId, referee, 2));
        _refuses(
            settlement,
            abi.encodeWithSelector(
                Errors.Market_CommitmentMismatch.selector,
                referee,
                keccak256(_commitment(jobId, referee, 2)),
                keccak256(_commitment(jobId, referee, 1))
            )
        );
    }

    function test_RevertWhen_TheModelIsAnother() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.modelCommitment = _model(1);
        _refuses(
            settlement,
            abi.encodeWithSelector(
                Errors.Market_ModelMismatch.selector, keccak256(_model(1)), keccak256(_model(0))
            )
        );
    }

    function test_RevertWhen_TheAggregatesCIDIsMalformed() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.aggregateCid = "Qm";
        _refuses(settlement, abi.encodeWithSelector(Errors.Market_MalformedCid.selector, bytes("Qm")));
    }

    function test_RevertWhen_TheMatrixIsTooShort() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.gram = _gram(5);
        _refuses(settlement, _wrongLength("gram", 120, 168));
    }

    function test_RevertWhen_ANormIsOutOfRange() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        uint256 maximum = 1000 << 30;
        settlement.gram[2] = 0x01;
        _refuses(
            settlement,
            abi.encodeWithSelector(Errors.Market_NormOutOfRange.selector, 0, int256(2 ** 40) + 1, maximum)
        );
    }

    function test_When_ANormIsTheLargestPossible() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        bytes8 maximum = bytes8(uint64(1000 << 30));
        for (uint256 i = 0; i < 8; ++i) {
            settlement.gram[i] = maximum[i];
        }
        _settle(settlement);
        vm.assertEq(market.progressOf(jobId).lastSettledRound, 1, "settled");
    }

    function test_RevertWhen_AnythingSubmittedEarlierIsUsed() external {
        // Someone who submitted in round 1 only is no submitter of round 2.
        uint256 jobId = _submitted(6);
        _settle(jobId);
        for (uint256 i = 0; i < 5; ++i) {
            _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
        Settlement memory settlement = _settlement(jobId);
        settlement.trainers = _first(6);
        settlement.commitments = bytes.concat(settlement.commitments, _commitment(jobId, trainers[5], 1));
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotSubmitted.selector, jobId, 2, trainers[5]));
        vm.prank(aggregator);
        market.settle(settlement);
    }

    function test_RevertWhen_TheLastHolderOfASeatIsNamed() external {
        // The first leaves after round 1; when its seat is free, another takes it and submits in round 3.
        uint256 jobId = _submitted(6);
        vm.prank(trainers[0]);
        market.leaveJob(jobId);
        _settle(jobId);
        _passChallenge(jobId);
        _join(jobId, trainers[6]);
        vm.assertEq(market.trainerOf(jobId, trainers[6]).seat, 0, "the seat of the first");
        _round(jobId);
        _submitAll(jobId);
        _passChallenge(jobId);
        Settlement memory settlement = _settlement(jobId);
        vm.assertEq(settlement.trainers[5], trainers[6], "the new one is in");
        settlement.trainers[5] = settlement.trainers[4];
        for (uint256 i = 4; i > 0; --i) {
            settlement.trainers[i] = settlement.trainers[i - 1];
        }
        settlement.trainers[0] = trainers[0];
        _refuses(
            settlement, abi.encodeWithSelector(Errors.Market_NotSubmitted.selector, jobId, 3, trainers[0])
        );
    }

    function _submitted(uint256 count) private returns (uint256 jobId) {
        jobId = _running(_terms(), count);
        _submitAll(jobId);
    }

    function _commitments(uint256 jobId, address[] memory list) private view returns (bytes memory all) {
        for (uint256 i = 0; i < list.length; ++i) {
            all = bytes.concat(all, _commitment(jobId, list[i], 1));
        }
    }

    function _notSubmitted(uint256 jobId, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_NotSubmitted.selector, jobId, 1, account);
    }

    function _wrongLength(bytes32 field, uint256 length, uint256 needed) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_WrongLength.selector, field, length, needed);
    }

    function _refuses(Settlement memory settlement, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(aggregator);
        market.settle(settlement);
    }
}
