"""The command line `cairn`.

Each module holds the commands of one group and imports what they work with inside them.
"""

from __future__ import annotations

import resource
import sys
import traceback

import typer

from marketplace.cli import (
    aggregator,
    audit,
    bench,
    chain,
    data,
    demo,
    doctor,
    explain,
    index,
    jobs,
    keys,
    model,
    money,
    referee,
    round,
    runs,
    settings,
    simulate,
    srs,
    store,
    trainer,
    web,
)
from marketplace.cli.group import CommandGroup, ExitCode

app = typer.Typer(
    name="cairn",
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback(help="A market in which owners pay data holders to train a model together.")(settings.read_settings)
app.add_typer(settings.app, name="config")
app.add_typer(chain.devnet_app, name="devnet")
app.add_typer(keys.app, name="key")
app.add_typer(jobs.app, name="job")
app.add_typer(trainer.app, name="trainer")
app.add_typer(referee.app, name="referee")
app.add_typer(aggregator.app, name="aggregator")
app.add_typer(round.app, name="round")
app.add_typer(audit.app, name="audit")
app.add_typer(index.app, name="index")
app.add_typer(model.app, name="model")
app.add_typer(data.app, name="data")
app.add_typer(srs.app, name="srs")
app.add_typer(store.app, name="store")
app.add_typer(bench.app, name="bench")
demo.add_commands(app)
simulate.add_commands(app)
chain.add_commands(app)
money.add_commands(app)
doctor.add_commands(app)
runs.add_commands(app)
explain.add_commands(app)
web.add_commands(app)


def main() -> None:
    """Run `cairn`; an error that nothing foresaw shows its stack trace and ends with `FAULT_IN_CAIRN`."""
    # The memory of a process that crashes holds keys; it is written nowhere.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        app()
    except Exception:  # noqa: BLE001 - shown in full
        traceback.print_exc()
        sys.exit(ExitCode.FAULT_IN_CAIRN)
