"""Two jobs that every test of the audit looks at, and ways to lie about them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from marketplace.audit.check import Verdict
from marketplace.audit.job import Options
from marketplace.audit.logs import event_of, parse_log
from marketplace.audit.report import Report
from marketplace.audit.run import Sources, audit
from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import MARKET
from marketplace.chain.market import Market
from tests.audit.scenarios import completed, eventful
from tests.lying_node import Lie, lying
from tests.parties.conftest import SmallMarket


@dataclass(frozen=True)
class Audited:
    """A finished job and how to audit it, with or without lies."""

    small: SmallMarket

    @property
    def market(self) -> Market:
        return self.small.market

    def sources(self, **changed: Any) -> Sources:
        view = self.small.view
        return replace(Sources(view.market, view.store, view.srs_directory), **changed)

    def audit(self, scope: str | int = "job", options: Options | None = None, **changed: Any) -> Report:
        return audit(self.sources(**changed), self.small.job, scope, options)[0]

    def lying(self, lie: Lie) -> Market:
        """The market at a node that lies."""
        return Market(lying(self.market.w3, lie), self.market.deployment)

    def head(self) -> bytes:
        return bytes(self.market.w3.eth.get_block("latest")["hash"])

    def store_copy(self, directory: Path) -> Path:
        """A copy of the content store, to be spoiled."""
        return Path(shutil.copytree(self.small.workspace / "store", directory / "store"))

    def record(self, number: int):
        return self.small.view.history().rounds[number]


def failing(report: Report) -> set[tuple[str, str]]:
    """Subject and name of every check that does not hold."""
    return {(check.subject, check.name) for check in report.checks if check.verdict is not Verdict.HOLDS}


def detail(report: Report, subject: str, name: str) -> str:
    (check,) = [check for check in report.checks if (check.subject, check.name) == (subject, name)]
    return check.detail


def altered_event(
    audited: Audited, name: str, change: Callable[[dict[str, Any]], dict[str, Any]], place: int = 0
) -> Lie:
    """Tell one of the events of a name otherwise."""
    return _on_logs(audited, name, place, lambda log, event: [_encoded(name, log, change(dict(event.arguments)))])


def dropped_event(audited: Audited, name: str, place: int = 0) -> Lie:
    """Leave an event out."""
    return _on_logs(audited, name, place, lambda log, event: [])


def added_event(
    audited: Audited, after: str, change: Callable[[dict[str, Any]], dict[str, Any]], place: int = 0
) -> Lie:
    """Tell an event a second time, otherwise, as if the next log of the same block were it."""

    def double(log, event):
        second = _encoded(after, log, change(dict(event.arguments)))
        return [log, {**second, "logIndex": hex(int(log["logIndex"], 16) + 100)}]

    return _on_logs(audited, after, place, double)


def _on_logs(audited: Audited, name: str, place: int, change) -> Lie:
    def lie(method, params, result):
        if method != "eth_getLogs":
            return result
        told, seen = [], -1
        for log in result:
            event = event_of(parse_log(log))
            seen += event.name == name
            told += change(log, event) if event.name == name and seen == place else [log]
        return told

    return lie


def _encoded(name: str, log: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """A log with other arguments."""
    (abi,) = [entry for entry in load_artifact(MARKET).abi if entry.get("name") == name and entry["type"] == "event"]
    topics, plain = [log["topics"][0]], []
    for entry in abi["inputs"]:
        value = arguments[entry["name"]]
        if entry["indexed"]:
            topics.append("0x" + encode([_kind(entry)], [value]).hex())
        else:
            plain.append((_kind(entry), tuple(value.values()) if entry["type"] == "tuple" else value))
    data = encode([kind for kind, _ in plain], [value for _, value in plain])
    return {**log, "topics": topics, "data": "0x" + data.hex()}


def _kind(entry: dict[str, Any]) -> str:
    if entry["type"] != "tuple":
        return str(entry["type"])
    return "(" + ",".join(_kind(part) for part in entry["components"]) + ")"


def pytest_collection_modifyitems(items):
    """What needs the eventful job is left to ./scripts/test."""
    for item in items:
        if {"rich", "rich_page"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def plain(tmp_path_factory) -> Audited:
    """A job of three rounds in which nothing special happened."""
    return Audited(completed(tmp_path_factory.mktemp("plain")))


@pytest.fixture(scope="session")
def rich(tmp_path_factory) -> Audited:
    """A job in which everything happened that can befall an honest one."""
    return Audited(eventful(tmp_path_factory.mktemp("rich")))


def block_of(store: Path, cid: object) -> Path:
    """The file of a content's first block."""
    return store / str(cid)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
