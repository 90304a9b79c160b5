"""What a demonstration prints: the rounds as they end, the table, nothing that only colour would tell."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from marketplace.audit.check import Verdict
from marketplace.demo.show import Display, audit_lines, open_console, round_text, standings

pytestmark = pytest.mark.slow


def printed(renderable, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(renderable)
    return console.file.getvalue()


def test_a_round_names_everyone_dropped_with_role_reason_and_numbers(short_demo, settled):
    for result in settled:
        text = round_text(short_demo.run, result).plain
        assert f"{short_demo.run.accuracies[result.number]:.2%}" in text
        assert f"{result.selected} of 7 kept" in text
        dropped = [trainer for trainer in result.trainers if not trainer.selected]
        assert text.count("not kept: trainer") == len(dropped)
        for trainer in dropped:
            assert f"): {trainer.explanation}" in text
        assert "(free rider): dropped as a zero update: squared norm 0" in text


def test_the_table_has_every_share_and_pay_and_fits_80_columns(short_demo, settled):
    text = printed(standings(short_demo.run, settled))
    assert max(map(len, text.splitlines())) <= 80
    for trainer in short_demo.report["trainers"]:
        assert f"{trainer['paid_wei'] / 10**18:.4f}" in text
    for result in settled:
        for trainer in result.trainers:
            assert (f"{100 * trainer.share:.1f}%" if trainer.selected else "drop") in text


def test_the_table_of_many_rounds_shows_the_last(short_demo, settled):
    text = printed(standings(short_demo.run, settled * 10))
    assert max(map(len, text.splitlines())) <= 80


def test_output_that_is_no_terminal_gets_no_control_characters(short_demo):
    console = Console(file=io.StringIO(), width=120, highlight=False)
    with Display(console) as display:
        for event in ("joined", "round", "ended", "withdrawn", "audited"):
            display(short_demo.run, event)
    text = console.file.getvalue()
    assert "\x1b" not in text
    assert text.count("Shapley share by round") == 1
    assert "7 trainers joined" in text
    assert "3 cheat, which is more" in text


def test_a_terminal_gets_the_table_as_it_grows(short_demo):
    console = Console(file=io.StringIO(), width=80, height=40, force_terminal=True, highlight=False)
    with Display(console) as display:
        for event in ("joined", "round", "ended", "withdrawn", "audited"):
            display(short_demo.run, event)
    assert console.file.getvalue().count("Shapley share by round") >= 2


def test_a_pipe_is_as_wide_as_the_lines_need():
    assert open_console().width >= 80


def test_the_audit_is_told_with_what_does_not_hold(short_demo):
    report = short_demo.run.audit
    assert report.holds
    assert audit_lines(report)[0].startswith("Audit from the chain and the content store alone: every check holds")
    spoiled = replace(report, checks=(replace(report.checks[0], verdict=Verdict.FAILS), *report.checks[1:]))
    head, line = audit_lines(spoiled)
    assert "NOT every check holds" in head
    assert line == f"  FAILS: {report.checks[0].subject}, {report.checks[0].name}: {report.checks[0].detail}"
