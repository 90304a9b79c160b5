// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Escrow} from "./Escrow.sol";
import {
    JobState,
    Phase,
    Progress,
    Removal,
    Seats,
    Terms,
    Trainer,
    TrainerStatus,
    VoidCause
} from "./Types.sol";
import {Errors} from "./libraries/Errors.sol";
import {SeatSet} from "./libraries/SeatSet.sol";

/// @title Rounds
/// @notice How rounds open and end, and how a job ends with them.
abstract contract Rounds is Escrow {
    using SeatSet for uint128;

    /// @dev Windows of the current round.
    struct Windows {
        Phase phase;
        uint256 submitEnd;
        uint256 deliverEnd;
        uint256 settleEnd;
    }

    /* CHECKS */

    /// @dev The phase of the current round and the ends of its windows.
    function _windows(Live memory live) internal view returns (Windows memory windows) {
        Progress memory progress = live.progress;
        if (!progress.roundOpen) return windows;
        windows.submitEnd = progress.submitEnd;
        windows.deliverEnd = windows.submitEnd + live.terms.deliverWindow;
        // A round settles only after the challenge window of the one before, so its time to settle starts no sooner.
        uint256 settleStart =
            windows.deliverEnd > progress.challengeEnd ? windows.deliverEnd : progress.challengeEnd;
        windows.settleEnd = settleStart + live.terms.settleWindow;
        if (!progress.submissionsClosed && block.timestamp <= windows.submitEnd) {
            windows.phase = Phase.Submitting;
        } else if (block.timestamp <= windows.deliverEnd) {
            windows.phase = Phase.Delivering;
        } else if (block.timestamp <= windows.settleEnd) {
            windows.phase = Phase.Settling;
        } else {
            windows.phase = Phase.Overdue;
        }
    }

    /// @dev Submissions without which a round is void, 2f + 3.
    function _quorum(Live memory live) internal pure returns (uint256) {
        return 2 * uint256(live.terms.tolerated) + 3;
    }

    /// @dev Reverts unless `round` is the open round of a running job.
    function _requireOpenRound(uint256 jobId, Live memory live, uint256 round) internal pure {
        _requireState(jobId, live, JobState.Running);
        _requireNotEnding(jobId, live);
        require(round == live.progress.round, Errors.Market_WrongRound(jobId, round, live.progress.round));
    }

    /// @dev Reverts unless the job is in the state.
    function _requireState(uint256 jobId, Live memory live, JobState needed) internal pure {
        JobState state = live.progress.state;
        require(state == needed, Errors.Market_WrongState(jobId, state, needed));
    }

    /// @dev Reverts if no further round will open. A running job that is not ending always has a round open.
    function _requireNotEnding(uint256 jobId, Live memory live) internal pure {
        require(live.progress.outcome == JobState.None, Errors.Market_Ending(jobId));
    }

    /// @dev Reverts unless the caller is the account.
    function _requireCaller(address authorised) internal view {
        require(msg.sender == authorised, Errors.Market_NotAuthorised(msg.sender, authorised));
    }

    /// @dev Reverts once the deadline is over.
    function _requireNotAfter(uint256 deadline) internal view {
        require(block.timestamp <= deadline, Errors.Market_TooLate(block.timestamp, deadline));
    }

    /// @dev Reverts until the moment is over.
    function _requireAfter(uint256 moment) internal view {
        require(block.timestamp > moment, Errors.Market_TooEarly(block.timestamp, moment));
    }

    /// @dev Reverts unless the round is in the phase.
    function _requirePhase(uint256 jobId, Live memory live, Phase phase, Phase needed) internal pure {
        require(phase == needed, Errors.Market_WrongPhase(jobId, live.progress.round, phase, needed));
    }

    /// @dev Returns the windows, or reverts during the submission phase.
    function _requireSubmissionsOver(Live memory live) internal view returns (Windows memory windows) {
        windows = _windows(live);
        require(windows.phase != Phase.Submitting, Errors.Market_TooEarly(block.timestamp, windows.submitEnd));
    }

    /* ROUNDS */

    /// @dev Opens the next round for the active trainers.
    function _openRound(uint256 jobId, Job storage job, Live memory live) internal {
        Progress memory progress = live.progress;
        progress.round += 1;
        progress.roundOpen = true;
        progress.submissionsClosed = false;
        progress.referenceSubmitted = false;
        progress.referenceMissing = false;
        // Safe narrowing: the time plus 30 days fits 40 bits for the next 34,000 years.
        progress.submitEnd = uint40(block.timestamp + live.terms.submitWindow);
        live.seats.submitted = 0;
        live.seats.missing = 0;
        bytes32 encryptionKey = job.nextEncryptionKey;
        if (job.encryptionKey != encryptionKey) job.encryptionKey = encryptionKey;
        emit RoundOpened(jobId, progress.round, progress.submitEnd, encryptionKey, job.modelHash);
    }

    /// @dev Ends the current round without a result.
    function _voidRound(uint256 jobId, Job storage job, Live memory live, VoidCause cause, uint128 excluded)
        internal
    {
        live.progress.voids += 1;
        live.progress.failuresInARow += 1;
        emit RoundVoided(jobId, live.progress.round, cause);
        _endRound(jobId, job, live, excluded, 0);
    }

    /// @dev Ends the current round: removes who has to go, then opens the next round or begins to end the job. The
    /// caller stores `live`.
    /// @param excluded Those whose update was left out of this round.
    /// @param struckOut Those whom the settlement has removed already.
    function _endRound(uint256 jobId, Job storage job, Live memory live, uint128 excluded, uint128 struckOut)
        internal
    {
        Seats memory seats = live.seats;
        uint128 absent = seats.active & ~seats.submitted;
        uint128 absentTwice = absent & seats.absentLast;
        uint128 excludedTwice = excluded & seats.excludedLast & ~struckOut;
        _remove(jobId, job, live, absentTwice, Removal.Absent);
        _remove(jobId, job, live, excludedTwice, Removal.Excluded);

        seats.active &= ~(seats.leaving | struckOut | absentTwice | excludedTwice);
        seats.absentLast = absent & seats.active;
        seats.excludedLast = excluded & seats.active;
        seats.active |= seats.joining;
        seats.joining = 0;
        seats.leaving = 0;
        live.progress.roundOpen = false;

        JobState outcome = _outcome(live);
        if (outcome == JobState.None) _openRound(jobId, job, live);
        else _beginEnding(jobId, job, live, outcome);
    }

    /// @dev What a job that just ended a round goes on to: None for the next round.
    function _outcome(Live memory live) private pure returns (JobState) {
        Progress memory progress = live.progress;
        uint256 rounds = live.terms.rounds;
        if (progress.round == rounds) return JobState.Completed;
        if (progress.abortRequested || progress.failuresInARow >= 2) return JobState.Aborted;
        if (progress.voids > (rounds / 10 > 2 ? rounds / 10 : 2)) return JobState.Aborted;
        if (live.seats.active.size() < live.terms.minTrainers) return JobState.Aborted;
        return JobState.None;
    }

    /// @dev Removes trainers at the end of a round: their stake is free, less what is burned, once the round can no longer
    /// be challenged.
    function _remove(uint256 jobId, Job storage job, Live memory live, uint128 seats, Removal removal)
        private
    {
        uint256 burned = removal == Removal.Absent ? live.terms.absencePenalty : 0;
        for (uint256 seat = 0; seats != 0; ++seat) {
            if (!seats.has(seat)) continue;
            seats &= ~SeatSet.only(seat);
            address account = job.holders[seat];
            Trainer memory trainer = _loadTrainer(job, account);
            trainer.status = removal == Removal.Absent ? TrainerStatus.Absent : TrainerStatus.Leaving;
            trainer.releaseRound = live.progress.round;
            _saveTrainer(job, account, trainer);
            job.ledger.burned += uint128(burned);
            emit TrainerRemoved(jobId, account, live.progress.round, removal, burned);
        }
    }

    /* ENDING */

    /// @dev Takes the penalty, or what is left, from the bond.
    function _takePenalty(Job storage job, Live memory live) internal returns (uint256 penalty) {
        uint96 bond = job.ledger.bond;
        penalty = bond < live.terms.penalty ? bond : live.terms.penalty;
        job.ledger.bond = uint96(bond - penalty);
    }

    /// @dev Lets no further round open; ends the job at once if no challenge window is open.
    function _beginEnding(uint256 jobId, Job storage job, Live memory live, JobState outcome) private {
        live.progress.outcome = outcome;
        emit JobEnding(jobId, outcome, live.progress.challengeEnd);
        if (block.timestamp > live.progress.challengeEnd) _endJob(jobId, job, live, outcome);
    }

    /// @dev Ends the job: credits fees and bond, and returns the rest of the escrow to the owner. The caller stores
    /// `live`.
    function _endJob(uint256 jobId, Job storage job, Live memory live, JobState outcome) internal {
        Terms memory terms = live.terms;
        uint256 aggregatorFees = uint256(live.progress.settledRounds) * terms.aggregatorFeePerRound;
        uint256 refereeFees = uint256(live.progress.referenceRounds) * terms.refereeFeePerRound;
        uint256 bond = job.ledger.bond;
        uint256 refund = job.ledger.escrow - aggregatorFees - refereeFees;

        live.progress.state = outcome;
        live.progress.outcome = outcome;
        live.progress.roundOpen = false;
        job.ledger.escrow = 0;
        job.ledger.bond = 0;
        job.credits[terms.aggregator] += aggregatorFees + bond;
        job.credits[terms.referee] += refereeFees;
        job.credits[job.owner] += refund;
        emit JobEnded(jobId, outcome, aggregatorFees, refereeFees, bond, refund);
    }
}
