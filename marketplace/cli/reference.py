"""docs/commands.md, written from the commands themselves: `python -m marketplace.cli.reference docs/commands.md`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from marketplace.cli import app
from marketplace.cli.group import ExitCode

_PREFACE: Final = """# Commands

Written from the commands themselves by `python -m marketplace.cli.reference docs/commands.md`; a test compares it.

Settings come from options, else from the environment, else from the configuration file, else from defaults:

| setting | option | environment | in the file | default |
|---|---|---|---|---|
| node of the chain | `--rpc` | `CAIRN_RPC` | `rpc` | `http://127.0.0.1:8545` |
| deployment file | `--deployment` | `CAIRN_DEPLOYMENT` | `deployment` | `cairn-deployment.json` |
| content store | `--store` | `CAIRN_STORE` | `store` | `store` under `CAIRN_HOME` |
| database of the index | `--database` | `CAIRN_DATABASE` | `database` | `index.sqlite` under `CAIRN_HOME` |
| key | `--key` | `CAIRN_KEY` | `key` | none |
| file with the key's passphrase | `--passphrase-file` | `CAIRN_PASSPHRASE_FILE` | `passphrase_file` | a hidden prompt |
| seconds between two looks at the chain | `--poll` | `CAIRN_POLL` | `poll` | 1 |
| port of metrics and health | `--metrics-port` | `CAIRN_METRICS_PORT` | `metrics_port` | none |
| configuration file | `cairn --config FILE` | `CAIRN_CONFIG` | | `config.toml` under `CAIRN_HOME` |
| keys, content, workspaces, transactions | | `CAIRN_HOME` | | `~/.cairn` |

The configuration file is TOML. `${NAME}` in a text stands for a variable of the environment, `$$` for a dollar sign; a
relative path is meant from where the file lies. Unknown settings are refused, and so are keys, passphrases and
passwords:

```toml
rpc = "https://node.example.org/${NODE_TOKEN}"
deployment = "cairn-deployment.json"
key = "hub"
passphrase_file = "hub.passphrase"
```

A passphrase is asked for without showing it, or read from `--passphrase-file` (a file that only you can read) or
`--passphrase-fd`; never from an argument or the environment, which other processes can read.

With `--json` a command prints exactly one JSON document on standard output and everything else on standard error. An
error is the document `{"error": {"code", "kind", "message", "faults", "remedy", "page"}}`; [errors.md](errors.md) lists
the codes, which never change their meaning. Amounts are integers in wei, or in a token's smallest
unit, and moments seconds since the Unix epoch; amounts exceed the 53 bits that some JSON readers keep.

`cairn --version` prints the version.
"""


def reference() -> str:
    """Return the text of docs/commands.md."""
    lines = [_PREFACE, "## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code.value} | {code.words} |" for code in ExitCode]
    for path, command in commands(typer.main.get_command(app), "cairn"):
        lines += ["", *_section(path, command)]
    return "\n".join(lines) + "\n"


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer's own or click's command
    """Yield every command that can be run, with the words that run it."""
    inner = getattr(command, "commands", {})
    if not inner or getattr(command, "invoke_without_command", False):
        yield path, command
    for name, part in inner.items():
        yield from commands(part, f"{path} {name}")


def _section(path: str, command: Any) -> list[str]:  # noqa: ANN401
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    usage = " ".join([path, *(_argument(argument) for argument in arguments)])
    lines = [f"## {usage}", "", inspect.cleandoc(command.help or ""), ""]
    lines += _examples(command)
    rows = [(f"`{_argument(argument)}`", argument.help or "") for argument in arguments]
    rows += [(f"`{_option(option)}`", _described(option)) for option in options]
    return [*lines, "", "| | |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows)]


def _examples(command: Any) -> list[str]:  # noqa: ANN401
    if not command.epilog:
        return []
    # The first two lines of an epilog mark it as examples.
    return ["```", *(line.strip() for line in command.epilog.splitlines()[2:]), "```"]


def _argument(argument: Any) -> str:  # noqa: ANN401
    return str(argument.metavar or argument.name.upper())


def _option(option: Any) -> str:  # noqa: ANN401
    return option.opts[0] if option.is_flag else f"{option.opts[0]} {option.metavar or 'VALUE'}"


def _described(option: Any) -> str:  # noqa: ANN401
    text = (option.help or "").replace("|", "\\|")
    default = option.default
    if option.is_flag or default is None or callable(default) or "[default" in text:
        return text
    return f"{text} Default: `{default}`."


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), "utf-8")
