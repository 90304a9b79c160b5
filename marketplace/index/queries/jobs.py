"""Lists of jobs, filtered and searched, and a job's page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from eth_typing import ChecksumAddress
from sqlalchemy import ColumnElement, Connection, Select, select

from marketplace.chain.structs import JobState, Removal, Terms, TrainerStatus
from marketplace.index.columns import AMOUNT_LIMIT
from marketplace.index.projector import terms_from_json
from marketplace.index.queries.answers import (
    NUMBER_LIMIT,
    Answer,
    Page,
    QueryError,
    Reader,
    Standing,
    below,
    check_size,
    mark_of,
    page_of,
    parse_mark,
)
from marketplace.index.rows import table_named
from marketplace.index.text_forms import search_form, storable

_JOBS: Final = table_named("jobs")
_SEATS: Final = table_named("seats")
_TEXTS: Final = table_named("specifications")
_MOST_WORDS: Final = 16


class Order(StrEnum):
    """How lists of jobs are ordered; those alike by number, the newest first."""

    NEWEST = "newest"
    REWARD = "reward"
    STAKE = "stake"


@dataclass(frozen=True)
class JobFilter:
    """Which jobs are wanted; None for any.

    Attributes
    ----------
    states
        In one of these.
    least_reward
        At least this reward per round, in wei.
    most_stake
        At most this stake, in wei.
    token, owner, aggregator
        With these.
    text
        Whose title, description, model or licence holds each of these words.
    model
        Whose specification names this model of the zoo.
    """

    states: frozenset[JobState] | None = None
    least_reward: int | None = None
    most_stake: int | None = None
    token: ChecksumAddress | None = None
    owner: ChecksumAddress | None = None
    aggregator: ChecksumAddress | None = None
    text: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class JobLine:
    """A job in a list; amounts in wei, times in seconds since the Unix epoch.

    `title` and `model` are its owner's, and None until its specification was fetched. `is_final` tells whether its
    last event is.
    """

    number: int
    state: JobState
    title: str | None
    model: str | None
    owner: ChecksumAddress
    aggregator: ChecksumAddress
    token: ChecksumAddress
    reward_per_round: int
    stake: int
    rounds: int
    round: int
    settled_rounds: int
    trainers: int
    created_time: int
    is_final: bool


@dataclass(frozen=True)
class SeatLine:
    """A trainer's part in a job, as `tables.Seat` has it; amounts in wei."""

    account: ChecksumAddress
    status: TrainerStatus
    seat: int
    from_round: int
    left_round: int | None
    removed: Removal | None
    strikes: int
    submitted: int
    kept: int
    dropped: int
    excluded: int
    earned: int
    burned: int


@dataclass(frozen=True)
class JobPage:
    """Everything about a job but its rounds; amounts in wei.

    Attributes
    ----------
    line, terms
        As in lists, and all of its terms.
    specification_cid
        Binary CID.
    description, licence, datasheet, model
        Its owner's words; None until the specification was fetched.
    text_fault
        Why they are missing; None if they are there or were not looked for.
    escrow, bond, burned, paid
        Its money.
    seats
        By account.
    """

    line: JobLine
    terms: Terms
    specification_cid: bytes
    description: str | None
    licence: str | None
    datasheet: str | None
    model: str | None
    text_fault: str | None
    escrow: int
    bond: int
    burned: int
    paid: int
    seats: tuple[SeatLine, ...]


def list_jobs(
    reader: Reader,
    wanted: JobFilter | None = None,
    *,
    order: Order = Order.NEWEST,
    size: int = 50,
    after: str | None = None,
) -> Answer[Page[JobLine]]:
    """Return a page of jobs.

    Parameters
    ----------
    reader
        Of the market.
    wanted
        Which jobs; by default all.
    order
        How they are ordered.
    size
        At most so many.
    after
        `Page.next` of the page before; None for the first.

    Raises
    ------
    QueryError
        If size or `after` is none that can be.
    """
    with reader.asking() as (connection, market_id, standing):
        page = jobs_in(connection, market_id, standing, wanted or JobFilter(), order=order, size=size, after=after)
    return Answer(page, standing)


def jobs_in(
    connection: Connection,
    market_id: int,
    standing: Standing,
    wanted: JobFilter,
    *,
    order: Order,
    size: int,
    after: str | None,
) -> Page[JobLine]:
    """Return a page of jobs as `list_jobs` does, in a transaction that is under way."""
    ordered = {Order.NEWEST: (), Order.REWARD: (_JOBS.c.reward_per_round,), Order.STAKE: (_JOBS.c.stake,)}[order]
    keys = (*ordered, _JOBS.c.number)
    query = _with_texts().where(_JOBS.c.market_id == market_id, *_conditions(wanted))
    if after is not None:
        limits = (*(AMOUNT_LIMIT for _ in ordered), NUMBER_LIMIT)
        query = query.where(below(keys, parse_mark(after, limits)))
    query = query.order_by(*(key.desc() for key in keys)).limit(check_size(size) + 1)
    rows = connection.execute(query).all()
    marks = [mark_of(*(getattr(row, key.name) for key in keys)) for row in rows]
    return page_of([_line(row, standing.final_block) for row in rows], size, marks)


def jobs_named(reader: Reader, numbers: Collection[int]) -> Answer[dict[int, JobLine]]:
    """Return jobs by number; those that there are none of are left out."""
    query = _with_texts().where(_JOBS.c.number.in_([number for number in numbers if 0 < number < NUMBER_LIMIT]))
    with reader.asking() as (connection, market_id, standing):
        rows = connection.execute(query.where(_JOBS.c.market_id == market_id)).all()
    return Answer({row.number: _line(row, standing.final_block) for row in rows}, standing)


def job_page(reader: Reader, number: int) -> Answer[JobPage | None]:
    """Return a job's page; None if there is no such job."""
    with reader.asking() as (connection, market_id, standing):
        query = _with_texts().where(_JOBS.c.market_id == market_id, _JOBS.c.number == number)
        row = connection.execute(query).one_or_none() if 0 < number < NUMBER_LIMIT else None
        if row is None:
            return Answer(None, standing)
        seats = connection.execute(select(_SEATS).where(_SEATS.c.market_id == market_id, _SEATS.c.job == number)).all()
    page = JobPage(
        _line(row, standing.final_block),
        terms_from_json(row.terms),
        bytes(row.specification_cid),
        row.description,
        row.licence,
        row.datasheet,
        row.model,
        row.fault,
        row.escrow,
        row.bond,
        row.burned,
        row.paid,
        tuple(sorted(map(seat_line, seats), key=lambda seat: seat.account)),
    )
    return Answer(page, standing)


def seat_line(row: Any) -> SeatLine:  # noqa: ANN401 - a row of seats
    """Return a trainer's part from its row."""
    return SeatLine(
        row.account,
        TrainerStatus(row.status),
        row.seat,
        row.from_round,
        row.left_round,
        None if row.removed is None else Removal(row.removed),
        row.strikes,
        row.submitted,
        row.kept,
        row.dropped,
        row.excluded,
        row.earned,
        row.burned,
    )


def _with_texts() -> Select[Any]:
    texts = (_TEXTS.c[name] for name in ("title", "description", "licence", "datasheet", "model", "fault"))
    return select(_JOBS, *texts).outerjoin(_TEXTS, _TEXTS.c.cid == _JOBS.c.specification_cid)


def _conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.states is not None:
        conditions.append(_JOBS.c.state.in_([int(state) for state in wanted.states]))
    if wanted.least_reward is not None:
        conditions.append(_JOBS.c.reward_per_round >= _amount(wanted.least_reward))
    if wanted.most_stake is not None:
        conditions.append(_JOBS.c.stake <= _amount(wanted.most_stake))
    for name in ("token", "owner", "aggregator"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(_JOBS.c[name] == value)
    if wanted.model is not None:
        conditions.append(_TEXTS.c.model == storable(wanted.model))
    for word in search_form(storable(wanted.text or "")).split()[:_MOST_WORDS]:
        # What is typed is searched for as it is: its percent signs and underscores stand for themselves.
        conditions.append(_TEXTS.c.words.contains(word, autoescape=True))
    return conditions


def _amount(amount: int) -> int:
    if not 0 <= amount < AMOUNT_LIMIT:
        raise QueryError(f"{amount} is no amount")
    return amount


def _line(row: Any, final_block: int) -> JobLine:  # noqa: ANN401 - a row of jobs with texts
    return JobLine(
        row.number,
        JobState(row.state),
        row.title,
        row.model,
        row.owner,
        row.aggregator,
        row.token,
        row.reward_per_round,
        row.stake,
        row.rounds,
        row.round,
        row.settled_rounds,
        row.trainers,
        row.created_time,
        row.changed_block <= final_block,
    )
