"""The index's database: SQLite in a file, or PostgreSQL by URL, opened alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from marketplace.index.errors import DatabaseError, DatabaseUrlError

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
# How long a writer waits for another one's transaction.
BUSY_SECONDS: Final = 30
_WRITES: Final = "cairn_writes"


def sqlite_url(path: Path) -> str:
    """Return the URL of a database in a file."""
    return f"{SQLITE}:///{path}"


def open_database(url: str) -> Engine:
    """Open a database; nothing is asked of it yet.

    Parameters
    ----------
    url : str
        sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE.

    Raises
    ------
    DatabaseUrlError
        If it is neither.
    DatabaseError
        If the directory of a SQLite file can't be made.
    """
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError) as fault:
        raise DatabaseUrlError("it is no URL") from fault
    match parts.get_backend_name():
        case "sqlite":
            return _open_sqlite(parts)
        case "postgresql":
            # psycopg 3 is the driver, whichever is named.
            return create_engine(parts.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        case other:
            raise DatabaseUrlError(f"{other} is neither {SQLITE} nor {POSTGRESQL}")


def place_of(engine: Engine) -> str:
    """Return how messages call a database: its URL without the password."""
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Run one transaction that writes; it is kept whole when the block ends, and not at all if it raises.

    Raises
    ------
    DatabaseError
        If the database fails.
    """
    with _told(engine), engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Run one transaction that reads, and sees the database as it was when it began whatever is written meanwhile.

    Raises
    ------
    DatabaseError
        If the database fails.
    """
    options: dict[str, Any] = {}
    if engine.dialect.name == POSTGRESQL:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _told(engine), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    """Tell the database's errors in a sentence."""
    try:
        yield
    except DBAPIError as fault:
        raise DatabaseError(place_of(engine), " ".join(str(fault.orig).split())) from fault
    except SQLAlchemyError as fault:
        raise DatabaseError(place_of(engine), " ".join(str(fault).split())) from fault


def _open_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise DatabaseUrlError("it names no file")
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise DatabaseError(str(path), str(fault)) from fault
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        # The driver would begin transactions late and end them early; SQLAlchemy's events below begin them.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its turn at once, so that it never finds out half-way that another one was first.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
