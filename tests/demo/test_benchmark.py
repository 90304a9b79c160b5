"""The benchmark judges what it should: gaps, cheats' pay, and digits alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import benchmarks.demo
from benchmarks.demo import SeedResult, as_json, goals, summarise
from benchmarks.environment import machine, versions
from contribution.errors import CairnError
from marketplace import cli
from marketplace.cli import bench, demo
from marketplace.demo.money import money_by_events
from marketplace.demo.run import DemoSettings

GOOD = SeedResult(
    seed=0,
    final_accuracy=0.9,
    fedavg_honest_accuracy=0.91,
    gap_points=1.0,
    poisoner_paid_wei={"sign-flip": 0, "label-flip": 0},
    free_rider_paid_wei=0,
    reward_wei=8 * 10**18,
    honest_selected=0.9,
    honest_unpaid=0,
    seconds=1.0,
)


def met(*results: SeedResult) -> list[bool]:
    return [goal.met for goal in goals(results)]


def test_good_results_meet_every_goal():
    assert all(met(GOOD, GOOD, replace(GOOD, gap_points=-5.0)))


def test_a_median_gap_over_one_and_a_half_points_is_a_miss():
    assert met(*[replace(GOOD, gap_points=1.6)] * 3) == [False, True, True, True, True]
    assert all(met(GOOD, GOOD, replace(GOOD, gap_points=4.0)))


def test_one_gap_over_four_points_is_a_miss():
    assert met(GOOD, GOOD, replace(GOOD, gap_points=4.1)) == [True, False, True, True, True]


def test_one_poisoner_over_a_hundredth_of_the_reward_is_a_miss():
    paid = replace(GOOD, poisoner_paid_wei={"sign-flip": 0, "label-flip": 8 * 10**16 + 10**9})
    assert met(GOOD, GOOD, paid) == [True, True, False, True, True]


def test_poisoners_that_are_paid_more_often_than_not_are_a_miss():
    paid = replace(GOOD, poisoner_paid_wei={"sign-flip": 10, "label-flip": 10})
    assert met(GOOD, paid, paid) == [True, True, True, False, True]


def test_a_wei_for_a_free_rider_is_a_miss():
    assert met(GOOD, GOOD, replace(GOOD, free_rider_paid_wei=1)) == [True, True, True, True, False]


def test_other_data_is_reported_without_judgement():
    bad = [replace(GOOD, gap_points=50.0)]
    assert {goal["met"] for goal in as_json(DemoSettings(dataset="breast-cancer"), bad)["goals"]} == {None}
    assert [goal["met"] for goal in as_json(DemoSettings(), bad)["goals"]] == [False, False, True, True, True]


@pytest.mark.slow
def test_a_report_is_summed_up(short_demo):
    result = summarise(short_demo.report)
    assert result.gap_points == pytest.approx(100 * (result.fedavg_honest_accuracy - result.final_accuracy))
    assert result.poisoner_paid_wei == {"sign-flip": 0, "label-flip": 0}
    assert result.reward_wei == 2 * 10**18
    assert 0 < result.honest_selected <= 1
    honest = [trainer for trainer in short_demo.report["trainers"] if trainer["role"] == "honest"]
    assert result.honest_unpaid == [trainer["paid_wei"] for trainer in honest].count(0) < len(honest)


@pytest.mark.parametrize(("gap", "dataset", "code"), [(1.0, "digits", 0), (9.0, "digits", 1), (9.0, "iris.csv", 0)])
def test_command_ends_with_one_if_a_goal_is_missed(monkeypatch, tmp_path: Path, gap: float, dataset: str, code: int):
    monkeypatch.setattr(benchmarks.demo, "run", lambda settings, _say: [replace(GOOD, gap_points=gap)] * len(settings))
    target = tmp_path / "results" / "demo.json"
    answer = CliRunner().invoke(bench.app, ["demo", "--seeds", "3", "--dataset", dataset, "--json", str(target)])
    assert answer.exit_code == code, answer.output
    written = json.loads(target.read_text("utf-8"))
    assert set(written) == {"machine", "versions", "seed", "results"}
    assert len(written["results"]["seeds"]) == 3
    assert ("MISSED" in answer.output) == bool(code)


def test_machine_and_versions_say_what_ran():
    assert machine()["cores"] >= 1
    assert versions()["numpy"] != "not installed"


def demo_app() -> typer.Typer:
    app = typer.Typer()
    demo.add_commands(app)
    return app


@pytest.mark.slow
def test_command_writes_report_and_plots_where_it_is_told(monkeypatch, short_demo, tmp_path: Path):
    def replayed(settings, progress, _workspace):
        assert settings == DemoSettings(seed=1, rounds=2, trainers=7)
        for event in ("joined", "ended", "withdrawn", "audited"):
            progress(short_demo.run, event)
        return short_demo.run

    monkeypatch.setattr("marketplace.demo.run.run_demo", replayed)
    place, extra = tmp_path / "out", tmp_path / "elsewhere" / "one.json"
    arguments = ["--seed", "1", "--rounds", "2", "--trainers", "7", "--report", str(place), "--json", str(extra)]
    answer = CliRunner().invoke(demo_app(), arguments)
    assert answer.exit_code == 0, answer.output
    assert answer.output.splitlines()[-1].startswith("Settlements: proven on chain")
    files = {"report.json", "audit.html", "accuracy.png", "contribution.png", "money.png"}
    assert {path.name for path in place.iterdir()} == files
    written = json.loads(extra.read_text("utf-8"))
    assert written == json.loads((place / "report.json").read_text("utf-8"))
    assert written["money"] == short_demo.report["money"]
    assert written["machine"] == machine()


@pytest.mark.slow
def test_command_ends_with_one_and_reports_nothing_if_the_money_does_not_add_up(
    monkeypatch, short_demo, tmp_path: Path
):
    def tampered(view):
        money = money_by_events(view)
        return replace(money, paid=money.paid + 1, dust=money.dust - 1)

    monkeypatch.setattr("marketplace.demo.run.run_demo", lambda _settings, _progress, _workspace: short_demo.run)
    monkeypatch.setattr("marketplace.demo.report.money_by_events", tampered)
    answer = CliRunner().invoke(cli.app, ["demo", "--report", str(tmp_path / "out")])
    assert answer.exit_code == 1
    assert "does not add up" in answer.stderr
    assert "deposited" not in answer.stdout
    assert not list((tmp_path / "out").iterdir())


def test_a_report_that_can_not_be_written_is_refused_before_any_work(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("", "utf-8")
    answer = CliRunner().invoke(demo_app(), ["--report", str(blocked / "inside")])
    assert isinstance(answer.exception, CairnError)
    assert "--report" in str(answer.exception)
