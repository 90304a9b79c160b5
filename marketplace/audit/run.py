"""One audit from beginning to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contribution.errors import CairnError
from marketplace.audit.case import Case
from marketplace.audit.chain import read_chain
from marketplace.audit.check import Check
from marketplace.audit.job import Options, audit_job, audit_model, audit_round
from marketplace.audit.reading import Progress, Reading
from marketplace.audit.report import Report, facts_of
from marketplace.chain.market import Market
from marketplace.parties.reference_string import find_srs
from marketplace.storage.store import ContentStore
from zk.srs.file import StructuredReferenceString

JOB = "job"
MODEL = "model"


@dataclass(frozen=True)
class Sources:
    """Where an audit looks; nothing in them is believed beyond what the report says first.

    Attributes
    ----------
    market
        The market, at a node.
    second
        The market at a second node, if there is one.
    block_hash
        Of the last block that is looked at; None for the latest.
    store
        Where content is fetched from.
    srs_directory
        Where structured reference strings are kept.
    """

    market: Market
    store: ContentStore
    srs_directory: Path
    second: Market | None = None
    block_hash: bytes | None = None


def audit(
    sources: Sources,
    job: int,
    scope: str | int = JOB,
    options: Options | None = None,
    progress: Progress = lambda _: None,
) -> tuple[Report, Case | None]:
    """Audit a job.

    Parameters
    ----------
    sources
        Where to look.
    job
        The job's number.
    scope
        "job" for everything, "model" for the model alone, or the number of one round.
    options
        How; see `Options`.
    progress
        Called with words from time to time.

    Returns
    -------
    Report, Case or None
        The report, and what it was made from; None if the chain could not be read.
    """
    options = options or Options()
    name = f"round {scope}" if isinstance(scope, int) else scope
    evidence = read_chain(sources.market, sources.second, job, sources.block_hash, progress)
    if evidence.reading is None:
        return Report(name, job, evidence.trust, evidence.checks, None), None
    case = _case(sources, evidence.reading)
    checks = [*evidence.checks, *_checks(case, scope, options, progress)]
    return Report(name, job, evidence.trust, tuple(checks), facts_of(case)), case


def _checks(case: Case, scope: str | int, options: Options, progress: Progress) -> list[Check]:
    if isinstance(scope, int):
        return audit_round(case, scope, options, progress)
    work: Callable[[Case, Options, Progress], list[Check]] = audit_model if scope == MODEL else audit_job
    return work(case, options, progress)


def _case(sources: Sources, reading: Reading) -> Case:
    where = sources.market.deployment
    srs: StructuredReferenceString | str
    try:
        srs = find_srs(sources.srs_directory, where.srs, reading.views.terms.dimension, where.chain_id)
    except CairnError as fault:
        srs = str(fault)
    return Case(where, reading, sources.store, srs)
