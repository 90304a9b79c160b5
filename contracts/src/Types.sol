// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRule} from "./interfaces/IRule.sol";

/// @notice What the owner fixes when a job is created; nothing in it ever changes.
/// @dev Ordered for packing: a settlement reads the first four slots. Amounts are in the token's smallest unit,
/// windows in seconds, times in seconds since the Unix epoch.
/// @param aggregator Who opens the updates and settles the rounds.
/// @param rewardPerRound What the trainers of one settled round share, on average over the job's rounds.
/// @param rule The rule that decides every round, one of the market's.
/// @param dimension Coordinates of an update, d.
/// @param coordinateBits Bits of a signed coordinate, b.
/// @param scaleExponent A coordinate q stands for q / 2^scaleExponent.
/// @param tolerated Faulty trainers that a round tolerates, f.
/// @param references Vectors the referee posts each round; 0 exactly if there is no referee.
/// @param minTrainers Active trainers below which no round opens.
/// @param maxTrainers Active trainers at most.
/// @param rewardDecay The power of the rounds left in which a round's reward falls, see `RewardSchedule`.
/// @param submitWindow Time to submit commitments.
/// @param deliverWindow Time to publish the envelopes.
/// @param settleWindow Time to settle after delivery.
/// @param challengeWindow Time in which a settled round can be challenged.
/// @param startDeadline Last moment at which the job can start.
/// @param rounds Rounds of the job; a void or expired round counts.
/// @param strikeToleranceBps Negative contribution, in 1/10,000 of the round's positive sum, beyond which a strike falls.
/// @param strikeLimit Strikes after which a trainer is removed and its stake burned; 0 for never.
/// @param stake What a trainer deposits to join.
/// @param absencePenalty Part of the stake that is burned when a trainer misses two rounds running.
/// @param penalty Part of the bond that is lost when a round expires or is flagged.
/// @param bond What the aggregator deposits.
/// @param token ERC-20 in which the job is paid; the zero address for the native coin.
/// @param aggregatorFeePerRound The aggregator's fee for a settled round.
/// @param referee Who posts the reference vectors; the zero address for nobody.
/// @param refereeFeePerRound The referee's fee for a settled round that used its reference.
/// @param allowlistRoot Merkle root of the accounts that may join; zero for everyone.
struct Terms {
    address aggregator;
    uint96 rewardPerRound;
    IRule rule;
    uint40 dimension;
    uint8 coordinateBits;
    uint8 scaleExponent;
    uint8 tolerated;
    uint8 references;
    uint8 minTrainers;
    uint8 maxTrainers;
    uint8 rewardDecay;
    uint32 submitWindow;
    uint32 deliverWindow;
    uint32 settleWindow;
    uint32 challengeWindow;
    uint40 startDeadline;
    uint16 rounds;
    uint16 strikeToleranceBps;
    uint8 strikeLimit;
    uint96 stake;
    uint96 absencePenalty;
    uint96 penalty;
    uint96 bond;
    address token;
    uint96 aggregatorFeePerRound;
    address referee;
    uint96 refereeFeePerRound;
    bytes32 allowlistRoot;
}

/// @notice The life of a job.
/// @custom:value0 None No such job.
/// @custom:value1 Open Funded; the aggregator accepts, trainers join and leave freely.
/// @custom:value2 Running Rounds are under way, or the last one waits for its challenge window.
/// @custom:value3 Completed Ended after its last round.
/// @custom:value4 Aborted Ended early; what was not earned went back to the owner.
enum JobState {
    None,
    Open,
    Running,
    Completed,
    Aborted
}

/// @notice Where the current round stands, by block time.
/// @custom:value0 None No round is open.
/// @custom:value1 Submitting Trainers and referee submit commitments.
/// @custom:value2 Delivering They publish their envelopes; the aggregator reports missing ones in the first half.
/// @custom:value3 Settling The aggregator settles.
/// @custom:value4 Overdue The settle deadline passed; anyone may expire the round.
enum Phase {
    None,
    Submitting,
    Delivering,
    Settling,
    Overdue
}

/// @notice Why a submitted update was left out of a round.
/// @custom:value0 None Not a reason.
/// @custom:value1 Unavailable The envelope could not be fetched, and a missing notice was given in time.
/// @custom:value2 Undecryptable The envelope does not decrypt under the trainer's context.
/// @custom:value3 Mismatch The decrypted update does not open the commitment.
/// @custom:value4 OutOfRange A coordinate or the length does not fit the job.
enum Reason {
    None,
    Unavailable,
    Undecryptable,
    Mismatch,
    OutOfRange
}

/// @notice Why a round ended without a result.
/// @custom:value0 TooFewSubmitted Fewer than 2f + 3 trainers submitted.
/// @custom:value1 TooFewAccepted Fewer than 2f + 3 updates were acceptable.
/// @custom:value2 TooManyFaulty More than f updates were undecryptable, mismatched or out of range.
/// @custom:value3 TooFewKept The rule kept fewer than three.
/// @custom:value4 Flagged The previous round was flagged by its submitters.
/// @custom:value5 Refuted The previous round's matrix was refuted.
enum VoidCause {
    TooFewSubmitted,
    TooFewAccepted,
    TooManyFaulty,
    TooFewKept,
    Flagged,
    Refuted
}

/// @notice What holds a trainer's stake.
/// @custom:value0 None Never joined, or left before the start.
/// @custom:value1 Staked The stake is held until the trainer leaves or the job ends.
/// @custom:value2 Leaving The stake is free once the round `releaseRound` can no longer be challenged.
/// @custom:value3 Absent As Leaving, less the absence penalty, which was burned.
/// @custom:value4 Out No stake is held any more; `releaseRound` is the round that struck the trainer out, if one did.
enum TrainerStatus {
    None,
    Staked,
    Leaving,
    Absent,
    Out
}

/// @notice Why a trainer was removed from a job.
/// @custom:value0 Absent It missed two rounds running; part of its stake is burned.
/// @custom:value1 Excluded Its updates were excluded from two rounds running; it keeps its stake.
/// @custom:value2 StruckOut It reached the strike limit; its stake is burned.
enum Removal {
    Absent,
    Excluded,
    StruckOut
}

/// @notice One trainer in one job; one storage slot, so that a settlement writes once per trainer.
/// @param credit Withdrawable pay.
/// @param pending Pay of the round `pendingRound`, withdrawable after its challenge window.
/// @param pendingRound See `pending`.
/// @param releaseRound See `TrainerStatus`.
/// @param seat Index of the trainer's bit in the job's sets.
/// @param strikes Strikes so far.
/// @param status What holds the stake.
struct Trainer {
    uint96 credit;
    uint96 pending;
    uint16 pendingRound;
    uint16 releaseRound;
    uint8 seat;
    uint8 strikes;
    TrainerStatus status;
}

/// @notice How far a job has come; one storage slot.
/// @param state The job's state.
/// @param outcome Completed or Aborted once no further round will open, before the job has ended; None until then.
/// @param abortRequested The owner asked to abort after the current round.
/// @param roundOpen A round is open.
/// @param submissionsClosed Submissions were closed before their deadline.
/// @param referenceSubmitted The referee submitted in the current round.
/// @param referenceMissing The aggregator gave a missing notice for the referee's envelope.
/// @param failuresInARow Void or expired rounds since the last settled one.
/// @param voids Void rounds so far.
/// @param round Number of the current round, from 1.
/// @param lastSettledRound Number of the last settled round; 0 before the first.
/// @param settledRounds Rounds for which the aggregator earned its fee.
/// @param referenceRounds Rounds for which the referee earned its fee.
/// @param submitEnd When submissions of the current round end or were closed.
/// @param challengeEnd When the challenge window of the last settled round ends.
struct Progress {
    JobState state;
    JobState outcome;
    bool abortRequested;
    bool roundOpen;
    bool submissionsClosed;
    bool referenceSubmitted;
    bool referenceMissing;
    uint8 failuresInARow;
    uint16 voids;
    uint16 round;
    uint16 lastSettledRound;
    uint16 settledRounds;
    uint16 referenceRounds;
    uint40 submitEnd;
    uint40 challengeEnd;
}

/// @notice Sets of seats, a bit each.
/// @param active Those whom the current round expects.
/// @param joining Those who take part from the next round on.
/// @param leaving Active ones who leave when the current round ends.
/// @param submitted Active ones who submitted in the current round.
/// @param missing Submitters for whom a missing notice was given.
/// @param absentLast Active ones who did not submit in the previous round.
/// @param excludedLast Active ones who were excluded from the previous round.
/// @param settledSubmitters Those who submitted in the last settled round; they can flag it.
/// @param flags Those who flagged it.
struct Seats {
    uint128 active;
    uint128 joining;
    uint128 leaving;
    uint128 submitted;
    uint128 missing;
    uint128 absentLast;
    uint128 excludedLast;
    uint128 settledSubmitters;
    uint128 flags;
}

/// @notice The money of a job that belongs to nobody yet, in the token's smallest unit.
/// @param escrow What is left of the owner's deposit.
/// @param bond What is left of the aggregator's bond.
/// @param burned Slashed money that waits to be sent to the burn address.
struct Ledger {
    uint128 escrow;
    uint96 bond;
    uint128 burned;
}

/// @notice One update that was submitted and is left out of a settlement.
/// @param account The trainer, or the referee for its reference.
/// @param reason Why.
/// @param evidence CID with which anyone can check the reason; empty for Unavailable, whose evidence is the notice.
struct Exclusion {
    address account;
    Reason reason;
    bytes evidence;
}

/// @notice A settlement as the aggregator hands it in.
/// @param jobId The job.
/// @param round The current round.
/// @param trainers Accepted trainers in strictly ascending order of address.
/// @param exclusions Everybody else who submitted, in strictly ascending order of address.
/// @param commitments Commitments of the accepted updates in the order of `trainers`, then the referee's; each of the
/// verifier's fixed size.
/// @param gram The Gram matrix in the packing of `IRule.evaluate`.
/// @param modelCommitment The model commitment before this round.
/// @param newModelCommitment The model commitment after this round: the one before plus each update's weight times its
/// commitment. Without meaning if the round comes out void.
/// @param aggregateCid CID of the cumulative aggregate after this round.
/// @param proof What the verifier asks for.
struct Settlement {
    uint256 jobId;
    uint256 round;
    address[] trainers;
    Exclusion[] exclusions;
    bytes commitments;
    bytes gram;
    bytes modelCommitment;
    bytes newModelCommitment;
    bytes aggregateCid;
    bytes proof;
}
