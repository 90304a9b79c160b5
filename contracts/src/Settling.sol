// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Case, RoundJudge, Verdict} from "./RoundJudge.sol";
import {Rounds} from "./Rounds.sol";
import {Exclusion, Reason, Removal, Settlement, Terms, Trainer, TrainerStatus, VoidCause} from "./Types.sol";
import {IRoundVerifier} from "./interfaces/IRoundVerifier.sol";
import {IRule} from "./interfaces/IRule.sol";
import {ITrainingMarket} from "./interfaces/ITrainingMarket.sol";
import {Cids} from "./libraries/Cids.sol";
import {Errors} from "./libraries/Errors.sol";
import {RewardSchedule} from "./libraries/RewardSchedule.sol";
import {SeatSet} from "./libraries/SeatSet.sol";
import {TrainerRecord} from "./libraries/TrainerRecord.sol";

/// @title Settling
/// @notice The settlement of a round: who is in, what was proved, what the rule decides, who is paid.
abstract contract Settling is Rounds {
    using SeatSet for uint128;
    using TrainerRecord for uint256;
    using TrainerRecord for Trainer;

    /// @dev Who takes part in a settlement. `records` are the accepted trainers', as they are stored; `exclusionsHash`
    /// chains the exclusions in their order.
    struct Roll {
        uint256[] records;
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
        VoidCause cause = VoidCause.TooFewKept;
        bool settled = false;
        if (roll.faulty > live.terms.tolerated) cause = VoidCause.TooManyFaulty;
        else if (settlement.trainers.length < _quorum(live)) cause = VoidCause.TooFewAccepted;
        else settled = _settle(job, live, settlement, roll);
        if (!settled) _voidRound(jobId, job, live, cause, roll.excluded);
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
                uint128 seat = _submitterSeat(live, settlement, previous, job.trainers[previous].load());
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
        address[] calldata trainers = settlement.trainers;
        bytes calldata rest = settlement.commitments;
        uint256 size = _sizeOfCommitment(rest.length, trainers.length + roll.references);
        roll.records = new uint256[](trainers.length);
        address previous = address(0);
        for (uint256 i = 0; i < trainers.length; ++i) {
            address account = trainers[i];
            _requireAscending(i, previous, account);
            previous = account;
            uint256 record = job.trainers[account].load();
            roll.records[i] = record;
            roll.accepted |= _submitterSeat(live, settlement, account, record);
            _requireSubmitted(job, account, rest[:size]);
            rest = rest[size:];
        }
        if (roll.references != 0) _requireSubmitted(job, live.terms.referee, rest);
    }

    /// @dev The size of each of so many commitments. It is one for all, and the submitted hashes fix it.
    function _sizeOfCommitment(uint256 length, uint256 number) private pure returns (uint256 size) {
        size = number == 0 ? 0 : length / number;
        require(length == size * number, Errors.Market_WrongLength("commitments", length, size * number));
    }

    /// @dev Reverts unless accounts follow each other in strictly ascending order.
    function _requireAscending(uint256 index, address previous, address account) private pure {
        require(account > previous, Errors.Market_NotAscending(index, previous, account));
    }

    /// @dev The seat of an account that submitted in this round.
    /// @param record The account's, as it is stored.
    function _submitterSeat(Live memory live, Settlement calldata settlement, address account, uint256 record)
        private
        pure
        returns (uint128 seat)
    {
        seat = record.seatIn(live.progress.round);
        if (seat & live.seats.submitted == 0) {
            revert Errors.Market_NotSubmitted(settlement.jobId, settlement.round, account);
        }
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

    /// @dev Settles a round that has enough accepted updates, unless too few are kept.
    function _settle(Job storage job, Live memory live, Settlement calldata settlement, Roll memory roll)
        private
        returns (bool)
    {
        // Check: the settlement builds on the job's model.
        bytes32 modelHash = keccak256(settlement.modelCommitment);
        require(modelHash == job.modelHash, Errors.Market_ModelMismatch(modelHash, job.modelHash));
        Cids.check(settlement.aggregateCid);

        // Check: the matrix and the new model are proven. What follows is a function of the matrix.
        Verdict memory verdict = _judge(job, live, settlement, roll);

        // Effect: do what the rule decides.
        if (!verdict.settled) return false;
        uint128 struckOut = _pay(job, live, settlement, roll, verdict);
        _advance(job, live, settlement, roll, verdict);
        _endRound(settlement.jobId, job, live, roll.excluded, struckOut);
        return true;
    }

    /// @dev What the round decides.
    function _judge(Job storage job, Live memory live, Settlement calldata settlement, Roll memory roll)
        private
        view
        returns (Verdict memory)
    {
        Terms memory terms = live.terms;
        return judge.judge(
            Case({
                rule: terms.rule,
                trainers: settlement.trainers.length,
                references: roll.references,
                tolerated: terms.tolerated,
                maximumNorm: uint256(terms.dimension) << (2 * terms.coordinateBits - 2),
                reward: RewardSchedule.rewardDown(
                    terms.rewardPerRound, terms.rewardDecay, terms.rounds, live.progress.settledRounds
                ),
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
    function _pay(
        Job storage job,
        Live memory live,
        Settlement calldata settlement,
        Roll memory roll,
        Verdict memory verdict
    ) private returns (uint128 struckOut) {
        uint256 harmful = live.terms.strikeLimit == 0 ? 0 : verdict.harmful;
        address[] calldata trainers = settlement.trainers;
        for (uint256 i = 0; i < trainers.length; ++i) {
            uint256 pay = verdict.payouts[i];
            bool strike = (harmful >> i) & 1 != 0;
            if (strike) {
                struckOut |= _strike(job, live, settlement, trainers[i]);
            } else if (pay != 0) {
                job.trainers[trainers[i]].store(roll.records[i].withPay(live.progress.round, pay));
            }
        }
        // Safe narrowing: the sum of the payouts is at most the reward.
        job.ledger.escrow -= uint128(verdict.paid);
    }

    /// @dev Counts a strike in the trainer's record; at the limit the stake is burned.
    /// @return seat The trainer's if it was struck out.
    function _strike(Job storage job, Live memory live, Settlement calldata settlement, address account)
        private
        returns (uint128 seat)
    {
        Trainer memory trainer = _loadTrainer(job, account);
        trainer.strikes += 1;
        emit Strike(settlement.jobId, account, settlement.round, trainer.strikes);
        if (trainer.strikes >= live.terms.strikeLimit) {
            trainer.status = TrainerStatus.Out;
            trainer.releaseRound = live.progress.round;
            seat = SeatSet.only(trainer.seat);
            job.ledger.burned += live.terms.stake;
            emit TrainerRemoved(
                settlement.jobId, account, settlement.round, Removal.StruckOut, live.terms.stake
            );
        }
        _saveTrainer(job, account, trainer);
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
