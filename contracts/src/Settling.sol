// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Case, RoundJudge, Verdict} from "./RoundJudge.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Rounds} from "./Rounds.sol";
import {Exclusion, Reason, Removal, Settlement, Terms, Trainer, TrainerStatus, VoidCause} from "./Types.sol";
import {IRoundVerifier} from "./interfaces/IRoundVerifier.sol";
import {IRule} from "./interfaces/IRule.sol";
import {ITrainingMarket} from "./interfaces/ITrainingMarket.sol";
import {Cids} from "./libraries/Cids.sol";
import {Errors} from "./libraries/Errors.sol";
import {SeatSet} from "./libraries/SeatSet.sol";

/// @title Settling
/// @notice The settlement of a round: who is in, what was proved, what the rule decides, who is paid.
abstract contract Settling is Rounds {
    using SeatSet for uint128;

    /// @dev Who takes part in a settlement. `exclusionsHash` chains the exclusions in their order.
    struct Roll {
        uint128 accepted;
        uint128 excluded;
        uint256 faulty;
        bool unavailable;
        bool referenceExcluded;
        uint256 references;
        bytes32 exclusionsHash;
    }

    /* STORAGE */

    /// @inheritdoc ITrainingMarket
    IRoundVerifier public immutable verifier;

    /// @inheritdoc ITrainingMarket
    RoundJudge public immutable judge;

    IRule[] private _rules;
    mapping(IRule rule => bool) internal _isRule;

    /* CONSTRUCTOR */

    constructor(IRoundVerifier roundVerifier, IRule[] memory marketRules) {
        require(address(roundVerifier).code.length != 0, Errors.Market_NoCode(address(roundVerifier)));
        require(marketRules.length != 0, Errors.Market_NoRules());
        for (uint256 i = 0; i < marketRules.length; ++i) {
            require(address(marketRules[i]).code.length != 0, Errors.Market_NoCode(address(marketRules[i])));
            _isRule[marketRules[i]] = true;
        }
        verifier = roundVerifier;
        judge = new RoundJudge(roundVerifier);
        _rules = marketRules;
    }

    /* SETTLEMENT */

    /// @inheritdoc ITrainingMarket
    function settle(Settlement calldata settlement) external nonReentrant {
        uint256 jobId = settlement.jobId;
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: the aggregator settles the current round, everyone who submitted is accounted for, in time.
        _requireOpenRound(jobId, live, settlement.round);
        _requireCaller(live.terms.aggregator);
        Roll memory roll = _callRoll(job, live, settlement);
        _requireSettleable(live, roll);

        // Effect: a round with too little to settle is void.
        if (roll.faulty > live.terms.tolerated) {
            _voidRound(jobId, job, live, VoidCause.TooManyFaulty, roll.excluded);
        } else if (settlement.trainers.length < _quorum(live)) {
            _voidRound(jobId, job, live, VoidCause.TooFewAccepted, roll.excluded);
        } else {
            _settle(job, live, settlement, roll);
        }
        _save(job, live);
    }

    /* VIEWS */

    /// @inheritdoc ITrainingMarket
    function rules() external view returns (IRule[] memory) {
        return _rules;
    }

    /* WHO IS IN */

    /// @dev The seat of an account as a set; empty if it holds none.
    function _seatOf(Job storage job, address account) internal view returns (uint128) {
        uint8 seat = job.trainers[account].seat;
        return job.holders[seat] == account ? SeatSet.only(seat) : 0;
    }

    /// @dev Accounts for everyone who submitted.
    function _callRoll(Job storage job, Live memory live, Settlement calldata settlement)
        private
        returns (Roll memory roll)
    {
        _callExclusions(job, live, settlement, roll);
        bool hasReference = live.progress.referenceSubmitted && !roll.referenceExcluded;
        roll.references = hasReference ? live.terms.references : 0;
        _callAccepted(job, live, settlement, roll);
        // An account that is both accepted and excluded shows as one seat counted twice.
        uint256 entries = settlement.trainers.length + settlement.exclusions.length;
        if (roll.referenceExcluded) --entries;
        uint256 submitted = live.seats.submitted.size();
        require(
            roll.accepted | roll.excluded == live.seats.submitted && entries == submitted,
            Errors.Market_SubmittersUnaccounted(submitted, entries)
        );
    }

    /// @dev Checks and logs the exclusions.
    function _callExclusions(
        Job storage job,
        Live memory live,
        Settlement calldata settlement,
        Roll memory roll
    ) private {
        address previous = address(0);
        for (uint256 i = 0; i < settlement.exclusions.length; ++i) {
            Exclusion calldata exclusion = settlement.exclusions[i];
            _requireAscending(i, previous, exclusion.account);
            previous = exclusion.account;
            bool noticed;
            if (previous == live.terms.referee) {
                require(
                    live.progress.referenceSubmitted,
                    Errors.Market_NotSubmitted(settlement.jobId, settlement.round, previous)
                );
                roll.referenceExcluded = true;
                noticed = live.progress.referenceMissing;
            } else {
                uint128 seat = _submitterSeat(job, live, settlement, previous);
                roll.excluded |= seat;
                if (exclusion.reason != Reason.Unavailable) ++roll.faulty;
                noticed = seat & live.seats.missing != 0;
            }
            if (exclusion.reason == Reason.Unavailable) roll.unavailable = true;
            _requireReason(exclusion, noticed);
            roll.exclusionsHash = keccak256(
                abi.encode(roll.exclusionsHash, previous, exclusion.reason, keccak256(exclusion.evidence))
            );
            emit Excluded(settlement.jobId, settlement.round, previous, exclusion.reason, exclusion.evidence);
        }
    }

    /// @dev Reverts unless an exclusion carries what its reason needs.
    function _requireReason(Exclusion calldata exclusion, bool noticed) private pure {
        require(exclusion.reason != Reason.None, Errors.Market_NoReason(exclusion.account));
        if (exclusion.reason != Reason.Unavailable) return Cids.check(exclusion.evidence);
        require(noticed, Errors.Market_NoMissingNotice(exclusion.account));
        require(exclusion.evidence.length == 0, Errors.Market_UnexpectedEvidence(exclusion.account));
    }

    /// @dev Checks that the accepted trainers' commitments, and the referee's, are the ones submitted.
    function _callAccepted(
        Job storage job,
        Live memory live,
        Settlement calldata settlement,
        Roll memory roll
    ) private view {
        uint256 count = settlement.trainers.length;
        uint256 total = settlement.commitments.length;
        // All commitments have one size, which the submitted hashes fix.
        uint256 size = total / Math.max(count + roll.references, 1);
        uint256 needed = size * (count + roll.references);
        require(total == needed, Errors.Market_WrongLength("commitments", total, needed));
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address account = settlement.trainers[i];
            _requireAscending(i, previous, account);
            previous = account;
            roll.accepted |= _submitterSeat(job, live, settlement, account);
            _requireSubmitted(job, account, settlement.commitments[i * size:(i + 1) * size]);
        }
        if (roll.references != 0) {
            _requireSubmitted(job, live.terms.referee, settlement.commitments[count * size:]);
        }
    }

    /// @dev Reverts unless accounts follow each other in strictly ascending order.
    function _requireAscending(uint256 index, address previous, address account) private pure {
        require(account > previous, Errors.Market_NotAscending(index, previous, account));
    }

    /// @dev The seat of an account that submitted in this round.
    function _submitterSeat(
        Job storage job,
        Live memory live,
        Settlement calldata settlement,
        address account
    ) private view returns (uint128 seat) {
        seat = _seatOf(job, account);
        require(
            seat & live.seats.submitted != 0,
            Errors.Market_NotSubmitted(settlement.jobId, settlement.round, account)
        );
    }

    /// @dev Reverts unless the commitment is the one that the account submitted.
    function _requireSubmitted(Job storage job, address account, bytes calldata commitment) private view {
        bytes32 given = keccak256(commitment);
        bytes32 submitted = job.submissions[account];
        require(given == submitted, Errors.Market_CommitmentMismatch(account, given, submitted));
    }

    /// @dev Reverts unless the round can be settled now.
    function _requireSettleable(Live memory live, Roll memory roll) private view {
        Windows memory windows = _requireSubmissionsOver(live);
        _requireNotAfter(windows.settleEnd);
        _requireAfter(live.progress.challengeEnd);
        if (roll.unavailable) _requireAfter(windows.deliverEnd);
    }

    /* WHAT WAS PROVED, WHAT THE RULE DECIDES */

    /// @dev Settles a round that has enough accepted updates.
    function _settle(Job storage job, Live memory live, Settlement calldata settlement, Roll memory roll)
        private
    {
        // Check: the settlement builds on the job's model.
        bytes32 modelHash = keccak256(settlement.modelCommitment);
        require(modelHash == job.modelHash, Errors.Market_ModelMismatch(modelHash, job.modelHash));
        Cids.check(settlement.aggregateCid);

        // Check: the matrix and the new model are proven. What follows is a function of the matrix.
        Verdict memory verdict = _judge(job, live.terms, settlement, roll);

        // Effect: do what the rule decides.
        if (!verdict.settled) {
            _voidRound(settlement.jobId, job, live, VoidCause.TooFewKept, roll.excluded);
            return;
        }
        uint128 struckOut = _pay(job, live, settlement, verdict);
        _advance(job, live, settlement, roll, verdict);
        _endRound(settlement.jobId, job, live, roll.excluded, struckOut);
    }

    /// @dev What the round decides.
    function _judge(Job storage job, Terms memory terms, Settlement calldata settlement, Roll memory roll)
        private
        view
        returns (Verdict memory)
    {
        return judge.judge(
            Case({
                rule: terms.rule,
                trainers: settlement.trainers.length,
                references: roll.references,
                tolerated: terms.tolerated,
                maximumNorm: uint256(terms.dimension) << (2 * terms.coordinateBits - 2),
                reward: terms.rewardPerRound,
                strikeToleranceBps: terms.strikeToleranceBps,
                context: _context(job, settlement, roll),
                commitments: settlement.commitments,
                gram: settlement.gram,
                modelCommitment: settlement.modelCommitment,
                newModelCommitment: settlement.newModelCommitment,
                proof: settlement.proof
            })
        );
    }

    /// @dev Everything a proof is bound to. The job's identity carries chain, market, number, owner and terms.
    function _context(Job storage job, Settlement calldata settlement, Roll memory roll)
        private
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                job.identity,
                settlement.round,
                msg.sender,
                settlement.trainers,
                roll.exclusionsHash,
                roll.references,
                job.modelHash,
                settlement.aggregateCid
            )
        );
    }

    /// @dev Credits pay and counts strikes, with one storage write per trainer.
    /// @return struckOut Those who reached the strike limit.
    function _pay(Job storage job, Live memory live, Settlement calldata settlement, Verdict memory verdict)
        private
        returns (uint128 struckOut)
    {
        uint256 strikeLimit = live.terms.strikeLimit;
        for (uint256 i = 0; i < settlement.trainers.length; ++i) {
            bool strike = strikeLimit != 0 && (verdict.harmful >> i) & 1 != 0;
            if (verdict.payouts[i] == 0 && !strike) continue;
            address account = settlement.trainers[i];
            Trainer memory trainer = _loadTrainer(job, account);
            // Safe narrowing: a round's number has 16 bits.
            if (!strike) _creditPay(trainer, uint16(settlement.round), verdict.payouts[i]);
            else if (_strike(job, live, settlement, account, trainer)) struckOut |= SeatSet.only(trainer.seat);
            _saveTrainer(job, account, trainer);
        }
        // Safe narrowing: the sum of the payouts is at most the reward.
        job.ledger.escrow -= uint128(verdict.paid);
    }

    /// @dev Counts a strike in the trainer's record; at the limit the stake is burned.
    function _strike(
        Job storage job,
        Live memory live,
        Settlement calldata settlement,
        address account,
        Trainer memory trainer
    ) private returns (bool struckOut) {
        trainer.strikes += 1;
        emit Strike(settlement.jobId, account, settlement.round, trainer.strikes);
        if (trainer.strikes < live.terms.strikeLimit) return false;
        trainer.status = TrainerStatus.Out;
        // Safe narrowing: a round's number has 16 bits.
        trainer.releaseRound = uint16(settlement.round);
        job.ledger.burned += live.terms.stake;
        emit TrainerRemoved(settlement.jobId, account, settlement.round, Removal.StruckOut, live.terms.stake);
        return true;
    }

    /// @dev What a settlement says that can be refuted: a matrix and the model that the round began with.
    function _matrixHash(bytes32 previousModelHash, bytes calldata gram) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(previousModelHash, gram));
    }

    /// @dev Advances the model's commitment and opens the challenge window.
    function _advance(
        Job storage job,
        Live memory live,
        Settlement calldata settlement,
        Roll memory roll,
        Verdict memory verdict
    ) private {
        job.matrixHash = _matrixHash(job.modelHash, settlement.gram);
        job.modelHash = keccak256(settlement.newModelCommitment);
        live.progress.lastSettledRound = live.progress.round;
        live.progress.settledRounds += 1;
        if (roll.references != 0) live.progress.referenceRounds += 1;
        live.progress.failuresInARow = 0;
        // Safe narrowing: the time plus 30 days fits 40 bits for the next 34,000 years.
        live.progress.challengeEnd = uint40(block.timestamp + live.terms.challengeWindow);
        live.seats.settledSubmitters = live.seats.submitted;
        live.seats.flags = 0;
        emit RoundScored(
            settlement.jobId,
            settlement.round,
            settlement.trainers,
            verdict.weights,
            verdict.contributions,
            verdict.payouts
        );
        _logSettled(settlement);
    }

    function _logSettled(Settlement calldata settlement) private {
        emit RoundSettled(
            settlement.jobId,
            settlement.round,
            settlement.gram,
            settlement.commitments,
            settlement.newModelCommitment,
            settlement.aggregateCid,
            settlement.proof
        );
    }
}
