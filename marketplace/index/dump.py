"""The canonical dump: one text for one state of a market, however the index came to it, in whichever database.

Its first line names the market and the block after which it stands; every other line is a row: the table's name and
the row's values by column, as JSON with sorted keys and without spaces; bytes as hex, amounts as integers. Tables come
in the order of `TABLES`, rows in the order of their keys. Left out is what does not follow from the chain up to that
block: keys of this database, blocks that are kept only to see reorganisations, states that are kept to be quick, how
final a block is, and texts from the content store.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, String, collate, select

from marketplace.index.database import POSTGRESQL, reading
from marketplace.index.errors import UnknownMarketError
from marketplace.index.rows import table_named
from marketplace.index.store import find_pointer

FORMAT: Final = "cairn-index-1"
TABLES: Final = (
    "blocks",
    "events",
    "jobs",
    "rounds",
    "submissions",
    "contributions",
    "notices",
    "challenges",
    "seats",
    "entries",
)
_OF_NO_MEANING: Final = frozenset({"market_id", "holds_events"})
_ROWS_AT_A_TIME: Final = 2_000


def dump(engine: Engine, chain_id: int, market: str) -> Iterator[str]:
    """Yield the lines of a market's dump, each with its line break.

    Raises
    ------
    UnknownMarketError
        If the database holds nothing of the market.
    DatabaseError
        If the database fails.
    """
    with reading(engine) as connection:
        pointer = find_pointer(connection, chain_id, market)
        if pointer is None:
            raise UnknownMarketError(chain_id, market)
        number, block_hash, time = pointer.place
        where = {"block": number, "block_hash": block_hash.hex(), "block_time": time}
        yield _line({"format": FORMAT, "chain_id": chain_id, "market": market, **where})
        for name in TABLES:
            yield from _lines(connection, name, pointer.market_id)


def digest(engine: Engine, chain_id: int, market: str) -> str:
    """Return the SHA-256 of a market's dump in hex; raises as `dump`."""
    found = hashlib.sha256()
    for line in dump(engine, chain_id, market):
        found.update(line.encode())
    return found.hexdigest()


def first_difference(one: Iterator[str], other: Iterator[str]) -> tuple[str, str] | None:
    """Return the first lines in which two dumps differ, "" where one has ended; None if they are the same."""
    while True:
        first, second = next(one, ""), next(other, "")
        if first != second:
            return first, second
        if not first:
            return None


def _lines(connection: Connection, name: str, market_id: int) -> Iterator[str]:
    table = table_named(name)
    columns = [column for column in table.columns if column.name not in _OF_NO_MEANING]
    query = select(*columns).where(table.c.market_id == market_id)
    if name == "blocks":
        query = query.where(table.c.holds_events.is_(True))
    keys = [_ordered(connection, column) for column in table.primary_key if column.name != "market_id"]
    result = connection.execution_options(yield_per=_ROWS_AT_A_TIME).execute(query.order_by(*keys))
    for row in result:
        yield _line([name, {column.name: _value(value) for column, value in zip(columns, row, strict=True)}])


def _ordered(connection: Connection, column: Any) -> ColumnElement[Any]:  # noqa: ANN401 - a column of any type
    """Return what orders by a column alike in both databases: text by its code points."""
    if connection.dialect.name == POSTGRESQL and isinstance(column.type, String):
        return collate(column, "C")
    ordered: ColumnElement[Any] = column
    return ordered


def _value(value: object) -> object:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def _line(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":")) + "\n"
