"""What the jobs of a market that have not ended name by CID: nobody may forget it yet."""

from __future__ import annotations

from collections.abc import Callable

from contribution.errors import CairnError
from marketplace.chain.history import HistoryReader, JobHistory
from marketplace.chain.market import Market
from marketplace.chain.structs import JobState
from marketplace.errors import MalformedCidError
from marketplace.job.document import fetch_document
from marketplace.storage.cid import Cid, parse_binary_cid
from marketplace.storage.store import ContentReader


def needed_content(market: Market, store: ContentReader, note: Callable[[str], None]) -> dict[int, set[Cid]]:
    """Return, by job, the CIDs of all files that a job in `Open` or `Running` names.

    These are its document and initial model, and of every round the envelopes, the evidence of exclusions and the
    aggregate.

    Parameters
    ----------
    market
        Whose jobs.
    store
        Where the job documents are, which name the initial models.
    note
        Called with words for each document that can't be read.

    Raises
    ------
    ChainError
        If the node fails.
    """
    needed = {}
    for job in range(1, market.job_count() + 1):
        if market.progress(job).job_state in (JobState.OPEN, JobState.RUNNING):
            history = HistoryReader(market, job).read()
            needed[job] = named_cids(history) | _initial_model(job, history, store, note)
    return needed


def named_cids(history: JobHistory) -> set[Cid]:
    """Return the CIDs that the events of a job name."""
    binary = [history.specification_cid]
    for record in history.rounds.values():
        binary += [submission.cid for submission in record.submissions.values()]
        binary += [b"" if record.reference is None else record.reference.cid, record.aggregate_cid or b""]
        binary += record.evidence.values()
    return {cid for cid in map(_cid_or_none, binary) if cid is not None}


def _cid_or_none(binary: bytes) -> Cid | None:
    """Return a CID; None for what is empty, or what nobody could fetch either."""
    try:
        return parse_binary_cid(binary)
    except MalformedCidError:
        return None


def _initial_model(job: int, history: JobHistory, store: ContentReader, note: Callable[[str], None]) -> set[Cid]:
    """Return the CID of the model that a job began with, if its document can be read."""
    try:
        return {fetch_document(store, history.specification_cid).initial_model}
    except CairnError as fault:
        note(f"job {job}: which model it began with is not known here: {fault}")
        return set()
