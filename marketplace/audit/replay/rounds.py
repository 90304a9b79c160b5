"""How a round of the twin ends, as `Rounds.sol` ends it: who goes, and what comes next."""

from __future__ import annotations

from eth_typing import ChecksumAddress

from marketplace.audit.replay.money import burn_stake, end
from marketplace.audit.replay.state import JobTwin
from marketplace.chain.structs import JobState, Removal, TrainerStatus


def end_round(twin: JobTwin) -> None:
    """End the current round: remove who has to go, and call for the next round or the job's ending."""
    excluded, struck_out = set(twin.excluded) & twin.submitted, twin.struck_out
    absent = twin.active - twin.submitted
    absent_twice = absent & twin.absent_last
    excluded_twice = (excluded & twin.excluded_last) - struck_out
    _remove(twin, absent_twice, Removal.ABSENT)
    _remove(twin, excluded_twice, Removal.EXCLUDED)
    twin.active -= twin.leaving | struck_out | absent_twice | excluded_twice
    twin.absent_last, twin.excluded_last = absent & twin.active, excluded & twin.active
    twin.active |= twin.joining
    twin.joining, twin.leaving = set(), set()
    twin.excluded, twin.struck_out = {}, set()
    twin.round_open = False
    outcome = _outcome(twin)
    if outcome is JobState.NONE:
        call_for_round(twin)
    else:
        _begin_ending(twin, outcome)


def call_for_round(twin: JobTwin) -> None:
    """Let the next round be due."""
    model = {} if twin.model_hash is None else {"modelHash": twin.model_hash}
    twin.call_for(
        "RoundOpened",
        round=twin.round + 1,
        submitEnd=twin.now + twin.terms.submit_window,
        encryptionKey=twin.next_encryption_key,
        **model,
    )


def call_for_end(twin: JobTwin, outcome: JobState) -> None:
    """Let the job's end be due."""
    twin.call_for("JobEnded", outcome=int(outcome), **end(twin))


def _outcome(twin: JobTwin) -> JobState:
    """Return what a job that just ended a round goes on to: NONE for the next round."""
    rounds = twin.terms.rounds
    if twin.round == rounds:
        return JobState.COMPLETED
    failed = twin.failures_in_a_row >= 2 or twin.voids > max(rounds // 10, 2)
    if twin.abort_requested or failed or len(twin.active) < twin.terms.min_trainers:
        return JobState.ABORTED
    return JobState.NONE


def _begin_ending(twin: JobTwin, outcome: JobState) -> None:
    twin.outcome = outcome
    twin.call_for("JobEnding", outcome=int(outcome), challengeEnd=twin.challenge_end)
    if twin.now > twin.challenge_end:
        call_for_end(twin, outcome)


def _remove(twin: JobTwin, addresses: set[ChecksumAddress], removal: Removal) -> None:
    """Remove trainers: their stake is free, less what is burned, once the round can no longer be challenged."""
    burned = twin.terms.absence_penalty if removal is Removal.ABSENT else 0
    for address in twin.by_seat(addresses):
        account = twin.account(address)
        account.status = TrainerStatus.ABSENT if removal is Removal.ABSENT else TrainerStatus.LEAVING
        account.release_round = twin.round
        burn_stake(twin, burned)
        twin.call_for("TrainerRemoved", trainer=address, round=twin.round, removal=int(removal), burned=burned)
