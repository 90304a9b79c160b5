"""Databases of every earlier version are brought up to date and lose nothing; of a later one they are refused."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from marketplace.index import store
from marketplace.index.database import open_database, reading, writing
from marketplace.index.errors import DatabaseError, DatabaseUrlError, SchemaError
from marketplace.index.schema import VERSION_TABLE, check_schema, found_revision, newest_revision, upgrade
from marketplace.index.tables import Table
from tests.index.play import Play


def test_the_migrations_lead_to_the_tables_that_the_program_uses(engine) -> None:
    with writing(engine) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, Table.metadata) == []


def test_an_index_of_the_first_schema_is_kept_when_it_is_upgraded(empty: Engine, play: Play, tmp_path) -> None:
    engine = empty
    upgrade(engine, "0001")
    play.act(20)
    indexer = play.indexer(engine)
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(store, "newest_revision", lambda: "0001")
        indexer.step()
    before = list(play.lines(engine))
    with pytest.raises(SchemaError, match=r"0001.*cairn index sync"):
        check_schema(engine)
    upgrade(engine)
    check_schema(engine)
    assert list(play.lines(engine)) == before
    play.act(5)
    indexer.step()
    play.assert_fresh(engine, tmp_path)


def test_upgrading_twice_changes_nothing(engine) -> None:
    upgrade(engine)
    with reading(engine) as connection:
        assert found_revision(connection) == newest_revision()


def test_a_database_of_a_newer_program_is_refused_and_left_alone(engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE index_schema SET version_num = '9999'"))
    for use in (check_schema, upgrade):
        with pytest.raises(SchemaError, match="newer version"):
            use(engine)
    with reading(engine) as connection:
        assert found_revision(connection) == "9999"


def test_an_empty_database_is_told_from_an_index(empty: Engine) -> None:
    with pytest.raises(SchemaError, match="no version"):
        check_schema(empty)


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty: Engine) -> None:
    engine = empty
    upgrade(engine, "0001")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE specifications (odd INTEGER)"))
    with pytest.raises(DatabaseError, match="already exists"):
        upgrade(engine)
    with reading(engine) as connection:
        assert found_revision(connection) == "0001"
    with writing(engine) as connection:
        connection.execute(text("DROP TABLE specifications"))
    upgrade(engine)
    check_schema(engine)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(DatabaseUrlError):
        open_database(url)


def test_no_password_is_shown() -> None:
    engine = open_database("postgresql://cairn:geheim@127.0.0.1:1/none")
    with pytest.raises(DatabaseError) as told:
        check_schema(engine)
    assert "geheim" not in str(told.value)


def test_a_program_that_runs_on_while_another_migrates_the_database_stops_writing(play: Play, engine: Engine) -> None:
    play.act(5)
    indexer = play.indexer(engine)
    indexer.step()
    before = list(play.lines(engine))
    play.act(2)
    with writing(engine) as connection:
        connection.execute(text("UPDATE index_schema SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="9999"):
        indexer.step()
    assert list(play.lines(engine)) == before
