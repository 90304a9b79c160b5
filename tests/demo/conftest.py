"""One short demonstration, which every test here looks at and none changes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from marketplace.demo.report import Findings, Report, build_report, examine
from marketplace.demo.run import DemoRun, DemoSettings, run_demo
from marketplace.demo.settlements import RoundResult


@dataclass(frozen=True)
class ShortDemo:
    run: DemoRun
    findings: Findings
    report: Report
    events: list[str]


@pytest.fixture(scope="session")
def short_demo(tmp_path_factory: pytest.TempPathFactory) -> ShortDemo:
    events: list[str] = []
    run = run_demo(
        DemoSettings(seed=1, rounds=2, trainers=7),
        lambda _run, event: events.append(event),
        tmp_path_factory.mktemp("demo"),
    )
    findings = examine(run)
    environment = {"machine": {"cores": 1}, "versions": {"python": "3"}}
    return ShortDemo(run, findings, build_report(run, findings, environment), events)


@pytest.fixture
def settled(short_demo: ShortDemo) -> list[RoundResult]:
    return short_demo.findings.rounds
