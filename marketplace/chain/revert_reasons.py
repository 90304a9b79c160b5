"""What each error of the contracts means, in a sentence that holds all its values and says what to do."""

from __future__ import annotations

REASONS: dict[str, str] = {
    # Construction
    "GramVerifier_DevelopmentSetup": (
        "the development set-up, whose secrets everybody knows, proves nothing on chain {chainId}, which is not local; "
        "deploy with the verification key of a ceremony"
    ),
    "GramVerifier_WeakKey": (
        "{element} of the verification key is {other} or its negative, so its secret is no secret; take the key of a "
        "ceremony"
    ),
    "GramVerifier_InconsistentKey": (
        "{element} of the verification key is not of the same secret as [tau]; read the key again from its source"
    ),
    "Market_NoRules": "a market needs at least one rule; name one",
    "Market_NoCode": "there is no contract at {account}; deploy it first, or correct the address",
    # Terms
    "Market_TermOutOfRange": "the term {term} is {value} and must be from {minimum} to {maximum}; change the job file",
    "Market_UnknownRule": "the rule {rule} is not one of this market's; choose one that the deployment lists",
    "Market_MalformedCid": (
        "{cid} is not a binary CIDv1 of 36 bytes (raw or dag-pb, sha2-256); give the CID that the content store printed"
    ),
    # States and times
    "Market_UnknownJob": "there is no job {jobId}, the market has {jobCount}; check the number with `cairn job list`",
    "Market_WrongState": "job {jobId} is {state} and must be {needed}; look at it with `cairn job show {jobId}`",
    "Market_WrongRound": "job {jobId} is in round {current}, not in round {round}; read its state again",
    "Market_WrongPhase": (
        "round {round} of job {jobId} is in phase {phase} and would have to be in {needed}; "
        "look at it with `cairn job show {jobId}`"
    ),
    "Market_TooLate": "it is {time} and the deadline was {deadline}; this can't be done any more",
    "Market_TooEarly": "it is {time} and this can be done only after {legalAfter}; wait until then",
    "Market_Ending": "job {jobId} is ending and opens no further round; wait for its end and withdraw",
    "Market_NotEnding": "job {jobId} is in round {round} of {rounds} and not ending; wait for its last round",
    "Market_AbortAlreadyRequested": "the owner of job {jobId} has asked to abort already; the current round ends first",
    # Parties
    "Market_NotAuthorised": "{caller} may not do this, only {authorised}; use that account",
    "Market_AlreadyAccepted": "the aggregator has accepted job {jobId} already; there is nothing left to accept",
    "Market_NotAccepted": "the aggregator has not accepted job {jobId} yet; wait until it has",
    "Market_ZeroKey": "the encryption key is zero; give a public key",
    "Market_TermsChanged": (
        "you joined under {given} and the job now stands under {current}; read its terms again before you join"
    ),
    "Market_PartyCannotTrain": (
        "{account} is the job's owner, aggregator or referee and can't train in it; join with another account"
    ),
    "Market_AlreadyJoined": "{account} has joined this job before and is {status}; nobody joins twice",
    "Market_NotAllowlisted": (
        "{account} is not on the allowlist with root {root}; ask the owner, or check the proof of membership"
    ),
    "Market_NoFreeSeat": "all {maxTrainers} seats of job {jobId} are taken; wait until a trainer leaves",
    "Market_TooFewTrainers": "{joined} trainers have joined and {needed} are needed; wait for more",
    "Market_NotActive": "{account} does not take part in the current round of job {jobId}; wait for the next round",
    # Rounds
    "Market_AlreadySubmitted": (
        "{account} has submitted in round {round} of job {jobId} already; a submission can't be replaced"
    ),
    "Market_ZeroCommitment": "the commitment is zero; submit the hash of a commitment",
    "Market_SubmissionsOutstanding": (
        "{submitted} of {expected} trainers have submitted (reference outstanding: {referenceOutstanding}); "
        "wait for the others, or for the deadline"
    ),
    "Market_NotSubmitted": "{account} did not submit in round {round} of job {jobId}; check the account and the round",
    "Market_EnoughSubmitted": (
        "{submitted} trainers submitted and {needed} suffice, so the round can be settled or expires; wait for either"
    ),
    "Market_TooFewSubmitted": "{submitted} trainers submitted and {needed} are needed; declare the round void",
    # Settlements
    "Market_NotAscending": (
        "accounts must ascend, and number {index}, {account}, follows {previous}; sort them and settle again"
    ),
    "Market_SubmittersUnaccounted": (
        "{submitted} accounts submitted and the settlement accounts for {accounted}; accept or exclude each of them"
    ),
    "Market_NoReason": "{account} is excluded without a reason; give one",
    "Market_NoMissingNotice": (
        "{account} is excluded as unavailable without a missing notice in time; accept it, or give another reason"
    ),
    "Market_UnexpectedEvidence": (
        "{account} is excluded as unavailable with evidence, which is the notice itself; leave the evidence empty"
    ),
    "Market_WrongLength": "{field} has {length} bytes and must have {needed}; make it anew for this round",
    "Market_CommitmentMismatch": (
        "the commitment of {account} hashes to {given} and it submitted {submitted}; use the commitment it submitted"
    ),
    "Market_ModelMismatch": (
        "the model commitment hashes to {given} and the job's to {current}; settle on the job's last model"
    ),
    "Market_NormOutOfRange": (
        "row {row} of the Gram matrix has the squared norm {squaredNorm}, which must be from 0 to {maximum}; "
        "exclude the update as out of range"
    ),
    "Market_InnerProductOutOfRange": (
        "entry ({row}, {column}) of the Gram matrix is {innerProduct}, more than the norms of its rows allow; "
        "compute the matrix anew"
    ),
    "Market_ProofRejected": "the proof for context {context} was not accepted; prove the settlement anew",
    "Market_RuleMisbehaved": "the rule {rule} returned what it must not; report it, and choose another for new jobs",
    # Gram proofs
    "GramVerifier_LengthOfCommitments": (
        "the commitments have {length} bytes, which is no multiple of {unit}; encode each as a point of {unit} bytes"
    ),
    "GramVerifier_NumberOfCommitments": (
        "there are {number} commitments and must be {minimum} to {maximum}; give those of the round's accepted updates"
    ),
    "GramVerifier_LengthOfMatrix": "the matrix has {length} bytes and must have {needed}; pack its upper triangle anew",
    "GramVerifier_LengthOfProof": "the proof has {length} bytes and must have {needed}; make it anew",
    "GramVerifier_PointAtInfinity": (
        "{element} (number {number}) is the point at infinity; make the commitment or the proof anew"
    ),
    "GramVerifier_CoordinateOutOfRange": (
        "{element} (number {number}) has the coordinates {x} and {y}, one of which is not below the order of the base "
        "field; encode the point anew"
    ),
    "GramVerifier_PointNotOnCurve": (
        "{element} (number {number}) has the coordinates {x} and {y}, which is no point of the curve; encode it anew"
    ),
    "GramVerifier_ScalarOutOfRange": (
        "{element} is {value}, which is not below the order of the group; encode the proof anew"
    ),
    "GramVerifier_DegenerateChallenge": "the point of evaluation is {z}, which is not allowed; make the proof anew",
    "GramVerifier_EquationFails": (
        "the proof does not show that the matrix belongs to the commitments on the occasion {context}; compare both, "
        "and the settling account, with what the proof was made for"
    ),
    "GramVerifier_LengthOfModel": (
        "the {element} commitment has {length} bytes and must have {needed}; give the one that the last settlement "
        "logged, and the one that the weights make of it"
    ),
    "GramVerifier_NumberOfWeights": (
        "there are {number} weights and at most {maximum} commitments that they could belong to; give one weight for "
        "each accepted update"
    ),
    "GramVerifier_PrecompileFailed": (
        "precompile {precompile} did not answer; give the call more gas, or, at a deployment, check the points of "
        "G2 in the verification key"
    ),
    # Challenges
    "Market_CannotFlag": "{account} did not submit in round {round} of job {jobId}; only its submitters can flag it",
    "Market_AlreadyFlagged": "{account} has flagged round {round} of job {jobId} already; once is all it can",
    "Market_MatrixMismatch": (
        "the matrix and model that are disputed hash to {given} and the settled ones to {settled}; read the last "
        "settlement again, the chain may have been reorganised"
    ),
    "Refutations_NotAnnounced": (
        "{sealedRefutation} was not announced; announce the refutation, and show it from the same account in a later "
        "block"
    ),
    "Refutations_AnnouncedInThisBlock": (
        "the refutation was announced in block {blockNumber}, which is this one; show it in the next"
    ),
    "Refutations_NotNegative": (
        "the certificate gives {value}, which is not negative, so it refutes nothing; compute it again from the "
        "settled matrix"
    ),
    # Money
    "Market_WrongValue": "{sent} wei were sent and {due} wei are due; send exactly that",
    "Market_DepositMismatch": (
        "the market received {received} of the token's smallest units and {due} are due; "
        "tokens that take a fee or rebase are not supported"
    ),
    "Market_InvalidRecipient": "money can't be sent to {recipient}; name an account of yours",
    "Market_NothingToWithdraw": (
        "{account} has nothing to withdraw from job {jobId} now; pay and stakes wait for the challenge window"
    ),
    "Market_NotEnded": (
        "job {jobId} is {state}, and slashed money can be burned only after its end, as a refutation may return it; "
        "wait for the end"
    ),
    "Market_NothingToBurn": "nothing waits to be burned in job {jobId}; there is nothing to do",
    "Market_TransferFailed": "{recipient} does not take the {amount} wei; withdraw to another account",
    # OpenZeppelin
    "ReentrancyGuardReentrantCall": "the market was called back while it was at work; call it from an ordinary account",
    "SafeERC20FailedOperation": "the token {token} refused the transfer; check balance and allowance",
    "ERC20InsufficientBalance": "{sender} has {balance} of the token and {needed} are needed; get more of it",
    "ERC20InsufficientAllowance": (
        "{spender} may take {allowance} of the token and {needed} are needed; approve that amount first"
    ),
    "ERC20InvalidApprover": "{approver} can't approve; use an ordinary account",
    "ERC20InvalidReceiver": "the token can't be sent to {receiver}; name an ordinary account",
    "ERC20InvalidSender": "the token can't be sent from {sender}; use an ordinary account",
    "ERC20InvalidSpender": "{spender} can't be approved; name an ordinary account",
}

# Solidity's enums are numbers in an error; these are their names, in the order of `contracts/src/Types.sol`.
ENUMS: dict[str, tuple[str, ...]] = {
    "JobState": ("None", "Open", "Running", "Completed", "Aborted"),
    "Phase": ("None", "Submitting", "Delivering", "Settling", "Overdue"),
    "Reason": ("None", "Unavailable", "Undecryptable", "Mismatch", "OutOfRange"),
    "TrainerStatus": ("None", "Staked", "Leaving", "Absent", "Out"),
}

# Names of values that are moments, in seconds since the Unix epoch.
MOMENTS = frozenset({"time", "deadline", "legalAfter"})

PANICS: dict[int, str] = {
    0x01: "an assertion failed",
    0x11: "a number overflowed",
    0x12: "a division by zero",
    0x21: "a number that names no state",
    0x22: "a damaged byte array in storage",
    0x31: "an empty array",
    0x32: "an index beyond the end of an array",
    0x41: "too much memory",
    0x51: "a function that does not exist",
}
