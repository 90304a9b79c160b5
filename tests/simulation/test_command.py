"""`cairn simulate`: a table, or one JSON document; and what is not known is told with what is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.simulation.attacks import ATTACKS
from benchmarks.simulation.grid import NO_ATTACK
from benchmarks.simulation.partition import Partition
from benchmarks.simulation.presets import PRESETS
from benchmarks.simulation.rules import RULE_NAMES
from marketplace.cli import app
from marketplace.cli.group import ExitCode

SMALL = ("--model", "mlp:4", "--training-samples", "300", "--rounds", "1", "--jobs", "1")


def run(*words: str):
    return CliRunner().invoke(app, ["simulate", *words])


def test_a_table_has_a_row_for_each_rule_and_attack_and_a_second_call_runs_nothing(tmp_path: Path):
    out = tmp_path / "runs.jsonl"
    words = (*SMALL, "--rule", "mean", "--attack", "none", "--attack", "sign-flip", "--attackers", "2")
    result = run(*words, "--seeds", "0-1", "--out", str(out))
    assert result.exit_code == ExitCode.DONE, result.output
    heading, *rows = result.stdout.splitlines()
    assert heading.split()[:4] == ["data", "model", "partition", "rule"]
    assert ["none" in rows[0], "2 x sign-flip 1" in rows[1], len(rows)] == [True, True, 2]
    assert len(out.read_text("utf-8").splitlines()) == 4
    again = run(*words, "--seeds", "0-1", "--out", str(out))
    assert again.stderr.count("in the file already") == 4
    assert again.stdout == result.stdout


def test_with_json_standard_output_is_one_document():
    result = run(*SMALL, "--partition", "iid", "--learning-rate", "0.3", "--json")
    assert result.exit_code == ExitCode.DONE, result.output
    (line,) = json.loads(result.stdout)["results"]
    assert line["setting"]["partition"] == "iid"
    assert line["setting"]["training"]["learning_rate"] == 0.3
    assert len(line["result"]["rounds"]) == 1


@pytest.mark.parametrize(("decay", "shares"), [(None, [4, 1]), (0, [1, 1]), (1, [2, 1]), (2, [4, 1])])
def test_pay_falls_with_the_rounds_as_asked(decay: int | None, shares: list[int]):
    words = () if decay is None else ("--reward-decay", str(decay))
    result = run(*SMALL, "--rounds", "2", *words, "--json")
    assert result.exit_code == ExitCode.DONE, result.output
    (line,) = json.loads(result.stdout)["results"]
    first, second = (sum(found["pay"]) for found in line["result"]["rounds"])
    assert first / second == pytest.approx(shares[0] / shares[1])


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("--preset", "x"), tuple(PRESETS)),
        (("--rule", "x"), RULE_NAMES),
        (("--attack", "x"), tuple(ATTACKS)),
        (("--partition", "x"), tuple(Partition)),
        (("--partition", "by-writer"), ("who wrote each sample",)),
        (("--dataset", "mnist"), ("--data-dir",)),
        (("--seeds", "x"), ("0-4",)),
        (("--reward-decay", "3"), ("reward_decay is 3; it must be from 0 to 2",)),
    ],
)
def test_what_is_not_known_is_told_with_what_is(words: tuple[str, ...], known: tuple[str, ...]):
    result = run(*words, "--jobs", "1")
    assert result.exit_code == ExitCode.REFUSED
    assert all(name in result.stderr for name in known)
    assert result.stdout == ""


def test_the_help_names_every_preset_partition_and_baseline():
    # Lines are broken at spaces and hyphens.
    text = "".join(run("--help").stdout.split())
    for name in (*PRESETS, NO_ATTACK, "mean", "geometric-median", "feature-skew"):
        assert name in text
