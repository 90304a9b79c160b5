// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Phase, Reason, TrainerStatus} from "../Types.sol";

/// @title Errors
/// @notice Every error of the contracts, each with the values that explain it.
library Errors {
    // Construction

    /// @notice Thrown when a verifier with the development set-up is deployed on a chain that is not local: everybody knows
    /// the secrets of that set-up and can prove anything.
    error GramVerifier_DevelopmentSetup(uint256 chainId);

    /// @notice Thrown when an element of a verification key is equal or opposite to another, so that its secret is none.
    error GramVerifier_WeakKey(bytes32 element, bytes32 other);

    /// @notice Thrown when an element of a verification key is not the power of tau that it should be.
    error GramVerifier_InconsistentKey(bytes32 element);

    /// @notice Thrown when a market is deployed without a rule.
    error Market_NoRules();

    /// @notice Thrown when a verifier or rule has no code.
    error Market_NoCode(address account);

    // Terms

    /// @notice Thrown when a term lies outside its range.
    error Market_TermOutOfRange(bytes32 term, uint256 value, uint256 minimum, uint256 maximum);

    /// @notice Thrown when the rule is not one of the market's.
    error Market_UnknownRule(address rule);

    /// @notice Thrown when a CID is not a canonical binary CIDv1 (raw or dag-pb, sha2-256, 36 bytes).
    error Market_MalformedCid(bytes cid);

    // States and times

    /// @notice Thrown when no job has this number.
    error Market_UnknownJob(uint256 jobId, uint256 jobCount);

    /// @notice Thrown when the job is in another state than the call needs.
    error Market_WrongState(uint256 jobId, JobState state, JobState needed);

    /// @notice Thrown when the round in the call is not the job's current round.
    error Market_WrongRound(uint256 jobId, uint256 round, uint256 current);

    /// @notice Thrown when the round is in another phase than the call needs.
    error Market_WrongPhase(uint256 jobId, uint256 round, Phase phase, Phase needed);

    /// @notice Thrown when a call comes after its deadline.
    error Market_TooLate(uint256 time, uint256 deadline);

    /// @notice Thrown when a call comes before or at the moment it has to wait for.
    error Market_TooEarly(uint256 time, uint256 legalAfter);

    /// @notice Thrown when the job is ending and no further round will open.
    error Market_Ending(uint256 jobId);

    /// @notice Thrown when further rounds are to come.
    error Market_NotEnding(uint256 jobId, uint256 round, uint256 rounds);

    /// @notice Thrown when the owner has already asked to abort.
    error Market_AbortAlreadyRequested(uint256 jobId);

    // Parties

    /// @notice Thrown when the caller is not who may make the call.
    error Market_NotAuthorised(address caller, address authorised);

    /// @notice Thrown when the aggregator has accepted already.
    error Market_AlreadyAccepted(uint256 jobId);

    /// @notice Thrown when the aggregator has not accepted yet.
    error Market_NotAccepted(uint256 jobId);

    /// @notice Thrown when an encryption key is zero.
    error Market_ZeroKey();

    /// @notice Thrown when the digest that a trainer joins under is not the job's.
    error Market_TermsChanged(bytes32 given, bytes32 current);

    /// @notice Thrown when the owner, the aggregator or the referee of a job tries to join it as a trainer.
    error Market_PartyCannotTrain(address account);

    /// @notice Thrown when an account joins a job a second time.
    error Market_AlreadyJoined(address account, TrainerStatus status);

    /// @notice Thrown when an account is not on the allowlist.
    error Market_NotAllowlisted(address account, bytes32 root);

    /// @notice Thrown when no seat is free.
    error Market_NoFreeSeat(uint256 jobId, uint256 maxTrainers);

    /// @notice Thrown when too few trainers joined to start.
    error Market_TooFewTrainers(uint256 joined, uint256 needed);

    /// @notice Thrown when an account does not take part in the current round.
    error Market_NotActive(uint256 jobId, address account);

    // Rounds

    /// @notice Thrown when an account submits twice in a round.
    error Market_AlreadySubmitted(uint256 jobId, uint256 round, address account);

    /// @notice Thrown when a commitment hash is zero.
    error Market_ZeroCommitment();

    /// @notice Thrown when submissions can't be closed yet.
    error Market_SubmissionsOutstanding(uint256 submitted, uint256 expected, bool referenceOutstanding);

    /// @notice Thrown when an account did not submit in this round.
    error Market_NotSubmitted(uint256 jobId, uint256 round, address account);

    /// @notice Thrown when enough trainers submitted, so that the round can be settled or expires.
    error Market_EnoughSubmitted(uint256 submitted, uint256 needed);

    /// @notice Thrown when too few trainers submitted, so that the round can only be void.
    error Market_TooFewSubmitted(uint256 submitted, uint256 needed);

    // Settlements

    /// @notice Thrown when accounts are not in strictly ascending order.
    error Market_NotAscending(uint256 index, address previous, address account);

    /// @notice Thrown when accepted and excluded together are not exactly those who submitted.
    error Market_SubmittersUnaccounted(uint256 submitted, uint256 accounted);

    /// @notice Thrown when an exclusion carries no reason.
    error Market_NoReason(address account);

    /// @notice Thrown when an update is excluded as unavailable without a missing notice.
    error Market_NoMissingNotice(address account);

    /// @notice Thrown when an exclusion as unavailable carries evidence, which is the notice itself.
    error Market_UnexpectedEvidence(address account);

    /// @notice Thrown when a byte string has the wrong length.
    error Market_WrongLength(bytes32 field, uint256 length, uint256 needed);

    /// @notice Thrown when a commitment is not the one that was submitted.
    error Market_CommitmentMismatch(address account, bytes32 given, bytes32 submitted);

    /// @notice Thrown when the model commitment is not the job's.
    error Market_ModelMismatch(bytes32 given, bytes32 current);

    /// @notice Thrown when a squared norm is negative or exceeds d 2^(2b - 2).
    error Market_NormOutOfRange(uint256 row, int256 squaredNorm, uint256 maximum);

    /// @notice Thrown when an inner product exceeds the product of the norms.
    error Market_InnerProductOutOfRange(uint256 row, uint256 column, int256 innerProduct);

    /// @notice Thrown when the verifier does not accept the proof.
    error Market_ProofRejected(bytes32 context);

    /// @notice Thrown when a rule returns what it must not.
    error Market_RuleMisbehaved(address rule);

    // Gram proofs, in the order of the checks

    /// @notice Thrown when a model commitment has the wrong length.
    error GramVerifier_LengthOfModel(bytes32 element, uint256 length, uint256 needed);

    /// @notice Thrown when there are more weights than commitments.
    error GramVerifier_NumberOfWeights(uint256 number, uint256 maximum);

    /// @notice Thrown when the commitments are not a whole number of points.
    error GramVerifier_LengthOfCommitments(uint256 length, uint256 unit);

    /// @notice Thrown when there are too few commitments or too many.
    error GramVerifier_NumberOfCommitments(uint256 number, uint256 minimum, uint256 maximum);

    /// @notice Thrown when the matrix has another length than that many commitments need.
    error GramVerifier_LengthOfMatrix(uint256 length, uint256 needed);

    /// @notice Thrown when the proof has the wrong length.
    error GramVerifier_LengthOfProof(uint256 length, uint256 needed);

    /// @notice Thrown when a point is the point at infinity. Commitments are numbered from 1; other elements have number 0.
    error GramVerifier_PointAtInfinity(bytes32 element, uint256 number);

    /// @notice Thrown when a coordinate of a point is not below the order of the base field.
    error GramVerifier_CoordinateOutOfRange(bytes32 element, uint256 number, uint256 x, uint256 y);

    /// @notice Thrown when two coordinates are not those of a point of the curve.
    error GramVerifier_PointNotOnCurve(bytes32 element, uint256 number, uint256 x, uint256 y);

    /// @notice Thrown when a scalar is not below the order of the group.
    error GramVerifier_ScalarOutOfRange(bytes32 element, uint256 value);

    /// @notice Thrown when the point of evaluation is 0, 1 or -1.
    error GramVerifier_DegenerateChallenge(uint256 z);

    /// @notice Thrown when the pairing equation does not hold.
    error GramVerifier_EquationFails(bytes32 context);

    /// @notice Thrown when a precompile does not answer: it was given too little gas or, while a verifier is deployed, a
    /// point that is none of G2.
    error GramVerifier_PrecompileFailed(uint256 precompile);

    // Challenges

    /// @notice Thrown when the round can't be flagged by the caller, who did not submit in it.
    error Market_CannotFlag(uint256 jobId, uint256 round, address account);

    /// @notice Thrown when a trainer flags a round twice.
    error Market_AlreadyFlagged(uint256 jobId, uint256 round, address account);

    /// @notice Thrown when what is to be refuted is not what was settled, for example after the chain was reorganised.
    error Market_MatrixMismatch(bytes32 given, bytes32 settled);

    /// @notice Thrown when the caller has not announced the refutation.
    error Refutations_NotAnnounced(bytes32 sealedRefutation);

    /// @notice Thrown when the refutation was announced in this very block.
    error Refutations_AnnouncedInThisBlock(uint256 blockNumber);

    /// @notice Thrown when x' G x is not negative, so that it shows nothing.
    error Refutations_NotNegative(int256 value);

    // Money

    /// @notice Thrown when the native coin sent is not the amount due.
    error Market_WrongValue(uint256 sent, uint256 due);

    /// @notice Thrown when a deposit did not raise the market's balance by exactly its amount.
    error Market_DepositMismatch(uint256 received, uint256 due);

    /// @notice Thrown when money would be sent to the zero address or the market itself.
    error Market_InvalidRecipient(address recipient);

    /// @notice Thrown when an account has nothing to withdraw.
    error Market_NothingToWithdraw(uint256 jobId, address account);

    /// @notice Thrown when slashed money would be burned before the job has ended.
    error Market_NotEnded(uint256 jobId, JobState state);

    /// @notice Thrown when nothing waits to be burned.
    error Market_NothingToBurn(uint256 jobId);

    /// @notice Thrown when the recipient does not take the native coin.
    error Market_TransferFailed(address recipient, uint256 amount);
}
