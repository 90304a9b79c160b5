// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {
    JobState,
    Ledger,
    Phase,
    Progress,
    Reason,
    Removal,
    Seats,
    Settlement,
    Terms,
    Trainer,
    VoidCause
} from "../Types.sol";
import {Refutations} from "../Refutations.sol";
import {RoundJudge} from "../RoundJudge.sol";
import {TermsCheck} from "../TermsCheck.sol";
import {IRoundVerifier} from "./IRoundVerifier.sol";
import {IRule} from "./IRule.sol";

/// @title ITrainingMarket
/// @notice A market in which an owner pays trainers for training a model together, each for what it contributed.
///
/// @dev Assumptions, without which the market does not behave as described:
/// - The token of a job is a plain ERC-20: no rebasing, no fee on transfer (refused at the deposit), no seizure, no pause.
/// - Block timestamps lie within the few seconds that consensus allows.
/// - The verifier and the rules, fixed at construction, are what they claim to be. Their code cannot change.
///
/// Every window is `(start, end]` in block time: an action is legal up to and including `end`, its successor's after it.
/// Nobody owns the market; it has no pause and no upgrade.
interface ITrainingMarket {
    /* EVENTS */

    /// @notice A job was created and funded.
    event JobCreated(
        uint256 indexed jobId,
        address indexed owner,
        address indexed aggregator,
        Terms terms,
        bytes specificationCid
    );
    /// @notice The aggregator accepted with its bond.
    event JobAccepted(uint256 indexed jobId, bytes32 encryptionKey);
    /// @notice The aggregator rotates its encryption key from the next round on.
    event KeyRotated(uint256 indexed jobId, bytes32 encryptionKey);
    /// @notice A trainer joined with its stake, taking part from round `fromRound` on.
    event TrainerJoined(uint256 indexed jobId, address indexed trainer, uint256 seat, uint256 fromRound);
    /// @notice A trainer leaves; it takes part until the end of round `lastRound`, 0 if it never took part.
    event TrainerLeft(uint256 indexed jobId, address indexed trainer, uint256 lastRound);
    /// @notice A trainer was removed when a round ended; `burned` of its stake is lost.
    event TrainerRemoved(
        uint256 indexed jobId, address indexed trainer, uint256 round, Removal removal, uint256 burned
    );
    /// @notice A trainer's contribution was harmful beyond the tolerance.
    event Strike(uint256 indexed jobId, address indexed trainer, uint256 round, uint256 strikes);
    /// @notice The owner asked to abort after the current round.
    event AbortRequested(uint256 indexed jobId, uint256 round);

    /// @notice A round opened.
    event RoundOpened(
        uint256 indexed jobId,
        uint256 indexed round,
        uint256 submitEnd,
        bytes32 encryptionKey,
        bytes32 modelHash
    );
    /// @notice A trainer committed to an update.
    event Submitted(
        uint256 indexed jobId,
        uint256 indexed round,
        address indexed trainer,
        bytes32 commitmentHash,
        bytes cid
    );
    /// @notice The referee committed to the round's reference vectors.
    event ReferenceSubmitted(
        uint256 indexed jobId,
        uint256 indexed round,
        address indexed referee,
        bytes32 commitmentHash,
        bytes cid
    );
    /// @notice Submissions were closed before their deadline.
    event SubmissionsClosed(uint256 indexed jobId, uint256 indexed round, uint256 deliverEnd);
    /// @notice The aggregator can't fetch the envelope of `account`, which may publish it again.
    event Missing(uint256 indexed jobId, uint256 indexed round, address indexed account);
    /// @notice A submitted update was left out of the round.
    event Excluded(
        uint256 indexed jobId, uint256 indexed round, address indexed account, Reason reason, bytes evidence
    );
    /// @notice What the rule decided in a settlement; the arrays are parallel.
    event RoundScored(
        uint256 indexed jobId,
        uint256 indexed round,
        address[] trainers,
        uint256[] weights,
        int256[] contributions,
        uint256[] payouts
    );
    /// @notice A round was settled. All as in `Settlement`; `modelCommitment` is the new one. With the events before it,
    /// everything that was proved can be verified again.
    event RoundSettled(
        uint256 indexed jobId,
        uint256 indexed round,
        bytes gram,
        bytes commitments,
        bytes modelCommitment,
        bytes aggregateCid,
        bytes proof
    );
    /// @notice A round ended without result, pay, fee or penalty.
    event RoundVoided(uint256 indexed jobId, uint256 indexed round, VoidCause cause);
    /// @notice A round was not settled in time; `penalty` of the bond went to its submitters, `share` each.
    event RoundExpired(uint256 indexed jobId, uint256 indexed round, uint256 penalty, uint256 share);
    /// @notice A submitter of the last settled round says that its published aggregate is not the committed one.
    event Flagged(uint256 indexed jobId, uint256 indexed round, address indexed trainer, uint256 flags);
    /// @notice The matrix of the last settled round was refuted; `reward` of the bond went to the challenger and the rest of
    /// it was burned. The round's pay went back to the escrow, the stakes that it burned to their owners, and the model is
    /// again the one that the round began with.
    event GramRefuted(
        uint256 indexed jobId, uint256 indexed round, address indexed challenger, uint256 reward
    );
    /// @notice No further round will open; the job ends after the challenge window.
    event JobEnding(uint256 indexed jobId, JobState outcome, uint256 challengeEnd);
    /// @notice The job ended. What was not earned went back to the owner.
    event JobEnded(
        uint256 indexed jobId,
        JobState outcome,
        uint256 aggregatorFees,
        uint256 refereeFees,
        uint256 bond,
        uint256 refund
    );

    /// @notice Money left the market.
    event Withdrawn(uint256 indexed jobId, address indexed account, address to, uint256 amount);
    /// @notice Slashed money was sent to the burn address.
    event Burned(uint256 indexed jobId, uint256 amount);

    /* OWNER */

    /// @notice Creates a job and escrows `rounds * (rewardPerRound + aggregatorFeePerRound + refereeFeePerRound)`.
    ///
    /// @dev Emits a {JobCreated} event.
    ///
    /// Requirements:
    /// - Every term must lie in its range, see `TermsCheck`; the rule must be one of the market's.
    /// - `msg.value` must be the deposit for the native coin and zero for an ERC-20, whose transfer must raise the
    ///   market's balance by exactly the deposit.
    ///
    /// @param terms What is fixed for the whole job.
    /// @param specificationCid CID of the specification: model, training configuration, licence, data requirements.
    /// @return jobId The job's number; numbers increase by one from 1.
    function create(Terms calldata terms, bytes calldata specificationCid)
        external
        payable
        returns (uint256 jobId);

    /// @notice Aborts a job: at once while it is Open, after the current round while it is Running.
    ///
    /// @dev Emits a {JobEnded} or an {AbortRequested} event.
    ///
    /// Requirements:
    /// - The caller must be the owner, or anyone once an Open job has passed its start deadline.
    function abort(uint256 jobId) external;

    /* AGGREGATOR */

    /// @notice Accepts a job with the bond and publishes the key to which updates are encrypted.
    ///
    /// @dev Emits a {JobAccepted} event.
    ///
    /// Requirements:
    /// - The caller must be the aggregator that the terms name, the job Open and not past its start deadline.
    /// - The deposit must be the bond, as in {create}.
    ///
    /// @param encryptionKey x coordinate of a secp256k1 public key with even y.
    function accept(uint256 jobId, bytes32 encryptionKey) external payable;

    /// @notice Replaces the encryption key from the next round on. Those who join must agree to the new key.
    /// @dev Emits a {KeyRotated} event.
    function rotateKey(uint256 jobId, bytes32 encryptionKey) external;

    /// @notice Gives notice that the envelopes of some submitters can't be fetched.
    ///
    /// @dev Emits a {Missing} event for each.
    ///
    /// Requirements:
    /// - The round must be in the first half of its delivery window, the caller the aggregator.
    ///
    /// @param accounts Trainers who submitted, or the referee.
    function missing(uint256 jobId, uint256 round, address[] calldata accounts) external;

    /// @notice Settles the current round: verifies the proof, runs the rule, credits pay, advances the model's commitment
    /// and opens the next round; all or nothing.
    ///
    /// @dev Emits a {RoundSettled} or a {RoundVoided} event, an {Excluded} event for each exclusion, and what the end of
    /// a round brings.
    ///
    /// Notes:
    /// - The round is void if fewer than `2f + 3` are accepted, if more than `f` are excluded for another reason than
    ///   Unavailable, or if the rule keeps fewer than three.
    /// - Legal during delivery too, since nobody's envelope is awaited any more, unless somebody is excluded as
    ///   Unavailable: those named in a notice may publish until the delivery window ends.
    ///
    /// Requirements:
    /// - The caller must be the aggregator; the previous round's challenge window must have ended.
    /// - Accepted and excluded accounts together must be exactly those who submitted, the referee included.
    function settle(Settlement calldata settlement) external;

    /* TRAINERS AND REFEREE */

    /// @notice Joins a job with the stake: at once while it is Open, from the next round on while it is Running.
    ///
    /// @dev Emits a {TrainerJoined} event.
    ///
    /// Requirements:
    /// - `digest` must be {joinDigest}, so that nobody joins under other terms or another key than those looked at.
    /// - The caller must be on the allowlist, if there is one, must not be another party of the job and not have joined
    ///   before; a seat must be free.
    ///
    /// @param proof Merkle proof for the leaf `keccak256(keccak256(abi.encode(caller)))`; empty for an open job.
    function join(uint256 jobId, bytes32 digest, bytes32[] calldata proof) external payable;

    /// @notice Leaves a job: at once with the stake while it is Open or before having taken part, else after the current
    /// round, the stake being withdrawable after that round's challenge window.
    /// @dev Emits a {TrainerLeft} event.
    function leaveJob(uint256 jobId) external;

    /// @notice Commits to an update. Once per round; it can't be replaced.
    ///
    /// @dev Emits a {Submitted} event.
    ///
    /// Requirements:
    /// - The round must be the current one, in its submission phase, and the caller active in it.
    ///
    /// @param commitmentHash keccak256 of the commitment.
    /// @param cid CID of the envelope, which is published after submissions have ended.
    function submit(uint256 jobId, uint256 round, bytes32 commitmentHash, bytes calldata cid) external;

    /// @notice Commits to the round's reference vectors; otherwise as {submit}.
    /// @dev Emits a {ReferenceSubmitted} event.
    /// @param commitmentHash keccak256 of the concatenated commitments.
    function submitReference(uint256 jobId, uint256 round, bytes32 commitmentHash, bytes calldata cid)
        external;

    /// @notice Says that the aggregate published for the last settled round does not open the model's commitment. When
    /// more than half of the round's submitters, and at least three, say so, the penalty and the round's fee are burned
    /// and the job is aborted; credits stay.
    ///
    /// @dev Emits a {Flagged} event.
    ///
    /// Warning: a majority of Sybils can abort a job and burn the penalty, with no gain; an allowlist prevents that.
    ///
    /// Requirements:
    /// - The caller must have submitted in the round, whose challenge window must be open.
    function flag(uint256 jobId, uint256 round) external;

    /* ANYONE */

    /// @notice Shows that the matrix of the last settled round is no Gram matrix of real vectors, so that the aggregator
    /// colluded with trainers: the proof holds modulo r only, see docs/gram-proof.md. Half of the bond goes to the caller
    /// and the rest is burned; the round's pay and aggregator's fee are void, its model step too, and the job is aborted.
    ///
    /// @dev Emits a {GramRefuted} event, {RoundVoided} for the open round, and {JobEnded}.
    ///
    /// Notes:
    /// - What the round burned of stakes goes back to those it struck out. Who was removed in it for absence or exclusion
    ///   stays removed, less the absence penalty: neither followed from the matrix.
    /// - The referee keeps its fee of the round: it did its part.
    /// - An aggregator that refutes itself loses more than a round is worth to anybody: of the bond it accepted with, at
    ///   least half is burned, shared among submitters or both by then, and half is at least the penalty, which exceeds
    ///   any round's reward by a tenth.
    /// - A false refutation reverts: it costs its sender gas, and nobody anything else. No deadline moves.
    ///
    /// Requirements:
    /// - The job must be Running and the round's challenge window open.
    /// - The caller must have announced the refutation in an earlier block, see {Refutations}.
    /// - `x' G x` must be negative.
    ///
    /// @param previousModelHash Hash of the model commitment that the round began with.
    /// @param gram The settled matrix.
    /// @param x An int64 for each row of the matrix, in big-endian byte order.
    function refuteGram(
        uint256 jobId,
        uint256 round,
        bytes32 previousModelHash,
        bytes calldata gram,
        bytes calldata x
    ) external;

    /// @notice Starts a job once enough trainers have joined.
    /// @dev Emits a {RoundOpened} event.
    function start(uint256 jobId) external;

    /// @notice Ends the submission phase early once nobody's submission is awaited any more.
    /// @dev Emits a {SubmissionsClosed} event.
    function closeSubmissions(uint256 jobId, uint256 round) external;

    /// @notice Voids a round in which too few submitted.
    /// @dev Emits a {RoundVoided} event and what the end of a round brings.
    function voidRound(uint256 jobId, uint256 round) external;

    /// @notice Ends a round that was not settled in time and pays the penalty from the bond to its submitters.
    /// @dev Emits a {RoundExpired} event and what the end of a round brings.
    function expire(uint256 jobId, uint256 round) external;

    /// @notice Ends a job for which no further round will open, once the last challenge window is over.
    /// @dev Emits a {JobEnded} event.
    function complete(uint256 jobId) external;

    /// @notice Sends everything that the caller can withdraw from a job to an account of its choice.
    /// @dev Emits a {Withdrawn} event.
    /// @return amount What was sent.
    function withdraw(uint256 jobId, address to) external returns (uint256 amount);

    /// @notice Sends the slashed money of a job that has ended to the burn address.
    /// @dev Emits a {Burned} event.
    /// @return amount What was sent.
    function burn(uint256 jobId) external returns (uint256 amount);

    /* VIEWS */

    /// @notice The verifier that every settlement asks.
    function verifier() external view returns (IRoundVerifier);

    /// @notice The contract that derives a round's decisions from its proven matrix.
    function judge() external view returns (RoundJudge);

    /// @notice The contract that takes announcements of refutations.
    function refutations() external view returns (Refutations);

    /// @notice The contract that knows the ranges of the terms.
    function termsCheck() external view returns (TermsCheck);

    /// @notice The rules that a job can choose from.
    function rules() external view returns (IRule[] memory);

    /// @notice Number of jobs so far, which is the last job's number.
    function jobCount() external view returns (uint256);

    /// @notice A job's terms.
    function termsOf(uint256 jobId) external view returns (Terms memory);

    /// @notice A job's owner, the hash of its binary specification CID, the key of the current round, the key of the next
    /// round, and the hash of the model commitment.
    function identityOf(uint256 jobId)
        external
        view
        returns (
            address owner,
            bytes32 specificationHash,
            bytes32 encryptionKey,
            bytes32 nextEncryptionKey,
            bytes32 modelHash
        );

    /// @notice How far a job has come.
    function progressOf(uint256 jobId) external view returns (Progress memory);

    /// @notice A job's sets of seats.
    function seatsOf(uint256 jobId) external view returns (Seats memory);

    /// @notice The account that last took a seat.
    function seatHolder(uint256 jobId, uint256 seat) external view returns (address);

    /// @notice The money of a job that belongs to nobody yet.
    function ledgerOf(uint256 jobId) external view returns (Ledger memory);

    /// @notice A trainer's record in a job.
    function trainerOf(uint256 jobId, address account) external view returns (Trainer memory);

    /// @notice The hash that an account submitted last in a job.
    function submissionOf(uint256 jobId, address account) external view returns (bytes32);

    /// @notice The phase of the current round and the times at which its windows end.
    function phaseOf(uint256 jobId)
        external
        view
        returns (Phase phase, uint256 submitEnd, uint256 deliverEnd, uint256 settleEnd);

    /// @notice What a trainer agrees to by joining: keccak256 of chain, market, job, owner, terms, specification CID and
    /// the encryption key of the next round.
    function joinDigest(uint256 jobId) external view returns (bytes32);

    /// @notice What an account could withdraw from a job now.
    function withdrawable(uint256 jobId, address account) external view returns (uint256);
}
