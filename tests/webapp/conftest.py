"""One seeded market for all tests of the web app, followed into a SQLite index; a fresh app for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.chain.devnet.anvil import start_anvil
from tests.webapp.quiet import Quiet
from tests.webapp.seed import START, Seeded, seed_market
from webapp.application import create_app
from webapp.settings import WebSettings


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    with start_anvil(start=START, accounts=12) as url:
        yield seed_market(tmp_path_factory.mktemp("market"), url)


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Quiet:
    return Quiet(tmp_path_factory.mktemp("quiet"))


@pytest.fixture
def quiet_app(quiet: Quiet, tmp_path: Path) -> Flask:
    return quiet.app(tmp_path)


def settings_for(seeded: Seeded, directory: Path, **changed) -> WebSettings:
    values = {
        "database": seeded.database,
        "deployment": seeded.deployment_file,
        "state_database": f"sqlite:///{directory / 'web.sqlite'}",
        "secret_key_file": directory / "secret-key",
        "requests_per_minute": 100_000,
    }
    return WebSettings(**(values | changed))


@pytest.fixture
def settings(seeded: Seeded, tmp_path: Path) -> WebSettings:
    return settings_for(seeded, tmp_path)


@pytest.fixture
def app(settings: WebSettings) -> Flask:
    return create_app(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
