"""A campaign can be stopped and resumed, gives the same results in many processes, and outlives bad settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.simulation import campaign
from benchmarks.simulation.campaign import run_campaign
from benchmarks.simulation.errors import CampaignError, ResultsError
from benchmarks.simulation.results import Line, append_result, read_results
from benchmarks.simulation.setting import Setting, setting_from_json
from benchmarks.simulation.table import HEADINGS, rows
from marketplace.cli.group import ExitCode


class Seen:
    """Remembers what a campaign told."""

    def __init__(self) -> None:
        self.known: list[bool] = []

    def __call__(self, line: Line, known: bool) -> None:
        self.known.append(known)


def seeds(tiny: Setting, count: int) -> list[Setting]:
    return [replace(tiny, rounds=1, seed=seed) for seed in range(count)]


def test_what_is_in_the_file_is_not_run_again(tiny: Setting, tmp_path: Path):
    out = tmp_path / "deep" / "runs.jsonl"
    first = run_campaign(seeds(tiny, 2), out, Seen())
    before = out.read_bytes()
    seen = Seen()
    second = run_campaign(seeds(tiny, 3), out, seen)
    assert second[:2] == first
    assert sorted(seen.known) == [False, True, True]
    assert out.read_bytes().startswith(before)
    assert [line["setting"]["seed"] for line in second] == [0, 1, 2]
    assert list(read_results(out)) == [setting.digest for setting in seeds(tiny, 3)]


def test_a_line_says_what_was_run_on_what(tiny: Setting, tmp_path: Path):
    (setting,) = seeds(tiny, 1)
    (line,) = run_campaign([setting, setting], tmp_path / "runs.jsonl", Seen())
    assert json.loads((tmp_path / "runs.jsonl").read_text("utf-8")) == line
    assert setting_from_json(line["setting"]) == setting
    assert line["digest"] == setting.digest
    assert line["seconds"] > 0
    assert line["machine"]["cores"] >= 1
    assert line["versions"]["numpy"]
    assert line["chain_checked"] is False


def test_a_half_written_last_line_is_dropped_and_run_again(tiny: Setting, tmp_path: Path):
    out = tmp_path / "runs.jsonl"
    run_campaign(seeds(tiny, 2), out, Seen())
    whole = out.read_bytes()
    out.write_bytes(whole[:-100])
    seen = Seen()
    run_campaign(seeds(tiny, 2), out, seen)
    assert sorted(seen.known) == [False, True]
    assert [json.loads(text)["result"] for text in out.read_bytes().splitlines()] == [
        json.loads(text)["result"] for text in whole.splitlines()
    ]


def test_an_interrupt_leaves_what_was_done_in_the_file(tiny: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    out = tmp_path / "runs.jsonl"
    settings = seeds(tiny, 3)
    honest = campaign.run_setting

    def interrupted(setting: Setting, *rest: object) -> Line:
        if setting == settings[1]:
            raise KeyboardInterrupt
        return honest(setting)

    monkeypatch.setattr(campaign, "run_setting", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(settings, out, Seen())
    assert list(read_results(out)) == [settings[0].digest]
    assert out.read_bytes().endswith(b"\n")


@pytest.mark.slow
def test_a_campaign_in_many_processes_is_interrupted_at_once_and_goes_on(tmp_path: Path):
    out = tmp_path / "runs.jsonl"
    words = ["simulate", *("--seeds", "0-40", "--rounds", "3", "--jobs", "2", "--out", str(out))]
    # A process that a script starts in the background ignores interrupts otherwise.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program = [sys.executable, "-c", code + "from marketplace.cli import main; main()", *words]
    # In a process group of its own, so that all of its processes get the signal, as from a keyboard.
    process = subprocess.Popen(
        program, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (out.exists() and out.read_bytes()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    answer, words_about_it = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert answer == ""
    assert words_about_it.endswith("cairn: interrupted\n")
    assert "Traceback" not in words_about_it
    done = read_results(out)
    assert 0 < len(done) < 41
    seen = Seen()
    run_campaign([setting_from_json(line["setting"]) for line in done.values()], out, seen)
    assert all(seen.known)


@pytest.mark.slow
def test_two_processes_come_to_the_same_results_as_one(tiny: Setting, tmp_path: Path):
    alone = run_campaign(seeds(tiny, 2), None, Seen())
    together = run_campaign(seeds(tiny, 2), tmp_path / "runs.jsonl", Seen(), jobs=2)
    assert [line["result"] for line in alone] == [line["result"] for line in together]
    assert set(read_results(tmp_path / "runs.jsonl")) == {line["digest"] for line in alone}


def test_a_setting_that_cant_be_run_does_not_keep_the_others_from_it(tiny: Setting, tmp_path: Path):
    good, bad = replace(tiny, rounds=1), replace(tiny, training_samples=1_790)
    with pytest.raises(CampaignError, match=rf"1 of 2 settings.*\n  {bad.digest} .*1797 samples can't be split"):
        run_campaign([bad, good], tmp_path / "runs.jsonl", Seen())
    assert list(read_results(tmp_path / "runs.jsonl")) == [good.digest]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}\n", "Line 1 of .* is no result of this version"),
        ("accuracy,seed\n", "Line 1 of .* is no JSON"),
        ('{"format": "cairn-simulation-0", "digest": "00"}\n', "Line 1 of .* is no result of this version"),
    ],
)
def test_a_file_of_something_else_is_left_alone(tiny: Setting, tmp_path: Path, text: str, message: str):
    out = tmp_path / "runs.jsonl"
    out.write_text(text, "utf-8")
    with pytest.raises(ResultsError, match=message):
        run_campaign([tiny], out, Seen())
    assert out.read_text("utf-8") == text


def test_a_place_that_cant_be_written_is_told_with_the_option(tmp_path: Path):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ResultsError, match="name another file with --out"):
        append_result(tmp_path / "file" / "runs.jsonl", {})


def test_a_row_of_the_table_is_all_seeds_of_one_setting(tiny: Setting):
    settings = [
        *seeds(tiny, 2),
        *(replace(setting, attack="sign-flip", attackers=1) for setting in seeds(tiny, 2)),
    ]
    lines = run_campaign(settings, None, Seen())
    calm, attacked = (dict(zip(HEADINGS, row, strict=True)) for row in rows(lines))
    assert calm["attack"] == "none"
    assert calm["attackers' pay %"] == ""
    assert attacked["attack"] == "1 x sign-flip 1"
    assert attacked["seeds"] == 2
    accuracies = [100 * line["result"]["final_accuracy"] for line in lines[:2]]
    assert calm["accuracy %"] == pytest.approx(sum(accuracies) / 2, abs=0.01)
    assert calm["+-"] == pytest.approx(abs(accuracies[0] - accuracies[1]) / 2**0.5, abs=0.01)
