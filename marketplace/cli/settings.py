"""`--config` and `cairn config`: where the commands' settings come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    DEFAULT_RPC,
    DeploymentOption,
    JsonOption,
    KeyOption,
    Output,
    PassphraseFileOption,
    RpcOption,
    StoreOption,
    examples,
    home,
    table,
)
from marketplace.cli.group import asked_for_json_early
from marketplace.cli.index import DatabaseOption
from marketplace.cli.running import DEFAULT_PAUSE_SECONDS, MetricsPortOption, PauseOption
from marketplace.configuration import FILE_NAME, SETTINGS, ConfigurationError, Setting, Value, read_configuration
from marketplace.shown_url import shown_url

app = typer.Typer(help="Settings, and where each comes from.", no_args_is_help=True, rich_markup_mode=None)

# Where the root's callback leaves the file that it read in the context that all commands of one call share.
FILE_READ: Final = "marketplace.cli.configuration-file"
_DISTRIBUTION: Final = "cairn-market"
_SOURCES: Final = {"COMMANDLINE": "option", "ENVIRONMENT": "environment", "DEFAULT_MAP": "file", "DEFAULT": "default"}

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="CAIRN_CONFIG",
        metavar="FILE",
        help="Settings of all commands, in TOML.  [default: config.toml under CAIRN_HOME, if it is there]",
        show_default=False,
    ),
]


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"cairn {version(_DISTRIBUTION)}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version, and nothing else."),
]


def read_settings(context: typer.Context, config: ConfigOption = None, _version: VersionOption = False) -> None:
    """Read the configuration file, if there is one, before any command."""
    file = config or home() / FILE_NAME
    if config is None and not file.exists():
        return
    context.meta[FILE_READ] = file
    try:
        context.default_map = defaults(context.command, read_configuration(file, os.environ))
    except ConfigurationError:
        asked_for_json_early(context)
        raise


def defaults(command: Any, values: Mapping[str, Value]) -> dict[str, Any]:  # noqa: ANN401 - typer's own or click's
    """Return what a command and all below it take from the file: value by parameter, by the command's name below that.

    Parameters are recognised by the variable of the environment that they share with a setting.
    """
    by_variable = {setting.variable: values[setting.name] for setting in SETTINGS if setting.name in values}
    taken: dict[str, Any] = {
        parameter.name: [by_variable[parameter.envvar]] if parameter.multiple else by_variable[parameter.envvar]
        for parameter in command.params
        if getattr(parameter, "envvar", None) in by_variable
    }
    inner = getattr(command, "commands", {})
    return taken | {name: defaults(part, values) for name, part in inner.items()}


@app.command(
    "show",
    epilog=examples("cairn config show", "cairn --config hub.toml config show --json", "cairn config show --rpc URL"),
)
def show(
    context: typer.Context,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    database: DatabaseOption = None,
    key: KeyOption = None,
    passphrase_file: PassphraseFileOption = None,
    poll: PauseOption = DEFAULT_PAUSE_SECONDS,
    metrics_port: MetricsPortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every setting and where it comes from: an option, the environment, the configuration file or its default.

    Takes the options that the commands take, to try what they would do. What an address holds behind its host, where
    access tokens stand, is not shown.
    """
    output = Output(as_json)
    given = {
        "rpc": shown_url(rpc),
        "deployment": deployment,
        "store": home() / "store" if store is None else store,
        "database": _shown_database(database),
        "key": key,
        "passphrase_file": passphrase_file,
        "poll": poll,
        "metrics_port": metrics_port,
    }
    rows = [(setting.name, given[setting.name], _origin(context, setting)) for setting in SETTINGS]
    file = context.meta.get(FILE_READ)
    output.say(f"Configuration file: {file or f'none; it would be {home() / FILE_NAME}'}")
    for line in table(["setting", "value", "from"], [[name, _shown(value), origin] for name, value, origin in rows]):
        output.say(line)
    output.say(f"Keys, content, workspaces and transactions lie in {home()} (CAIRN_HOME).")
    settings = {
        name: {"value": value if isinstance(value, int | float | None) else str(value), "from": origin}
        for name, value, origin in rows
    }
    output.finish({"file": None if file is None else str(file), "home": str(home()), "settings": settings})


def _shown_database(url: str | None) -> str:
    if url is None:
        return f"sqlite:///{home() / 'index.sqlite'}"
    # The address of a server can hold a password; that of a file is a path.
    return url if url.startswith("sqlite:") else shown_url(url)


def _shown(value: object) -> object:
    return "none" if value is None else str(value)


def _origin(context: typer.Context, setting: Setting) -> str:
    source = context.get_parameter_source(setting.name)
    kind = _SOURCES[source.name] if source is not None else "default"
    return f"environment, {setting.variable}" if kind == "environment" else kind
