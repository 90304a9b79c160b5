"""Whatever happens to the process or the database, the index is at a whole block, and goes on from there."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import threading
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, event, text
from web3 import HTTPProvider, Web3

from marketplace.index import database as module
from marketplace.index.database import open_database, sqlite_url
from marketplace.index.errors import ConcurrentWriterError, DatabaseError
from marketplace.index.schema import upgrade
from tests.index.play import Play


def copy_database(server: str, name: str, copy: str) -> str:
    """Copy a database of a PostgreSQL server, to which nobody is connected; return the copy's URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
    return server.replace("/postgres?", f"/{copy}?")


def run_and_kill(play: Play, url: str, at: int) -> bool:
    """Bring an index up to the chain in a process that is killed before its statement `at`; return whether it was."""
    pid = os.fork()
    if pid == 0:
        engine = open_database(url)
        seen = 0

        def count(*_: object) -> None:
            nonlocal seen
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(engine, "before_cursor_execute", count)
        event.listen(engine, "commit", count)
        try:
            play.indexer(engine, w3=Web3(HTTPProvider(play.w3.provider.endpoint_uri))).step()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def finished(play: Play, url: str) -> tuple[list[str], list[str]]:
    """The dump of an index as it was left, and after it was brought up to the chain."""
    engine = open_database(url)
    left = list(play.lines(engine))
    play.indexer(engine).step()
    done = list(play.lines(engine))
    engine.dispose()
    return left, done


@pytest.fixture
def moved_on(play: Play, engine: Engine, tmp_path: Path) -> list[list[str]]:
    """An index at a block that is no longer in the chain; the dumps at every place where it may stop on its way."""
    play.act(18)
    fork = play.rpc("evm_snapshot")
    at_fork = play.height
    play.act(6)
    play.indexer(engine).step()
    states = [list(play.lines(engine))]
    engine.dispose()
    play.rpc("evm_revert", fork)
    play.forget()
    play.mine()
    play.act(10)
    for until in (at_fork, play.height):
        reference = open_database(sqlite_url(tmp_path / f"reference-{until}.sqlite"))
        upgrade(reference)
        play.indexer(reference).step(until=until)
        states.append(list(play.lines(reference)))
        reference.dispose()
    return states


def test_killed_before_any_statement_nothing_is_lost_or_doubled(
    play: Play, engine: Engine, moved_on: list[list[str]], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    is_sqlite = engine.dialect.name == "sqlite"
    at, kills = 1, 0
    while True:
        if is_sqlite:
            path = tmp_path / f"copy-{at}.sqlite"
            shutil.copy(str(engine.url.database), path)
            url = sqlite_url(path)
        else:
            server = request.getfixturevalue("postgresql")
            url = copy_database(server, str(engine.url.database), f"copy_{os.getpid()}_{at}")
        killed = run_and_kill(play, url, at)
        left, done = finished(play, url)
        assert left in moved_on, f"killed before statement {at}: not at a whole block"
        assert done == moved_on[-1], f"killed before statement {at}: something was lost or doubled"
        if not killed:
            break
        kills += 1
        # A database is quicker to copy as a file.
        at += 1 if is_sqlite else 6
    assert kills >= (30 if is_sqlite else 5)


def test_a_restored_backup_catches_up(play: Play, engine: Engine, tmp_path: Path, request) -> None:
    play.act(20)
    fork = play.rpc("evm_snapshot")
    play.act(3)
    play.indexer(engine).step()
    if engine.dialect.name == "sqlite":
        path = tmp_path / "backup.sqlite"
        with sqlite3.connect(str(engine.url.database)) as source, sqlite3.connect(path) as target:
            source.backup(target)
        source.close()
        target.close()
        url = sqlite_url(path)
    else:
        engine.dispose()
        url = copy_database(request.getfixturevalue("postgresql"), str(engine.url.database), f"backup_{os.getpid()}")
    play.rpc("evm_revert", fork)
    play.forget()
    play.mine()
    play.act(60)
    backup = open_database(url)
    assert play.indexer(backup).step().taken_out == 3
    play.assert_fresh(backup, tmp_path)
    backup.dispose()


def test_two_writers_of_one_market_write_nothing_twice(play: Play, engine: Engine, tmp_path: Path) -> None:
    play.act(10)
    play.indexer(engine).step()
    play.act(10)
    slow = play.indexer(engine)
    read = slow.source.node.headers

    def overtaken(numbers):
        play.indexer(engine).step()
        return read(numbers)

    slow.source.node.headers = overtaken
    slow.step()
    play.assert_fresh(engine, tmp_path)


def test_a_writer_that_is_overtaken_again_and_again_says_so(play: Play, engine: Engine) -> None:
    play.act(10)
    slow = play.indexer(engine)
    read = slow.source.node.headers

    def overtaken(numbers):
        found = read(numbers)
        play.indexer(engine).step()
        play.act(1)
        return found

    slow.source.node.headers = overtaken
    with pytest.raises(ConcurrentWriterError, match="One process is enough"):
        slow.step()


def test_a_full_disk_leaves_the_last_whole_block(play: Play, tmp_path: Path) -> None:
    engine = open_database(sqlite_url(tmp_path / "index.sqlite"))
    upgrade(engine)
    play.act(5)
    play.indexer(engine).step()
    before = list(play.lines(engine))
    engine.dispose()
    play.act(60)
    full = open_database(sqlite_url(tmp_path / "index.sqlite"))
    pages = (tmp_path / "index.sqlite").stat().st_size // 4096

    @event.listens_for(full, "connect")
    def _limit(connection, _record) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 4}").close()

    with pytest.raises(DatabaseError, match="full"):
        play.indexer(full).step()
    assert list(play.lines(full)) == before
    full.dispose()
    engine = open_database(sqlite_url(tmp_path / "index.sqlite"))
    play.indexer(engine).step()
    play.assert_fresh(engine, tmp_path / "fresh")
    engine.dispose()


def test_a_database_that_is_locked_is_told_and_waited_for(play: Play, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    engine = open_database(sqlite_url(tmp_path / "index.sqlite"))
    upgrade(engine)
    play.act(3)
    other = sqlite3.connect(tmp_path / "index.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match="locked"):
        play.indexer(engine).step()
    other.execute("ROLLBACK")
    other.close()
    play.indexer(engine).step()
    play.assert_fresh(engine, tmp_path / "fresh")
    engine.dispose()


@pytest.fixture
def server_engine(server_database: str):
    engine = open_database(server_database)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("at", [3, 9, 15])
def test_a_connection_lost_in_the_middle_of_a_transaction(
    play: Play, server_engine: Engine, postgresql: str, tmp_path: Path, at: int
) -> None:
    play.act(8)
    play.indexer(server_engine).step()
    before = list(play.lines(server_engine))
    play.act(12)
    seen = 0

    def cut(connection, *_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            own = connection.connection.driver_connection.info.backend_pid
            with psycopg.connect(postgresql, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [own])

    event.listen(server_engine, "before_cursor_execute", cut)
    with pytest.raises(DatabaseError, match=r"terminat|closed|lost"):
        play.indexer(server_engine).step()
    event.remove(server_engine, "before_cursor_execute", cut)
    assert list(play.lines(server_engine)) == before
    play.indexer(server_engine).step()
    play.assert_fresh(server_engine, tmp_path)


def test_a_deadlock_ends_one_of_the_two_and_the_index_goes_on(
    play: Play, server_engine: Engine, tmp_path: Path
) -> None:
    play.act(8)
    play.indexer(server_engine).step()
    play.act(8)
    holds, outcome = threading.Event(), []

    def rival() -> None:
        try:
            with server_engine.connect() as connection, connection.begin():
                connection.execute(text("LOCK TABLE events IN EXCLUSIVE MODE"))
                holds.set()
                time.sleep(0.5)
                connection.execute(text("UPDATE markets SET alarm = alarm"))
        except Exception as fault:  # noqa: BLE001 - told to the test
            outcome.append(fault)

    thread = threading.Thread(target=rival)
    thread.start()
    holds.wait()
    try:
        play.indexer(server_engine).step()
    except DatabaseError as fault:
        outcome.append(fault)
    thread.join()
    assert len(outcome) == 1
    assert "deadlock" in str(outcome[0])
    play.indexer(server_engine).step()
    play.assert_fresh(server_engine, tmp_path)
