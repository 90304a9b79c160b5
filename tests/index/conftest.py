"""The index's tests run on SQLite and on PostgreSQL; the chains that they follow are anvil's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from web3 import HTTPProvider, Web3

from benchmarks.postgresql import NoPostgresqlError, create_database, serve_postgresql
from marketplace.chain.deployment import deploy
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.anvil import start_anvil
from marketplace.index.database import open_database, sqlite_url
from marketplace.index.schema import upgrade
from tests.index.play import START, Play
from zk.srs.development import development_key

_WITHOUT = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server: the one that CAIRN_TEST_POSTGRESQL names, or one of the tests' own."""
    named = os.environ.get("CAIRN_TEST_POSTGRESQL")
    if named:
        yield named
        return
    try:
        with serve_postgresql(durable=False) as url:
            yield url
    except NoPostgresqlError as fault:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have PostgreSQL: {fault}")
        request.config.stash[_WITHOUT] = str(fault)
        pytest.skip(str(fault))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    fault = config.stash.get(_WITHOUT, None)
    if fault is not None:
        terminalreporter.write_line(f"NOTHING WAS TESTED ON POSTGRESQL: {fault}", red=True, bold=True)


@pytest.fixture(scope="session")
def shared_database(postgresql: str) -> str:
    """The URL of the server's one database for tests: each of its own would be hundreds of files to make and remove."""
    return create_database(postgresql, f"test_{os.getpid()}")


@pytest.fixture
def server_database(shared_database: str) -> str:
    """The URL of an empty database of the server, to which nobody is connected."""
    with psycopg.connect(shared_database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return shared_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "index.sqlite")
    return str(request.getfixturevalue("server_database"))


@pytest.fixture
def empty(database: str) -> Iterator[Engine]:
    opened = open_database(database)
    yield opened
    opened.dispose()


@pytest.fixture
def engine(empty: Engine) -> Engine:
    upgrade(empty)
    return empty


@pytest.fixture(scope="session")
def anvil() -> Iterator[Play]:
    with start_anvil(start=START, accounts=12) as url:
        w3 = Web3(HTTPProvider(url))
        yield Play(w3, deploy(w3, dev_account(0), development_key()))


@pytest.fixture
def play(anvil: Play) -> Iterator[Play]:
    """A market on a chain that is taken back when the test is over."""
    before = anvil.rpc("evm_snapshot")
    anvil.forget()
    yield anvil
    anvil.rpc("anvil_dropAllTransactions")
    anvil.rpc("evm_setAutomine", True)
    anvil.rpc("evm_revert", before)
