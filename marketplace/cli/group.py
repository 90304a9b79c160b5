"""How every command ends: a sentence and an exit code for what can be expected, a stack trace for what can't."""

from __future__ import annotations

import json
import sys
from enum import IntEnum
from typing import Any, Final

import typer
from typer.core import TyperGroup

from contribution.errors import CairnError
from marketplace.error_codes import error_of

# Where the callback of --json leaves word in the context that all commands of one call share.
JSON_ASKED: Final = "marketplace.cli.json"


_WORDS_GIVEN: Final = "marketplace.cli.words"


class ExitCode(IntEnum):
    """What a command's exit code says; docs/commands.md lists them."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    FAULT_IN_CAIRN = 70
    INTERRUPTED = 130

    @property
    def words(self) -> str:
        """What it says, in words."""
        return _WORDS[self]


_WORDS: Final = {
    ExitCode.DONE: "done",
    ExitCode.REFUSED: "not done, for a reason that is told in a sentence on standard error; or an audit does not hold, "
    "a key's file is damaged, or a benchmark misses a goal",
    ExitCode.USAGE: "the command line is wrong; nothing was tried",
    ExitCode.FAULT_IN_CAIRN: "an error that Cairn should have foreseen; please report the stack trace",
    ExitCode.INTERRUPTED: "interrupted from the keyboard",
}


class CommandGroup(TyperGroup):
    """The root of the commands; turns expected errors into a sentence and an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as below
        """Keep the command line for what fails before the command that it names is known."""
        ctx.meta[_WORDS_GIVEN] = tuple(args)
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the context's module differs between versions of typer
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except CairnError as fault:
            report_error(fault, as_json=JSON_ASKED in ctx.meta)
            raise typer.Exit(ExitCode.REFUSED) from fault
        except Exception as fault:
            if not _is_refusal(fault):
                raise
            report_error(_refusal(fault), as_json=JSON_ASKED in ctx.meta)
            raise typer.Exit(ExitCode.REFUSED) from fault
        except KeyboardInterrupt as interrupt:
            sys.stderr.write("\ncairn: interrupted\n")
            raise typer.Exit(ExitCode.INTERRUPTED) from interrupt


def asked_for_json_early(ctx: Any) -> None:  # noqa: ANN401 - as above
    """Tell an error that comes before the command is known in JSON, if the command line asks for that."""
    if "--json" in ctx.meta.get(_WORDS_GIVEN, ()):
        ctx.meta[JSON_ASKED] = True


def harmless(text: str) -> str:
    """Return text without the characters with which a stranger's words could move a terminal's cursor or colours."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def _is_refusal(fault: Exception) -> bool:
    """Tell whether a node answered a question with an error, such as a rate limit; without loading web3 to do so."""
    web3 = sys.modules.get("web3.exceptions")
    return web3 is not None and isinstance(fault, web3.Web3RPCError)


def _refusal(fault: Exception) -> CairnError:
    from marketplace.chain.errors import RpcRefusalError

    return RpcRefusalError(str(fault))


def report_error(fault: CairnError, *, as_json: bool) -> None:
    """Write an expected error to standard error, and as JSON to standard output if that was asked for."""
    known = error_of(fault)
    sys.stderr.write(f"cairn: {harmless(str(fault))} [{known.code}]\n")
    if as_json:
        error = {
            "code": known.code,
            "kind": type(fault).__name__,
            "message": str(fault),
            "faults": list(getattr(fault, "faults", ())),
            "remedy": known.remedy,
            "page": known.page,
        }
        sys.stdout.write(json.dumps({"error": error}) + "\n")
