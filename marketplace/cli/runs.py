"""`cairn status`, `cairn logs` and `cairn stop`: the long-running parties of this machine."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketplace.cli.common import JsonOption, Output, examples, moment, table
from marketplace.cli.running import runs_directory

if TYPE_CHECKING:
    from marketplace.operations.runs import FoundRun

FOLLOW_SECONDS = 0.5

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Name of the run; see `cairn status`.")]


def status(as_json: JsonOption = False) -> None:
    """List the aggregators, trainers and referees that this machine runs or ran, by the name of each run.

    A run is running, ended with its job, stopped by a signal, failed by an error that nothing foresaw, or killed, which
    is what is said of a process that is gone without a word. The last one of each name is kept.
    """
    from marketplace.operations.runs import find_runs

    output, found = Output(as_json), find_runs(runs_directory())
    rows = [
        (each.run.name, each.state.value, each.run.pid, moment(each.run.started), moment(each.last_step))
        for each in found
    ]
    if not rows:
        output.say(f"Nothing runs, and nothing ran, with its records in {runs_directory()}.")
    else:
        for line in table(["run", "state", "process", "started", "last step"], rows):
            output.say(line)
    output.finish({"runs": [_described(each) for each in found]})


def logs(
    run: RunArgument,
    lines: Annotated[int, typer.Option("--lines", metavar="N", min=1, help="How many of the last records.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes, until interrupted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the log of a run; the file that it names has a JSON object a line."""
    from marketplace.operations.log import read_log
    from marketplace.operations.runs import find_run

    if follow and as_json:
        raise typer.BadParameter("--follow never ends and --json is one document; follow the file itself")
    output, found = Output(as_json), find_run(runs_directory(), run)
    file = Path(found.run.log)
    size = file.stat().st_size if file.is_file() else 0
    records = read_log(file, lines)
    for record in records:
        output.say(record.for_people())
    output.note(f"The log is {file}.")
    output.finish(
        {
            "run": run,
            "file": str(file),
            "records": [{k: v for k, v in asdict(r).items() if v is not None} for r in records],
        }
    )
    if follow:
        _follow(file, size, output)


def stop(
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Names; see `cairn status`.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Stop all that run.")] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait for the end of a step.")
    ] = 120.0,
    as_json: JsonOption = False,
) -> None:
    """Ask runs to stop after the step that they are in, and wait until they have.

    Nothing is lost by it: started again with the same command, a party goes on where it was. But the job goes on
    without it meanwhile, and a party that is silent for a window loses by it.
    """
    from marketplace.operations.runs import State, find_run, find_runs, stop_run

    output, directory = Output(as_json), runs_directory()
    if bool(runs) == every:
        raise typer.BadParameter("name the runs to stop, or give --all")
    found = [find_run(directory, name) for name in runs or ()]
    found = found or [each for each in find_runs(directory) if each.state is State.RUNNING]
    stopped = []
    for each in found:
        if stop_run(directory, each, timeout):
            stopped.append(each.run.name)
            output.say(f"Stopped {each.run.name}.")
        else:
            output.say(f"{each.run.name} was not running.")
    output.finish({"stopped": stopped})


def _follow(file: Path, position: int, output: Output) -> None:
    """Show what is appended to a log from a position on; a log that was rotated begins again."""
    from marketplace.operations.log import parse_record

    rest = b""
    while True:
        size = file.stat().st_size if file.is_file() else 0
        if size < position:
            position, rest = 0, b""
        if size > position:
            with file.open("rb") as stream:
                stream.seek(position)
                *whole, rest = (rest + stream.read(size - position)).split(b"\n")
            position = size
            for record in filter(None, map(parse_record, whole)):
                output.say(record.for_people())
            sys.stdout.flush()
        time.sleep(FOLLOW_SECONDS)


def _described(found: FoundRun) -> dict[str, Any]:
    return {**asdict(found.run), "state": found.state.value, "last_step": found.last_step}


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the root of the commands."""
    app.command("status", epilog=examples("cairn status", "cairn status --json"))(status)
    app.command("logs", epilog=examples("cairn logs aggregator-7-3c44cd", "cairn logs trainer-7-90f79b --follow"))(logs)
    app.command("stop", epilog=examples("cairn stop aggregator-7-3c44cd", "cairn stop --all --timeout 600"))(stop)
