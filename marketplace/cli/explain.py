"""`cairn explain`: what an error's code means and what to do about it."""

from __future__ import annotations

from typing import Annotated

import typer

from marketplace.cli.common import CommandError, JsonOption, Output, examples


def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Such as E0102; it stands in brackets after an error.")],
    as_json: JsonOption = False,
) -> None:
    """Say what an error's code means and what to do about it."""
    from marketplace.cli.error_pages import error_classes, explanation
    from marketplace.error_codes import known_errors

    output = Output(as_json)
    known = next((each for each in known_errors() if each.code == code.upper()), None)
    if known is None:
        raise CommandError(f"{code} is no code of an error; docs/errors.md lists them all.")
    for line in explanation(known, dict(error_classes())):
        output.say(line)
    output.finish({"code": known.code, "kind": known.error, "remedy": known.remedy, "retired": known.retired})


def add_commands(app: typer.Typer) -> None:
    """Add `explain` to the root of the commands."""
    app.command("explain", epilog=examples("cairn explain E0102", "cairn explain e0102 --json"))(explain)
