"""docs/commands.md is what the commands say, and every command shows how it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from marketplace.cli import app
from marketplace.cli.group import ExitCode
from marketplace.cli.reference import commands, reference

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
COMMANDS = dict(commands(typer.main.get_command(app), "cairn"))


def test_the_page_is_up_to_date() -> None:
    written = PAGE.read_text("utf-8")
    assert written == reference(), "run: python -m marketplace.cli.reference docs/commands.md"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_on_the_page(path: str) -> None:
    assert f"\n## {path}" in PAGE.read_text("utf-8")


@pytest.mark.parametrize(("path", "command"), COMMANDS.items())
def test_every_command_has_help_an_example_and_json(path: str, command: Any) -> None:
    assert command.help, path
    assert f"  {path}" in (command.epilog or ""), f"{path} shows no example"
    assert any("--json" in parameter.opts for parameter in command.params), path


def test_every_exit_code_is_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    assert all(f"| {code.value} | {code.words} |" in page for code in ExitCode)
