"""Every command ends with a sentence and an exit code."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner
from web3.exceptions import Web3RPCError

from contribution.errors import CairnError
from marketplace import cli
from marketplace.cli.common import JsonOption, Output, moment, table
from marketplace.cli.group import CommandGroup, ExitCode
from marketplace.errors import DimensionError
from tests.cli.conftest import cairn


def group_that_raises(fault: BaseException) -> typer.Typer:
    app = typer.Typer(cls=CommandGroup, pretty_exceptions_enable=False)

    @app.command()
    def fail(as_json: JsonOption = False) -> None:
        raise fault

    @app.command()
    def other() -> None:
        pass

    return app


def test_expected_errors_are_one_sentence_and_exit_code_1() -> None:
    result = CliRunner().invoke(group_that_raises(CairnError("No.")), ["fail"])
    assert (result.exit_code, result.stdout, result.stderr) == (ExitCode.REFUSED, "", "cairn: No. [E0001]\n")


def test_expected_errors_are_a_document_with_json() -> None:
    result = CliRunner().invoke(group_that_raises(CairnError("No.")), ["fail", "--json"])
    assert result.exit_code == ExitCode.REFUSED
    error = json.loads(result.stdout)["error"]
    assert error.pop("remedy").startswith("Do what the sentence says")
    page = "docs/errors.md#e0001"
    assert error == {"code": "E0001", "kind": "CairnError", "message": "No.", "faults": [], "page": page}
    assert result.stderr == "cairn: No. [E0001]\n"


def test_every_error_is_told_with_the_code_of_its_class() -> None:
    fault = DimensionError("update", 1, 2)
    result = CliRunner().invoke(group_that_raises(fault), ["fail", "--json"])
    assert result.stderr == f"cairn: {fault} [E0603]\n"
    assert json.loads(result.stdout)["error"]["code"] == "E0603"


def test_a_code_is_explained() -> None:
    assert "What to do: Make the vector for the model of this job." in cairn("explain", "e0603").stdout
    refusal = cairn("explain", "E9999")
    assert (refusal.exit_code, refusal.stdout) == (ExitCode.REFUSED, "")
    assert "E9999 is no code of an error" in refusal.stderr


def test_strangers_words_can_not_drive_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).say("title\x1b[2J\u202e")
    assert capsys.readouterr().out == "title\ufffd[2J\ufffd\n"
    result = CliRunner().invoke(group_that_raises(CairnError("\x1b]0;x\x07")), ["fail"])
    assert result.stderr == "cairn: \ufffd]0;x\ufffd [E0001]\n"


def test_a_node_that_refuses_is_told() -> None:
    result = CliRunner().invoke(group_that_raises(Web3RPCError("too many requests")), ["fail"])
    assert result.exit_code == ExitCode.REFUSED
    assert result.stderr.startswith("cairn: The node refuses to answer: too many requests.")


def test_interrupts_are_exit_code_130() -> None:
    result = CliRunner().invoke(group_that_raises(KeyboardInterrupt()), ["fail"])
    assert (result.exit_code, result.stderr) == (ExitCode.INTERRUPTED, "\ncairn: interrupted\n")


def test_errors_that_nothing_foresaw_show_a_stack_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "app", group_that_raises(ZeroDivisionError("oh")))
    monkeypatch.setattr(sys, "argv", ["cairn", "fail"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == ExitCode.FAULT_IN_CAIRN
    assert "ZeroDivisionError: oh" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["job", "show"], ["job", "show", "one"], ["job", "show", "0"]]
)
def test_wrong_command_lines_are_exit_code_2(arguments: list[str]) -> None:
    assert cairn(*arguments).exit_code == ExitCode.USAGE


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    told = cairn("--version")
    assert (told.exit_code, told.stdout) == (ExitCode.DONE, f"cairn {project['version']}\n")
    assert "--version" in cairn("--help").stdout


def test_the_version_is_told_whatever_the_configuration_file_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text("nonsense", "utf-8")
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path))
    assert cairn("--version").exit_code == ExitCode.DONE
    assert cairn("key", "list").exit_code == ExitCode.REFUSED


def test_tables_align_and_moments_are_utc() -> None:
    assert table(["name", "n"], [["a", 1], ["long", 10]]) == ["name   n", "a      1", "long  10"]
    assert moment(1_767_225_600) == "2026-01-01 00:00:00 UTC"
