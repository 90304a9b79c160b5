"""The version of a database's tables, and bringing them up to this program's."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from marketplace.index.database import POSTGRESQL, place_of, reading, writing
from marketplace.index.errors import SchemaError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
VERSION_TABLE: Final = "index_schema"
# Any number that nobody else is likely to lock in the same database.
_LOCK: Final = 0x636169726E


@cache
def newest_revision() -> str:
    """Return the revision that this program's tables have."""
    head = _scripts().get_current_head()
    if head is None:
        raise SchemaError(None, "none", "this installation lacks its migrations: install it again.")
    return head


def found_revision(connection: Connection) -> str | None:
    """Return the revision of a database's tables; None for an empty database."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def check_schema(engine: Engine) -> None:
    """Refuse a database whose tables are not this program's.

    Raises
    ------
    SchemaError
        If they are older, newer or missing.
    DatabaseError
        If the database fails.
    """
    with reading(engine) as connection:
        found = found_revision(connection)
    if found != newest_revision():
        raise _mismatch(engine, found)


def refuse_other_schema(connection: Connection, expected: str) -> None:
    """Raise `SchemaError` if another program has brought the tables to another revision meanwhile."""
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608
    if found != expected:
        raise SchemaError(found, expected, "another program changed it meanwhile: run the newer one.")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring a database's tables up to a revision, in one transaction; of several processes one does it.

    Raises
    ------
    SchemaError
        If they are newer than this program.
    DatabaseError
        If the database fails; it is then as before.
    """
    with writing(engine) as connection:
        if engine.dialect.name == POSTGRESQL:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = found_revision(connection)
        if found is not None and found not in _known():
            raise _mismatch(engine, found)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _mismatch(engine: Engine, found: str | None) -> SchemaError:
    hint = f"run `cairn index sync` to make its tables in {place_of(engine)}."
    if found in _known():
        hint = "run `cairn index sync`, which brings it up to date."
    elif found is not None:
        hint = "it was written by a newer version: install that one."
    return SchemaError(found, newest_revision(), hint)


def _known() -> set[str]:
    return {script.revision for script in _scripts().walk_revisions()}


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    # A percent sign would be taken for a reference.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
