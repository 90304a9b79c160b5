"""What happened in a job: its milestones, and what every decided round made of every trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress
from sqlalchemy import func, select

from marketplace.index.queries.answers import Answer, Reader, check_number, check_size
from marketplace.index.rows import table_named

_EVENTS: Final = table_named("events")
_BLOCKS: Final = table_named("blocks")
_ROUNDS: Final = table_named("rounds")
_SEATS: Final = table_named("seats")
_CONTRIBUTIONS: Final = table_named("contributions")

_DECIDED: Final = ("number", "outcome", "overturned", "ended_time", "paid", "model_commitment")
_PART: Final = ("round", "account", "verdict", "weight", "contribution")

MILESTONES: Final = (
    "JobCreated",
    "JobAccepted",
    "KeyRotated",
    "AbortRequested",
    "GramRefuted",
    "JobEnding",
    "JobEnded",
    "Burned",
)


@dataclass(frozen=True)
class Milestone:
    """An event of a job that is told once or seldom; the time in seconds since the Unix epoch."""

    event: str
    block: int
    time: int
    transaction_hash: bytes
    is_final: bool


@dataclass(frozen=True)
class DecidedRound:
    """A round that has ended, and what it made of whom; `decided` is ordered by account.

    `outcome` and `overturned` are those of `RoundLine`; `model_commitment` is a settled round's.
    """

    number: int
    outcome: str
    overturned: str | None
    ended_time: int
    paid: int | None
    model_commitment: bytes | None
    decided: tuple[DecidedPart, ...]


@dataclass(frozen=True)
class DecidedPart:
    """What a round made of one trainer or the referee, in short; see `Decided` in `queries.rounds`."""

    account: ChecksumAddress
    verdict: str
    weight: int | None
    contribution: int | None


@dataclass(frozen=True)
class TrackRecord:
    """What an account has done as a trainer over all jobs: how many, and what became of its submissions."""

    jobs: int
    removed: int
    submitted: int
    kept: int
    dropped: int
    excluded: int
    strikes: int


def job_milestones(reader: Reader, job: int, *, size: int = 50) -> Answer[tuple[Milestone, ...]]:
    """Return a job's milestones, the oldest first, at most `size`; raises `QueryError` as `list_rounds`."""
    same_block = (_BLOCKS.c.market_id == _EVENTS.c.market_id) & (_BLOCKS.c.number == _EVENTS.c.block)
    query = (
        select(_EVENTS.c.name, _EVENTS.c.block, _BLOCKS.c.time, _EVENTS.c.transaction_hash)
        .join(_BLOCKS, same_block)
        .where(_EVENTS.c.job == check_number(job), _EVENTS.c.name.in_(MILESTONES))
        .order_by(_EVENTS.c.block, _EVENTS.c.log_index)
        .limit(check_size(size))
    )
    with reader.asking() as (connection, market_id, standing):
        rows = connection.execute(query.where(_EVENTS.c.market_id == market_id)).all()
    found = [
        Milestone(row.name, row.block, row.time, bytes(row.transaction_hash), standing.is_final(row.block))
        for row in rows
    ]
    return Answer(tuple(found), standing)


def decided_rounds(reader: Reader, job: int, *, size: int = 50) -> Answer[tuple[DecidedRound, ...]]:
    """Return the last rounds of a job that have ended, at most `size`, the oldest first; raises as `list_rounds`."""
    # Not the matrices, each of which takes 66 kB with 128 trainers.
    last = (
        select(*(_ROUNDS.c[name] for name in _DECIDED))
        .where(_ROUNDS.c.job == check_number(job), _ROUNDS.c.outcome.is_not(None))
        .order_by(_ROUNDS.c.number.desc())
        .limit(check_size(size))
    )
    with reader.asking() as (connection, market_id, standing):
        rounds = connection.execute(last.where(_ROUNDS.c.market_id == market_id)).all()
        first = rounds[-1].number if rounds else 0
        parts = connection.execute(
            select(*(_CONTRIBUTIONS.c[name] for name in _PART)).where(
                _CONTRIBUTIONS.c.market_id == market_id, _CONTRIBUTIONS.c.job == job, _CONTRIBUTIONS.c.round >= first
            )
        ).all()
    by_round: dict[int, list[DecidedPart]] = {}
    for part in sorted(parts, key=lambda each: int(each.account, 16)):
        by_round.setdefault(part.round, []).append(DecidedPart(*part[1:]))
    found = [
        DecidedRound(
            row.number,
            row.outcome,
            row.overturned,
            row.ended_time,
            row.paid,
            None if row.model_commitment is None else bytes(row.model_commitment),
            tuple(by_round.get(row.number, ())),
        )
        for row in reversed(rounds)
    ]
    return Answer(tuple(found), standing)


def round_gram(reader: Reader, job: int, number: int) -> Answer[bytes | None]:
    """Return a settled round's packed Gram matrix; None if there is none. Raises `QueryError` as `list_rounds`."""
    query = select(_ROUNDS.c.gram).where(_ROUNDS.c.job == check_number(job), _ROUNDS.c.number == number)
    with reader.asking() as (connection, market_id, standing):
        gram = connection.execute(query.where(_ROUNDS.c.market_id == market_id)).scalar()
    return Answer(None if gram is None else bytes(gram), standing)


def track_records(reader: Reader, accounts: Sequence[ChecksumAddress]) -> Answer[dict[ChecksumAddress, TrackRecord]]:
    """Return what accounts have done as trainers over all jobs; those that never joined one are left out."""
    names = ("submitted", "kept", "dropped", "excluded", "strikes")
    sums = [func.sum(_SEATS.c[name]) for name in names]
    query = select(_SEATS.c.account, func.count(), func.count(_SEATS.c.removed), *sums).group_by(_SEATS.c.account)
    with reader.asking() as (connection, market_id, standing):
        rows = connection.execute(query.where(_SEATS.c.market_id == market_id, _SEATS.c.account.in_(accounts))).all()
    return Answer({row[0]: TrackRecord(*map(int, row[1:])) for row in rows}, standing)
