"""What is done to the database as one: taking blocks in with their pointer, and taking them out again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from marketplace.audit.headers import Header
from marketplace.audit.logs import Log, event_of
from marketplace.chain.history import Event as MarketEvent
from marketplace.index.database import POSTGRESQL, reading, writing
from marketplace.index.errors import ConcurrentWriterError, UnknownMarketError
from marketplace.index.projector import (
    CLOSING,
    ENDING,
    OVERTURNING,
    Projector,
    Rows,
    job_row,
    replayed,
    seat_rows,
)
from marketplace.index.rows import insert_rows, replace_rows, table_named, table_names, update_rows
from marketplace.index.schema import newest_revision, refuse_other_schema
from marketplace.index.source import Batch, Place
from marketplace.index.state import JobState, decode_state

# Rows that exist from a block on, and the column that names it.
_BORN: Final = {
    "events": "block",
    "blocks": "number",
    "submissions": "block",
    "contributions": "block",
    "notices": "block",
    "challenges": "block",
    "entries": "block",
    "snapshots": "block",
    "rounds": "opened_block",
    "jobs": "created_block",
}
_MARKETS: Final = table_named("markets")
_BLOCKS: Final = table_named("blocks")
_EVENTS: Final = table_named("events")
_JOBS: Final = table_named("jobs")
_SEATS: Final = table_named("seats")
_SNAPSHOTS: Final = table_named("snapshots")


@dataclass(frozen=True)
class Pointer:
    """How far a market's index has come.

    Attributes
    ----------
    market_id
        The market's key in the database.
    place
        The last block that is indexed.
    final_block
        Up to this block nothing changes any more.
    alarm
        Why it can't go on; None if it can.
    """

    market_id: int
    place: Place
    final_block: int
    alarm: str | None


def find_pointer(connection: Connection, chain_id: int, market: str) -> Pointer | None:
    """Return how far a market's index has come; None if there is none."""
    row = connection.execute(
        select(_MARKETS).where(_MARKETS.c.chain_id == chain_id, _MARKETS.c.address == market)
    ).one_or_none()
    if row is None:
        return None
    return Pointer(row.id, Place(row.block, bytes(row.block_hash), row.block_time), row.final_block, row.alarm)


def pointer_of(engine: Engine, chain_id: int, market: str) -> Pointer:
    """Return how far a market's index has come; raises `UnknownMarketError` if there is none."""
    with reading(engine) as connection:
        pointer = find_pointer(connection, chain_id, market)
    if pointer is None:
        raise UnknownMarketError(chain_id, market)
    return pointer


def count_rows(engine: Engine, market_id: int) -> dict[str, int]:
    """Return how many rows of each kind a market has."""
    with reading(engine) as connection:
        return {
            name: connection.execute(
                select(func.count()).select_from(table_named(name)).where(table_named(name).c.market_id == market_id)
            ).scalar_one()
            for name in ("jobs", "rounds", "submissions", "contributions", "entries", "events")
        }


def add_market(engine: Engine, chain_id: int, market: str, base: Header) -> Pointer:
    """Begin a market's index after the block `base`, the last one before the market's first."""
    with writing(engine) as connection:
        found = find_pointer(connection, chain_id, market)
        if found is None:
            try:
                connection.execute(
                    insert(_MARKETS).values(
                        chain_id=chain_id,
                        address=market,
                        block=base.number,
                        block_hash=base.hash,
                        block_time=base.timestamp,
                        final_block=base.number,
                    )
                )
            except IntegrityError as fault:
                raise ConcurrentWriterError from fault
            found = find_pointer(connection, chain_id, market)
            if found is None:
                raise UnknownMarketError(chain_id, market)
            _keep_headers(connection, found.market_id, [base], frozenset(), base.number)
    return found


def forget_market(engine: Engine, pointer: Pointer) -> None:
    """Take everything of a market out of the database."""
    with writing(engine) as connection:
        _lock(connection, pointer.market_id, pointer.place)
        for name in (*_BORN, "seats"):
            table = table_named(name)
            connection.execute(delete(table).where(table.c.market_id == pointer.market_id))
        connection.execute(delete(_MARKETS).where(_MARKETS.c.id == pointer.market_id))


def set_alarm(engine: Engine, pointer: Pointer, alarm: str | None) -> None:
    """Note why a market's index can't go on, or that it can."""
    if alarm == pointer.alarm:
        return
    with writing(engine) as connection:
        connection.execute(update(_MARKETS).where(_MARKETS.c.id == pointer.market_id).values(alarm=alarm))


def known_blocks(engine: Engine, market_id: int, lowest: int) -> list[tuple[int, bytes]]:
    """Return number and hash of the blocks that the index knows from `lowest` on, the last one first."""
    columns = (_BLOCKS.c.number, _BLOCKS.c.hash)
    query = select(*columns).where(_BLOCKS.c.market_id == market_id, _BLOCKS.c.number >= lowest)
    with reading(engine) as connection:
        return [(row.number, bytes(row.hash)) for row in connection.execute(query.order_by(_BLOCKS.c.number.desc()))]


def known_block(engine: Engine, market_id: int, number: int) -> Place | None:
    """Return a block that the index knows; None if it does not."""
    query = select(_BLOCKS).where(_BLOCKS.c.market_id == market_id, _BLOCKS.c.number == number)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else Place(row.number, bytes(row.hash), row.time)


def project(engine: Engine, pointer: Pointer, batch: Batch, states: dict[int, JobState]) -> Projector:
    """Follow the events of a batch; nothing is written yet, but `states` move on.

    Raises
    ------
    ContradictionError
        If they can't be the market's next events.
    NodeAnswerError
        If a log is no event of the market.
    """
    times = {header.number: header.timestamp for header in batch.headers}

    def restore(job: int) -> JobState:
        with reading(engine) as connection:
            return restored(connection, pointer.market_id, job, batch.after.number)

    projector = Projector(restore, states)
    block = -1
    for log in batch.logs:
        if log.block != block:
            projector.end_block(block)
            block = log.block
        projector.follow(event_of(log), log, times[log.block])
    projector.end_block(block)
    return projector


def take_in(engine: Engine, pointer: Pointer, batch: Batch, projector: Projector, depth: int) -> Pointer:
    """Write the blocks of a batch and all that follows from them, with the pointer: all of it, or nothing.

    Parameters
    ----------
    pointer
        Where the index is.
    depth
        The finality depth.

    Raises
    ------
    ConcurrentWriterError
        If the index is somewhere else by now.
    DatabaseError
        If the database fails.
    """
    last = batch.last
    final = max(pointer.final_block, last.number - depth)
    with writing(engine) as connection:
        market_id = pointer.market_id
        _lock(connection, market_id, batch.after)
        _keep_headers(connection, market_id, batch.headers, frozenset(log.block for log in batch.logs), final)
        _write_rows(connection, market_id, projector.rows)
        _write_states(connection, market_id, {job: projector.states[job] for job in projector.touched})
        _prune(connection, pointer, projector.touched, final)
        _point(connection, market_id, last, final)
    return Pointer(pointer.market_id, last, final, pointer.alarm)


def take_out(engine: Engine, pointer: Pointer, fork: Place) -> Pointer:
    """Take the blocks after `fork` out again, with all that followed from them: all of it, or nothing.

    Raises
    ------
    ConcurrentWriterError
        If the index is somewhere else by now.
    DatabaseError
        If the database fails.
    """
    market_id = pointer.market_id
    with writing(engine) as connection:
        _lock(connection, market_id, pointer.place)
        undone = _EVENTS.c.market_id == market_id, _EVENTS.c.block > fork.number
        jobs = set(connection.execute(select(_EVENTS.c.job).distinct().where(*undone)).scalars())
        for name, column in _BORN.items():
            table = table_named(name)
            connection.execute(delete(table).where(table.c.market_id == market_id, table.c[column] > fork.number))
        _reopen_rounds(connection, market_id, fork.number)
        connection.execute(delete(_SEATS).where(_SEATS.c.market_id == market_id, _SEATS.c.job.in_(jobs)))
        known = set(
            connection.execute(select(_JOBS.c.number).where(_JOBS.c.market_id == market_id, _JOBS.c.number.in_(jobs)))
            .scalars()
            .all()
        )
        states = {job: restored(connection, market_id, job, fork.number) for job in sorted(known)}
        _write_states(connection, market_id, states)
        _point(connection, market_id, fork, pointer.final_block)
    return Pointer(market_id, fork, pointer.final_block, pointer.alarm)


def refresh_statistics(engine: Engine) -> None:
    """Let a PostgreSQL server look at what the tables hold now, by which it plans queries; it would itself, but later.

    SQLite plans by the indexes alone, and well enough.

    Raises
    ------
    DatabaseError
        If the database fails.
    """
    if engine.dialect.name == POSTGRESQL:
        with writing(engine) as connection:
            connection.execute(text(f"ANALYZE {', '.join(table_names())}"))


def restored(connection: Connection, market_id: int, job: int, block: int) -> JobState:
    """Return a job's state after a block: the last that was kept, moved on by the events since."""
    place = _SNAPSHOTS.c.market_id == market_id, _SNAPSHOTS.c.job == job
    kept = connection.execute(
        select(_SNAPSHOTS.c.state)
        .where(*place, _SNAPSHOTS.c.block <= block)
        .order_by(_SNAPSHOTS.c.block.desc())
        .limit(1)
    ).scalar_one_or_none()
    state = None if kept is None else decode_state(kept)
    events = list(_stored_events(connection, market_id, job, -1 if state is None else state.block, block))
    return state if state is not None and not events else replayed(state, events)


def _stored_events(
    connection: Connection, market_id: int, job: int, after: int, last: int
) -> Iterable[tuple[MarketEvent, Log, int]]:
    """Yield a job's events in blocks after one and up to another, decoded again from their logs."""
    query = (
        select(_EVENTS, _BLOCKS.c.hash, _BLOCKS.c.time)
        .join(_BLOCKS, (_BLOCKS.c.market_id == _EVENTS.c.market_id) & (_BLOCKS.c.number == _EVENTS.c.block))
        .where(_EVENTS.c.market_id == market_id, _EVENTS.c.job == job)
        .where(_EVENTS.c.block > after, _EVENTS.c.block <= last)
        .order_by(_EVENTS.c.block, _EVENTS.c.log_index)
    )
    for row in connection.execute(query):
        topics = bytes(row.topics)
        log = Log(
            b"",
            tuple(topics[at : at + 32] for at in range(0, len(topics), 32)),
            bytes(row.data),
            row.block,
            bytes(row.hash),
            row.log_index,
            bytes(row.transaction_hash),
        )
        yield event_of(log), log, row.time


def _lock(connection: Connection, market_id: int, expected: Place) -> None:
    """Keep other writers of the market out until the transaction ends, if none was quicker, nor changed the tables."""
    refuse_other_schema(connection, newest_revision())
    query = select(_MARKETS.c.block, _MARKETS.c.block_hash).where(_MARKETS.c.id == market_id)
    if connection.dialect.name == POSTGRESQL:
        query = query.with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None or (row.block, bytes(row.block_hash)) != (expected.number, expected.hash):
        raise ConcurrentWriterError


def _keep_headers(
    connection: Connection, market_id: int, headers: Sequence[Header], holding: frozenset[int], final: int
) -> None:
    """Keep the blocks that hold events, and those that a reorganisation can still take out."""
    rows = [
        {
            "number": header.number,
            "hash": header.hash,
            "parent_hash": header.parent_hash,
            "time": header.timestamp,
            "holds_events": header.number in holding,
        }
        for header in headers
        if header.number in holding or header.number >= final
    ]
    insert_rows(connection, "blocks", market_id, rows)


def _write_rows(connection: Connection, market_id: int, rows: Rows) -> None:
    for name, new in rows.new.items():
        insert_rows(connection, name, market_id, new)
    insert_rows(connection, "rounds", market_id, list(rows.rounds.values()))
    # Rounds that end, are closed or are overturned each change other columns.
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for (job, number), values in rows.changes.items():
        by_columns.setdefault(tuple(values), []).append({"job": job, "number": number, **values})
    for alike in by_columns.values():
        update_rows(connection, "rounds", market_id, ("job", "number"), alike)


def _write_states(connection: Connection, market_id: int, states: dict[int, JobState]) -> None:
    """Write what stands in a job's and its trainers' rows, and the state itself."""
    update_rows(connection, "jobs", market_id, ("number",), [job_row(job, state) for job, state in states.items()])
    seats = [row for job, state in states.items() for row in seat_rows(job, state)]
    replace_rows(connection, "seats", market_id, seats)
    kept = [{"job": job, "block": state.block, "state": state.encode()} for job, state in states.items()]
    replace_rows(connection, "snapshots", market_id, kept)


def _prune(connection: Connection, pointer: Pointer, jobs: Iterable[int], final: int) -> None:
    """Drop what only a reorganisation deeper than the finality depth would need."""
    market_id = pointer.market_id
    connection.execute(
        delete(_BLOCKS).where(
            _BLOCKS.c.market_id == market_id,
            _BLOCKS.c.number >= pointer.final_block,
            _BLOCKS.c.number < final,
            _BLOCKS.c.holds_events.is_(False),
        )
    )
    # Of each job the last state up to the final block stays.
    other = _SNAPSHOTS.alias()
    newer = (
        select(other.c.block)
        .where(other.c.market_id == market_id, other.c.job == _SNAPSHOTS.c.job)
        .where(other.c.block > _SNAPSHOTS.c.block, other.c.block <= final)
        .exists()
    )
    connection.execute(
        delete(_SNAPSHOTS).where(_SNAPSHOTS.c.market_id == market_id, _SNAPSHOTS.c.job.in_(set(jobs)), newer)
    )


def _reopen_rounds(connection: Connection, market_id: int, fork: int) -> None:
    """Let rounds be again as they were after a block."""
    rounds = table_named("rounds")
    for block, columns in (("closed_block", CLOSING), ("ended_block", ENDING), ("overturned_block", OVERTURNING)):
        connection.execute(
            update(rounds).where(rounds.c.market_id == market_id, rounds.c[block] > fork).values(dict.fromkeys(columns))
        )


def _point(connection: Connection, market_id: int, place: Place, final: int) -> None:
    connection.execute(
        update(_MARKETS)
        .where(_MARKETS.c.id == market_id)
        .values(block=place.number, block_hash=place.hash, block_time=place.time, final_block=final)
    )
