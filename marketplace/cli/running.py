"""What the long-running commands share: the job's view, a workspace, a way to stop, and what is said on the way."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from marketplace.cli.common import CommandError, Output, home, open_market, open_store, srs_directory
from marketplace.cli.group import ExitCode

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from eth_typing import ChecksumAddress

    from marketplace.chain.market import Market
    from marketplace.operations.log import Log
    from marketplace.operations.runs import RunRecord
    from marketplace.operations.witness import PartyWitness
    from marketplace.parties.following import Party
    from marketplace.parties.view import JobView

JobArgument = Annotated[int, typer.Argument(metavar="JOB", min=1, help="Number of the job; see `cairn job list`.")]
WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIRECTORY",
        help="Where this party keeps what must survive a restart.  [default: under CAIRN_HOME, by job and account]",
        show_default=False,
    ),
]
PauseOption = Annotated[
    float,
    typer.Option(
        "--poll", envvar="CAIRN_POLL", metavar="SECONDS", min=0.1, help="Time between two looks at the chain."
    ),
]
DEFAULT_PAUSE_SECONDS: Final = 1.0
MetricsPortOption = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        envvar="CAIRN_METRICS_PORT",
        metavar="PORT",
        min=0,
        max=65_535,
        help="Serve /metrics, /health and /ready on this port of loopback; 0 for any.",
    ),
]


@dataclass(frozen=True)
class Connection:
    """Where a command finds the chain and the content: its options of the same names."""

    rpc: str
    deployment: Path
    store: str | None

    def view(self, job: int) -> JobView:
        """Return the job's view.

        Raises
        ------
        CairnError
            If chain or market can't be reached, or there is no such job.
        """
        from marketplace.parties.view import JobView

        return JobView(open_market(self.rpc, self.deployment), open_store(self.store), job, srs_directory())


def workspace_of(view: JobView, account: ChecksumAddress, named: Path | None) -> Path:
    """Return the workspace of an account in a job."""
    return named or jobs_directory(view.market) / str(view.job) / account.lower()


def jobs_directory(market: Market) -> Path:
    """Return where the workspaces of a market's jobs lie."""
    return home() / "jobs" / f"{market.deployment.chain_id}-{market.deployment.market.lower()}"


def runs_directory() -> Path:
    """Return where the long-running processes of this machine are recorded."""
    return home() / "run"


def run_party(
    party: Party, account: LocalAccount, output: Output, pause: float, role: str, metrics_port: int | None
) -> None:
    """Let a party work until its job ends; say and log what it does, and at the end what it can withdraw.

    Raises
    ------
    typer.Exit
        With `INTERRUPTED` if the process was told to stop before.
    """
    from marketplace.operations.runs import State
    from marketplace.parties.following import follow

    view = party.view
    output.say(f"Job {view.job} on chain {view.market.deployment.chain_id}, as {account.address}. Ctrl-C stops.")
    with _recorded(party, account, output, role, metrics_port) as (witness, record, log):
        with stopped_by_signals() as stop:
            ended = follow(party, witness, pause=pause, stop=stop)
        outcome = State.ENDED if ended else State.STOPPED
        log.write(outcome.value, "the job has ended" if ended else "told to stop before the job ended")
        record.finish(outcome)
    if not ended:
        output.note("Stopped before the job ended; start the same command again to go on.")
        raise typer.Exit(ExitCode.INTERRUPTED)
    _say_what_is_due(party, account, output)


@contextmanager
def _recorded(
    party: Party, account: LocalAccount, output: Output, role: str, metrics_port: int | None
) -> Iterator[tuple[PartyWitness, RunRecord, Log]]:
    """Record the run, open its log and serve its metrics; what ends it unforeseen is noted."""
    from marketplace.operations.log import open_log
    from marketplace.operations.metrics import Metrics, serve_metrics
    from marketplace.operations.runs import Run, State, record_run
    from marketplace.operations.witness import PartyWitness

    view, started = party.view, int(time.time())
    deployment, metrics = view.market.deployment, Metrics(role, view.job)

    with ExitStack() as stack:
        url = None if metrics_port is None else stack.enter_context(serve_metrics(metrics, metrics_port))

        def describe(name: str) -> Run:
            place = (deployment.chain_id, deployment.market, view.job, account.address)
            return Run(name, role, *place, os.getpid(), started, str(home() / "logs" / f"{name}.jsonl"), url)

        name = f"{role}-{view.job}-{account.address[2:8].lower()}"
        record = stack.enter_context(record_run(runs_directory(), describe, name))
        log = stack.enter_context(open_log(Path(record.run.log), record.run.name, view.job))
        log.write("started", f"job {view.job} on chain {deployment.chain_id} as {account.address}")
        output.note(f"This run is {record.run.name}: cairn status, cairn logs, cairn stop.")
        if url is not None:
            output.note(f"Metrics are served at {url}.")
        balance = partial(view.market.w3.eth.get_balance, account.address)
        try:
            yield (
                PartyWitness(lambda line: output.say(f"{clock()}  {line}"), log, metrics, record, balance),
                record,
                log,
            )
        except Exception as fault:
            log.write("failed", f"ended by an error that nothing foresaw, {type(fault).__name__}", level="error")
            record.finish(State.FAILED)
            raise


def _say_what_is_due(party: Party, account: LocalAccount, output: Output) -> None:
    from marketplace.cli.job_report import currency_of
    from marketplace.job.quantities import format_amount

    view = party.view
    progress = view.market.progress(view.job)
    amount = view.market.withdrawable(view.job, account.address)
    words = format_amount(amount, currency_of(view.market, view.terms))
    output.say(f"The job is {progress.job_state.name.lower()} after {progress.settled_rounds} settled rounds.")
    output.say(f"{account.address} can withdraw {words}: cairn withdraw {view.job}")
    output.finish(_summary(view.job, account.address, progress.job_state.name.lower(), amount))


def _summary(job: int, account: str, state: str, amount: int) -> dict[str, Any]:
    return {"job": job, "account": account, "state": state, "withdrawable_wei": amount}


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT and SIGTERM set, so that a step under way is finished; a second signal ends it too."""
    stop = threading.Event()
    kinds = (signal.SIGINT, signal.SIGTERM)

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        for kind, handler in before.items():
            signal.signal(kind, handler)

    before = {kind: signal.signal(kind, end) for kind in kinds}
    try:
        yield stop
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def clock() -> str:
    """Return the time of day, UTC, as logs show it."""
    return f"{datetime.now(UTC):%H:%M:%S}"


def confirm(question: str, *, yes: bool) -> None:
    """Ask for a yes unless it was given on the command line.

    Raises
    ------
    CommandError
        If the answer is no, or nobody is there to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError("Nobody is there to confirm this; look at it once by hand, then run again with --yes.")
    if not typer.confirm(question, err=True):
        raise CommandError("Not confirmed; nothing was sent.")
