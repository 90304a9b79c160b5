"""States, outcomes and reasons in words, and the sentences that pages are made of."""

from __future__ import annotations

from typing import Final

from marketplace.chain.structs import ExclusionReason, JobState, Removal, TrainerStatus, VoidCause

STATE_WORDS: Final = {
    JobState.NONE: "unknown",
    JobState.OPEN: "open",
    JobState.RUNNING: "running",
    JobState.COMPLETED: "completed",
    JobState.ABORTED: "aborted",
}
STATE_SENTENCES: Final = {
    JobState.NONE: "Nothing is known of this job.",
    JobState.OPEN: "Trainers can join; it starts when enough have.",
    JobState.RUNNING: "Rounds are under way.",
    JobState.COMPLETED: "All rounds are over. What is left is to withdraw.",
    JobState.ABORTED: "It ended early. What was not earned went back to whoever put it in.",
}
STATUS_WORDS: Final = {
    TrainerStatus.NONE: "left before the start",
    TrainerStatus.STAKED: "takes part",
    TrainerStatus.LEAVING: "leaving",
    TrainerStatus.ABSENT: "removed, absent",
    TrainerStatus.OUT: "out",
}
REMOVAL_WORDS: Final = {
    Removal.ABSENT: "removed: missed two rounds running",
    Removal.EXCLUDED: "removed: excluded from two rounds running",
    Removal.STRUCK_OUT: "removed: struck out",
}
EXCLUSION_SENTENCES: Final = {
    ExclusionReason.UNAVAILABLE: "its envelope could not be fetched, though it was given notice",
    ExclusionReason.UNDECRYPTABLE: "its envelope does not decrypt",
    ExclusionReason.MISMATCH: "its update is not the one that it committed to",
    ExclusionReason.OUT_OF_RANGE: "its update has another size, or numbers out of range",
}
VOID_SENTENCES: Final = {
    VoidCause.TOO_FEW_SUBMITTED: "fewer trainers submitted than a round needs",
    VoidCause.TOO_FEW_ACCEPTED: "fewer updates were accepted than a round needs",
    VoidCause.TOO_MANY_FAULTY: "more updates were faulty than the job tolerates",
    VoidCause.TOO_FEW_KEPT: "the rule kept fewer than three updates",
    VoidCause.FLAGGED: "the round before was flagged",
    VoidCause.REFUTED: "the round before was refuted",
}
OUTCOME_WORDS: Final = {"settled": "settled", "void": "void", "expired": "expired", None: "under way"}
OUTCOME_SENTENCES: Final = {
    "settled": "The matrix of the updates was proven to the contract, which paid by it.",
    "void": "The round ended without a result: no pay, no fee, no penalty, the same model.",
    "expired": "The aggregator did not settle in time and lost a penalty.",
    None: "The round is under way.",
}
OVERTURNED_SENTENCES: Final = {
    "refuted": "Somebody showed that no real updates have the matrix that was settled: its pay went back.",
    "flagged": "Most submitters flagged it: what the aggregator published does not open the model's commitment.",
}
MILESTONE_WORDS: Final = {
    "JobCreated": "The owner created the job and paid the deposit",
    "JobAccepted": "The aggregator accepted and put down its bond",
    "KeyRotated": "The aggregator changed its encryption key",
    "AbortRequested": "The owner asked to end the job after the round",
    "GramRefuted": "A settled matrix was refuted",
    "JobEnding": "The last round ended; its challenge window runs",
    "JobEnded": "The job ended",
    "Burned": "What nobody may have was burned",
}

MOVEMENT_WORDS: Final = {
    "JobCreated": "created the job",
    "JobAccepted": "accepted the job",
    "TrainerJoined": "joined",
    "TrainerLeft": "left",
    "Strike": "struck",
    "RoundScored": "the round was scored",
    "RoundSettled": "the round was settled",
    "RoundVoided": "the round was void",
    "RoundExpired": "the round expired",
    "Flagged": "the round was flagged",
    "GramRefuted": "the round was refuted",
    "JobEnded": "the job ended",
    "Withdrawn": "withdrawn",
    "Burned": "burned",
}
POT_WORDS: Final = {
    "outside": "its own account",
    "credit": "its credit",
    "stake": "its stake",
    "escrow": "the escrow",
    "bond": "the bond",
    "burned": "to be burned",
}


def status_in_words(status: TrainerStatus, removed: Removal | None, *, has_ended: bool) -> str:
    """Return what a trainer is in a job."""
    if removed is not None:
        return REMOVAL_WORDS[removed]
    # Whoever withdraws after the end is out, and has taken part all the same.
    took_part = has_ended and status in (TrainerStatus.STAKED, TrainerStatus.OUT)
    return "took part" if took_part else STATUS_WORDS[status]


def from_to(least: int, most: int) -> str:
    """Return how many there may be."""
    return str(least) if least == most else f"{least} to {most}"


def job_state_named(word: str) -> JobState | None:
    """Return the state that a word stands for; None if there is none."""
    return next((state for state, name in STATE_WORDS.items() if name == word and state), None)
