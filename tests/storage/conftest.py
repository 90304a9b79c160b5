"""Nodes and gateways for the tests of stores."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from marketplace.storage.kubo import KuboStore
from marketplace.storage.locations import open_location
from tests.storage.servers import recorded, replayed

# What js-ipfs answered: see the file's "origin".
ANSWERS = Path(__file__).parent / "data" / "kubo-rpc.json"
# Set by `./scripts/test --kubo`: the RPC of a real node, used instead of what was recorded.
REAL = os.environ.get("CAIRN_TEST_KUBO", "")
# Set by hand, with the above: write what the node answers to this file.
RECORD = os.environ.get("CAIRN_TEST_KUBO_RECORD", "")


@pytest.fixture(scope="session")
def recording() -> Iterator[dict[str, Any]]:
    tests: dict[str, Any] = {}
    yield tests
    if RECORD:
        document = {"origin": os.environ["CAIRN_TEST_KUBO_ORIGIN"], "tests": tests}
        Path(RECORD).write_text(json.dumps(document, indent=1) + "\n", "utf-8")


@pytest.fixture
def node(request: pytest.FixtureRequest, recording: dict[str, Any]) -> Iterator[KuboStore]:
    """A node that serves Kubo's RPC: a real one if there is one, else what one answered."""
    name = request.node.name
    if not REAL:
        with replayed(ANSWERS, name) as server:
            yield _store(server.kubo)
        return
    if not RECORD:
        yield _store(f"kubo+{REAL}")
        return
    with recorded(urlsplit(REAL).port or 0, recording.setdefault(name, [])) as server:
        yield _store(server.kubo)


def _store(url: str) -> KuboStore:
    store = open_location(url)
    assert isinstance(store, KuboStore)
    return store
