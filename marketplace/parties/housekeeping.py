"""The steps that anyone may take, so that no job waits for somebody who is silent."""

from __future__ import annotations

from collections.abc import Callable

from eth_account.signers.local import LocalAccount

from marketplace.chain.structs import JobState, Phase
from marketplace.parties.once import send_once
from marketplace.parties.snapshot import Snapshot
from marketplace.parties.view import JobView


def keep_going(view: JobView, account: LocalAccount) -> list[str]:
    """Take the one step that anyone may take now, if there is one.

    Starts a job that has its trainers, closes submissions nobody is awaited in, voids or expires a round that is stuck,
    aborts a job that never started, and completes one that has ended.

    Returns
    -------
    list of str
        What was done, in words; empty if nothing was due or somebody else was quicker.
    """
    step = _due(view, account)
    if step is None:
        return []
    words, act = step
    return [words] if send_once(act, lambda: _due(view, account) is None) else []


Step = tuple[str, Callable[[], object]]


def _due(view: JobView, account: LocalAccount) -> Step | None:
    market, job = view.market, view.job
    snapshot = view.snapshot()
    progress = snapshot.progress
    if progress.job_state is JobState.OPEN:
        return _due_before_start(view, account, snapshot)
    if progress.job_state is not JobState.RUNNING:
        return None
    if progress.ending:
        done = snapshot.now > progress.challenge_end
        return ("completed the job", lambda: market.complete(account, job)) if done else None
    return _due_in_round(view, account, snapshot)


def _due_before_start(view: JobView, account: LocalAccount, snapshot: Snapshot) -> Step | None:
    market, job = view.market, view.job
    if snapshot.now > view.terms.start_deadline:
        return "aborted a job that did not start in time", lambda: market.abort(account, job)
    joined = snapshot.seats.active.bit_count()
    if joined >= view.terms.min_trainers:
        return f"started the job with {joined} trainers", lambda: market.start(account, job)
    return None


def _due_in_round(view: JobView, account: LocalAccount, snapshot: Snapshot) -> Step | None:
    market, job = view.market, view.job
    number, seats, phase = snapshot.progress.round, snapshot.seats, snapshot.windows.phase
    submitted = seats.submitted.bit_count()
    if phase is Phase.SUBMITTING:
        complete = seats.submitted == seats.active
        reference_awaited = view.terms.has_referee and not snapshot.progress.reference_submitted
        if complete and not reference_awaited:
            return f"closed the submissions of round {number}", lambda: market.close_submissions(account, job, number)
        return None
    if submitted < view.terms.quorum:
        words = f"voided round {number}: {submitted} submitted, {view.terms.quorum} are needed"
        return words, lambda: market.void_round(account, job, number)
    if phase is Phase.OVERDUE:
        return f"expired round {number}: not settled in time", lambda: market.expire(account, job, number)
    return None
