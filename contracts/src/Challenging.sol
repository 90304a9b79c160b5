// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Refutations} from "./Refutations.sol";
import {Settling} from "./Settling.sol";
import {JobState, Trainer, TrainerStatus, VoidCause} from "./Types.sol";
import {IRoundVerifier} from "./interfaces/IRoundVerifier.sol";
import {IRule} from "./interfaces/IRule.sol";
import {ITrainingMarket} from "./interfaces/ITrainingMarket.sol";
import {Errors} from "./libraries/Errors.sol";
import {SeatSet} from "./libraries/SeatSet.sol";

/// @title Challenging
/// @notice What happens to a settled round in its challenge window.
abstract contract Challenging is Settling {
    using SeatSet for uint128;

    /* STORAGE */

    /// @inheritdoc ITrainingMarket
    Refutations public immutable refutations;

    /* CONSTRUCTOR */

    constructor(IRoundVerifier roundVerifier, IRule[] memory marketRules)
        Settling(roundVerifier, marketRules)
    {
        refutations = new Refutations();
    }

    /* FLAGS */

    /// @inheritdoc ITrainingMarket
    function flag(uint256 jobId, uint256 round) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        uint128 seat = _seatOf(job, msg.sender);
        // Check: a submitter of the last settled round flags it once, in its challenge window.
        _requireChallengeable(jobId, live, round);
        require(seat & live.seats.settledSubmitters != 0, Errors.Market_CannotFlag(jobId, round, msg.sender));
        require(seat & live.seats.flags == 0, Errors.Market_AlreadyFlagged(jobId, round, msg.sender));

        // Effect: count the flag.
        live.seats.flags |= seat;
        uint256 flags = live.seats.flags.size();
        emit Flagged(jobId, round, msg.sender, flags);

        // Effect: a majority of at least three ends the job.
        if (flags >= 3 && 2 * flags > live.seats.settledSubmitters.size()) _endFlagged(jobId, job, live);
        _save(job, live);
    }

    /* REFUTATIONS */

    /// @inheritdoc ITrainingMarket
    function refuteGram(
        uint256 jobId,
        uint256 round,
        bytes32 previousModelHash,
        bytes calldata gram,
        bytes calldata x
    ) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: it is about what was settled last, whose challenge window is open.
        _requireChallengeable(jobId, live, round);
        bytes32 given = _matrixHash(previousModelHash, gram);
        require(given == job.matrixHash, Errors.Market_MatrixMismatch(given, job.matrixHash));

        // Check: the caller announced it, and it is true.
        refutations.check(msg.sender, jobId, round, gram, x);

        // Effect: the round's pay and fee are not earned, and its model is none.
        _revokePay(job, live, round);
        live.progress.settledRounds -= 1;
        job.modelHash = previousModelHash;

        // Effect: half of the bond is the caller's, the rest is burned.
        uint256 bond = job.ledger.bond;
        uint256 rewardDown = bond / 2;
        job.ledger.bond = 0;
        job.ledger.burned += uint128(bond - rewardDown);
        job.credits[msg.sender] += rewardDown;
        emit GramRefuted(jobId, round, msg.sender, rewardDown);

        // Effect: end the job.
        _endChallenged(jobId, job, live, VoidCause.Refuted);
        _save(job, live);
    }

    /* PRIVATE */

    /// @dev Reverts unless the round is the last settled one of a running job, and its challenge window is open.
    function _requireChallengeable(uint256 jobId, Live memory live, uint256 round) private view {
        uint256 settled = live.progress.lastSettledRound;
        _requireState(jobId, live, JobState.Running);
        require(round != 0 && round == settled, Errors.Market_WrongRound(jobId, round, settled));
        _requireNotAfter(live.progress.challengeEnd);
    }

    /// @dev Takes back what the round paid, and gives back the stakes that it burned. In the challenge window the round's
    /// submitters still hold their seats, none has drawn this pay, and the slashed money is still here. Only being struck
    /// out by it makes a trainer's record both Out and released by this round: other stakes of the round are locked.
    function _revokePay(Job storage job, Live memory live, uint256 round) private {
        uint128 seats = live.seats.settledSubmitters;
        uint256 revoked = 0;
        for (uint256 seat = 0; seats != 0; ++seat) {
            if (!seats.has(seat)) continue;
            seats &= ~SeatSet.only(seat);
            address account = job.holders[seat];
            Trainer memory trainer = _loadTrainer(job, account);
            if (trainer.pendingRound == round) {
                revoked += trainer.pending;
                trainer.pending = 0;
            }
            if (trainer.status == TrainerStatus.Out && trainer.releaseRound == round) {
                trainer.status = TrainerStatus.Staked;
                job.ledger.burned -= live.terms.stake;
            }
            _saveTrainer(job, account, trainer);
        }
        // Safe narrowing: it was part of the escrow.
        job.ledger.escrow += uint128(revoked);
    }

    /// @dev Ends a job whose last settled round was flagged: burns the penalty and the round's fee.
    function _endFlagged(uint256 jobId, Job storage job, Live memory live) private {
        uint256 fee = live.terms.aggregatorFeePerRound;
        job.ledger.escrow -= uint128(fee);
        job.ledger.burned += uint128(_takePenalty(job, live) + fee);
        live.progress.settledRounds -= 1;
        _endChallenged(jobId, job, live, VoidCause.Flagged);
    }

    /// @dev Ends a job in the middle of its round, if one is open.
    function _endChallenged(uint256 jobId, Job storage job, Live memory live, VoidCause cause) private {
        if (live.progress.roundOpen) emit RoundVoided(jobId, live.progress.round, cause);
        _endJob(jobId, job, live, JobState.Aborted);
    }
}
