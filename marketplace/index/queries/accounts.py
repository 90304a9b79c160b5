"""What accounts have done so far: trainers, aggregators, and everybody's money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress
from sqlalchemy import ColumnElement, Connection, func, select

from marketplace.chain.structs import JobState
from marketplace.index.queries.answers import (
    NUMBER_LIMIT,
    PLACE_LIMIT,
    Answer,
    Page,
    Reader,
    below,
    check_number,
    check_size,
    mark_of,
    page_of,
    parse_mark,
)
from marketplace.index.queries.jobs import JobFilter, JobLine, Order, SeatLine, jobs_in, seat_line
from marketplace.index.rows import table_named

_JOBS: Final = table_named("jobs")
_ROUNDS: Final = table_named("rounds")
_SEATS: Final = table_named("seats")
_ENTRIES: Final = table_named("entries")


@dataclass(frozen=True)
class TrainerProfile:
    """A trainer's record over all jobs.

    Attributes
    ----------
    jobs, removed
        Jobs that it joined, and that it was removed from.
    submitted, kept, dropped, excluded, strikes
        Rounds, and what became of its submissions in them.
    earned, burned
        By token, the zero address for the native coin, in the token's smallest unit.
    parts
        A page of its jobs' numbers and its part in each, the newest first.
    """

    account: ChecksumAddress
    jobs: int
    removed: int
    submitted: int
    kept: int
    dropped: int
    excluded: int
    strikes: int
    earned: Mapping[ChecksumAddress, int]
    burned: Mapping[ChecksumAddress, int]
    parts: Page[tuple[int, SeatLine]]


@dataclass(frozen=True)
class AggregatorRecord:
    """What an aggregator has done over all jobs, counted.

    Attributes
    ----------
    states
        How many of its jobs are in each state.
    outcomes
        How many of its rounds were "settled", "void" or "expired".
    overturned
        How many were "refuted" or "flagged" with success.
    """

    states: Mapping[JobState, int]
    outcomes: Mapping[str, int]
    overturned: Mapping[str, int]


@dataclass(frozen=True)
class AggregatorProfile(AggregatorRecord):
    """An aggregator's record, its penalties and its jobs.

    Attributes
    ----------
    account
        Whose it is.
    penalties
        What it lost by rounds that expired, by token, in the token's smallest unit.
    jobs
        A page of its jobs, the newest first.
    """

    account: ChecksumAddress
    penalties: Mapping[ChecksumAddress, int]
    jobs: Page[JobLine]


@dataclass(frozen=True)
class EntryLine:
    """A side of a movement of money, as in `tables.Entry`; `amount` is negative for what a pot lost."""

    block: int
    log_index: int
    place: int
    job: int
    round: int
    event: str
    pot: str
    account: ChecksumAddress | None
    amount: int
    is_final: bool


def trainer_profile(
    reader: Reader, account: ChecksumAddress, *, size: int = 50, after: str | None = None
) -> Answer[TrainerProfile]:
    """Return a trainer's record; one of zeros for an account that never joined. Raises as `list_jobs`."""
    with reader.asking() as (connection, market_id, standing):
        mine = _SEATS.c.market_id == market_id, _SEATS.c.account == account
        in_job = (_JOBS.c.market_id == _SEATS.c.market_id) & (_JOBS.c.number == _SEATS.c.job)
        numbers = [func.coalesce(func.sum(_SEATS.c[name]), 0).label(name) for name in _COUNTED]
        sums = connection.execute(select(func.count(), func.count(_SEATS.c.removed), *numbers).where(*mine)).one()
        money = connection.execute(
            select(_JOBS.c.token, _SEATS.c.earned, _SEATS.c.burned).join(_JOBS, in_job).where(*mine)
        )
        earned: Counter[ChecksumAddress] = Counter()
        burned: Counter[ChecksumAddress] = Counter()
        for token, gain, loss in money:
            earned[token] += gain
            burned[token] += loss
        query = select(_SEATS).where(*mine).order_by(_SEATS.c.job.desc()).limit(check_size(size) + 1)
        if after is not None:
            query = query.where(_SEATS.c.job < parse_mark(after, [NUMBER_LIMIT])[0])
        rows = connection.execute(query).all()
    jobs, removed, submitted, kept, dropped, excluded, strikes = map(int, sums)
    totals = (jobs, removed, submitted, kept, dropped, excluded, strikes)
    parts = page_of([(row.job, seat_line(row)) for row in rows], size, [mark_of(row.job) for row in rows])
    return Answer(TrainerProfile(account, *totals, dict(earned), dict(burned), parts), standing)


def aggregator_record(reader: Reader, account: ChecksumAddress) -> Answer[AggregatorRecord]:
    """Return what an aggregator has done; nothing for an account that never was one."""
    with reader.asking() as (connection, market_id, standing):
        record = _record(connection, market_id, account)
    return Answer(record, standing)


def aggregator_profile(
    reader: Reader, account: ChecksumAddress, *, size: int = 50, after: str | None = None
) -> Answer[AggregatorProfile]:
    """Return an aggregator's record; one of zeros for an account that never was one. Raises as `list_jobs`."""
    with reader.asking() as (connection, market_id, standing):
        record = _record(connection, market_id, account)
        rounds = _rounds_of(market_id, account)
        lost = connection.execute(
            select(_ROUNDS.c.job, _ROUNDS.c.penalty).where(*rounds, _ROUNDS.c.penalty.is_not(None))
        ).all()
        named = _JOBS.c.market_id == market_id, _JOBS.c.number.in_({row.job for row in lost})
        tokens = dict(map(tuple, connection.execute(select(_JOBS.c.number, _JOBS.c.token).where(*named))))
        penalties: Counter[ChecksumAddress] = Counter()
        for job, penalty in lost:
            penalties[tokens[job]] += penalty
        wanted = JobFilter(aggregator=account)
        jobs = jobs_in(connection, market_id, standing, wanted, order=Order.NEWEST, size=size, after=after)
    counted = record.states, record.outcomes, record.overturned
    return Answer(AggregatorProfile(*counted, account, dict(penalties), jobs), standing)


def _record(connection: Connection, market_id: int, account: ChecksumAddress) -> AggregatorRecord:
    mine = _JOBS.c.market_id == market_id, _JOBS.c.aggregator == account
    states = connection.execute(select(_JOBS.c.state, func.count()).where(*mine).group_by(_JOBS.c.state))
    by_state = {JobState(state): count for state, count in states}
    ends = _ROUNDS.c.outcome, _ROUNDS.c.overturned
    outcomes: Counter[str] = Counter()
    overturned: Counter[str] = Counter()
    ended = _ROUNDS.c.outcome.is_not(None)
    counts = select(*ends, func.count()).where(*_rounds_of(market_id, account), ended).group_by(*ends)
    for outcome, overturn, count in connection.execute(counts):
        outcomes[outcome] += count
        if overturn is not None:
            overturned[overturn] += count
    return AggregatorRecord(by_state, dict(outcomes), dict(overturned))


def _rounds_of(market_id: int, account: ChecksumAddress) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    # Jobs are named by a list: with a join, databases without statistics begin with the rounds of everybody.
    jobs = select(_JOBS.c.number).where(_JOBS.c.market_id == market_id, _JOBS.c.aggregator == account)
    return _ROUNDS.c.market_id == market_id, _ROUNDS.c.job.in_(jobs)


def list_entries(
    reader: Reader,
    *,
    account: ChecksumAddress | None = None,
    job: int | None = None,
    size: int = 50,
    after: str | None = None,
) -> Answer[Page[EntryLine]]:
    """Return a page of movements of money, of an account, a job or both, the newest first; raises as `list_jobs`."""
    keys = _ENTRIES.c.block, _ENTRIES.c.log_index, _ENTRIES.c.place
    query = select(_ENTRIES).order_by(*(key.desc() for key in keys)).limit(check_size(size) + 1)
    if account is not None:
        query = query.where(_ENTRIES.c.account == account)
    if job is not None:
        query = query.where(_ENTRIES.c.job == check_number(job))
    if after is not None:
        query = query.where(below(keys, parse_mark(after, [NUMBER_LIMIT, PLACE_LIMIT, PLACE_LIMIT])))
    with reader.asking() as (connection, market_id, standing):
        rows = connection.execute(query.where(_ENTRIES.c.market_id == market_id)).all()
    lines = [
        EntryLine(
            row.block,
            row.log_index,
            row.place,
            row.job,
            row.round,
            row.event,
            row.pot,
            row.account,
            row.sign * row.amount,
            standing.is_final(row.block),
        )
        for row in rows
    ]
    return Answer(page_of(lines, size, [mark_of(row.block, row.log_index, row.place) for row in rows]), standing)


_COUNTED: Final = ("submitted", "kept", "dropped", "excluded", "strikes")
