"""Writing many rows at once, past the layers that would convert them one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from marketplace.index.database import POSTGRESQL
from marketplace.index.tables import Table as Base

Row = dict[str, Any]
# Below so many rows a statement costs less than opening a stream.
_STREAMED: Final = 50


def table_named(name: str) -> Table:
    """Return a table of the index."""
    return Base.metadata.tables[name]


def table_names() -> tuple[str, ...]:
    """Return the names of the index's tables."""
    return tuple(Base.metadata.tables)


def insert_rows(connection: Connection, name: str, market_id: int, rows: Sequence[Row]) -> None:
    """Add rows of a market; their values are as the database stores them."""
    if not rows:
        return
    if connection.dialect.name == POSTGRESQL and len(rows) >= _STREAMED:
        _stream(connection, name, market_id, rows)
        return
    columns = ("market_id", *rows[0])
    _run(connection, _insert(connection.dialect, name, columns), market_id, rows)


def replace_rows(connection: Connection, name: str, market_id: int | None, rows: Sequence[Row]) -> None:
    """Add rows, of a market or of a table that is not about one, in place of those with the same key."""
    if rows:
        columns = (*(() if market_id is None else ("market_id",)), *rows[0])
        _run(connection, _replace(connection.dialect, name, columns), market_id, rows)


def update_rows(connection: Connection, name: str, market_id: int, keys: Sequence[str], rows: Sequence[Row]) -> None:
    """Set values in rows of a market; those named by `keys` say in which. All rows have the same columns."""
    if rows:
        columns = tuple(column for column in rows[0] if column not in keys)
        _run(connection, _update(connection.dialect, name, tuple(keys), columns), market_id, rows)


def _run(
    connection: Connection, statement: tuple[str, tuple[str, ...] | None], market_id: int | None, rows: Iterable[Row]
) -> None:
    sql, positions = statement
    filled = [row if market_id is None else {"market_id": market_id, **row} for row in rows]
    if positions is None:
        connection.exec_driver_sql(sql, filled)
    else:
        connection.exec_driver_sql(sql, [tuple(row[name] for name in positions) for row in filled])


def _stream(connection: Connection, name: str, market_id: int, rows: Sequence[Row]) -> None:
    """Send rows in PostgreSQL's COPY, in its binary form."""
    table = table_named(name)
    columns = list(rows[0])
    kinds = [_kind(table, column) for column in ("market_id", *columns)]
    names = ", ".join(("market_id", *columns))
    cursor = connection.connection.cursor()
    try:
        with cursor.copy(f"COPY {name} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(kinds)
            for row in rows:
                copy.write_row((market_id, *row.values()))
    finally:
        cursor.close()


@cache
def _kinds() -> Mapping[str, str]:
    return {
        "BigInteger": "int8",
        "Integer": "int4",
        "SmallInteger": "int2",
        "String": "varchar",
        "Text": "text",
        "LargeBinary": "bytea",
        "Boolean": "bool",
        "Amount": "varchar",
        "Signed": "varchar",
    }


def _kind(table: Table, column: str) -> str:
    return _kinds()[type(table.c[column].type).__name__]


@cache
def _insert(dialect: Dialect, name: str, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...] | None]:
    table = table_named(name)
    return _compiled(dialect, insert(table).values({column: bindparam(column) for column in columns}))


@cache
def _replace(dialect: Dialect, name: str, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...] | None]:
    table = table_named(name)
    kind = postgresql if dialect.name == POSTGRESQL else sqlite
    keys = [column.name for column in table.primary_key]
    added = kind.insert(table).values({column: bindparam(column) for column in columns})
    changed = {column: added.excluded[column] for column in columns if column not in keys}
    return _compiled(dialect, added.on_conflict_do_update(index_elements=keys, set_=changed))


@cache
def _update(
    dialect: Dialect, name: str, keys: tuple[str, ...], columns: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None]:
    table = table_named(name)
    where = [table.c[key] == bindparam(f"key_{key}") for key in ("market_id", *keys)]
    values: dict[str, Any] = {column: bindparam(f"new_{column}") for column in columns}
    sql, positions = _compiled(dialect, update(table).where(*where).values(values))
    if positions is None:
        for key in ("market_id", *keys):
            sql = sql.replace(f"%(key_{key})s", f"%({key})s")
        for column in columns:
            sql = sql.replace(f"%(new_{column})s", f"%({column})s")
        return sql, None
    return sql, tuple(position[4:] for position in positions)


def _compiled(dialect: Dialect, statement: ClauseElement) -> tuple[str, tuple[str, ...] | None]:
    """Return a statement's text, and the names of its values by position if they are not named in the text."""
    compiled = statement.compile(dialect=dialect)
    positions = getattr(compiled, "positiontup", None)
    return str(compiled), None if positions is None else tuple(positions)
