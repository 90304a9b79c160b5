"""`cairn web`: the market's pages, with what they need around them."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from marketplace.cli.beside import beside
from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    DEFAULT_RPC,
    CommandError,
    DeploymentOption,
    JsonOption,
    Output,
    RpcOption,
    StoreOption,
    examples,
    home,
    srs_directory,
)
from marketplace.cli.group import ExitCode
from marketplace.cli.index import DatabaseOption, FinalityOption
from marketplace.cli.running import MetricsPortOption, PauseOption, stopped_by_signals
from marketplace.cli.web_processes import followed, measured, metrics, pages

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from webapp.settings import WebSettings

LOOPBACK: Final = "127.0.0.1"
_FINALITY: Final = 64
_LOOK_SECONDS: Final = 0.5
# Where the local chain that this command serves is kept, under CAIRN_HOME.
_LOCAL: Final = "local"
_METRICS_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"


def web(
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port to serve on; 0 for any.")] = 8000,
    address: Annotated[
        str, typer.Option("--address", metavar="IP", help="Address to serve on; others than loopback need a proxy.")
    ] = LOOPBACK,
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host",
            metavar="NAME",
            help="Name that the site answers to; may be repeated.  [default: this machine's loopback names]",
            show_default=False,
        ),
    ] = None,
    https: Annotated[
        bool, typer.Option("--https", help="Visitors come by https, through a proxy: strict cookies and transport.")
    ] = False,
    trusted_proxies: Annotated[
        int, typer.Option("--trusted-proxies", metavar="N", min=0, help="Proxies of yours in front of the site.")
    ] = 0,
    requests_per_minute: Annotated[
        int, typer.Option("--requests-per-minute", metavar="N", min=1, help="Of one address; more get 429.")
    ] = 600,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="Processes.  [default: one a core]", show_default=False),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Keep the index at the chain's last block beside.")
    ] = True,
    poll: PauseOption = 1.0,
    finality: FinalityOption = _FINALITY,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    database: DatabaseOption = None,
    store: StoreOption = None,
    held_out: Annotated[
        list[str] | None,
        typer.Option(
            "--held-out",
            metavar="JOB=FILE",
            help="Show how well a job's model does on held-out samples, .npz with x and y or .csv; may be repeated.",
            show_default=False,
        ),
    ] = None,
    metrics_port: MetricsPortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the market's pages until interrupted, and keep their index at the chain's last block beside.

    Without a deployment file, and with nothing at the default node's address, a local chain with a market is served
    too; it is kept under CAIRN_HOME. The pages hold no key and sign nothing.
    """
    output = Output(as_json)
    samples = _held_out(held_out or [])
    with ExitStack() as stack:
        if metrics_port is not None:
            # Read when the measures are made, which is when the app is imported.
            os.environ[_METRICS_DIRECTORY] = stack.enter_context(tempfile.TemporaryDirectory())
        if _is_local(rpc, deployment):
            deployment = stack.enter_context(_local_market(output))
        settings = _settings(database, deployment, rpc, store, host, trusted_proxies, requests_per_minute, https=https)
        follower = None
        if follow:
            output.note("Bringing the index up to the chain.")
            follower = stack.enter_context(followed(settings, rpc, finality, poll))
        if metrics_port is not None:
            stack.enter_context(metrics(settings, metrics_port))
        if samples:
            stack.enter_context(measured(settings, rpc, samples, poll))
        port = free_port(address, port)
        served = stack.enter_context(pages(settings, address, port, workers))
        url = f"http://{'[' + address + ']' if ':' in address else address}:{port}"
        output.say(f"The market's pages are at {url} . Ctrl-C stops.")
        output.finish({"url": url})
        until_stopped(served, follower, output)
    raise typer.Exit(ExitCode.INTERRUPTED)


def _settings(
    database: str | None,
    deployment: Path,
    rpc: str,
    store: str | None,
    hosts: list[str] | None,
    trusted_proxies: int,
    requests_per_minute: int,
    *,
    https: bool,
) -> WebSettings:
    from marketplace.index.database import sqlite_url
    from webapp.settings import LOOPBACK_HOSTS, WebSettings

    return WebSettings(
        database=database or sqlite_url(home() / "index.sqlite"),
        deployment=deployment,
        state_database=sqlite_url(home() / "web" / "state.sqlite"),
        secret_key_file=home() / "web" / "secret-key",
        rpc=rpc,
        store=store or str(home() / "store"),
        srs_directory=srs_directory(),
        allowed_hosts=tuple(hosts) if hosts else LOOPBACK_HOSTS,
        trusted_proxies=trusted_proxies,
        https=https,
        requests_per_minute=requests_per_minute,
    )


def until_stopped(served: BaseProcess, follower: BaseProcess | None, output: Output) -> None:
    """Return when a signal says so.

    Raises
    ------
    CommandError
        If the pages' process ends by itself.
    """
    with stopped_by_signals() as stop:
        while not stop.wait(_LOOK_SECONDS):
            if not served.is_alive():
                raise CommandError("The pages' process has ended by itself; the reason stands above.")
            if follower is not None and not follower.is_alive():
                output.note("The index is no longer followed; the reason stands above. What is shown grows old.")
                follower = None


def free_port(address: str, port: int) -> int:
    """Return the port to serve on; a free one for 0.

    Raises
    ------
    CommandError
        If another program listens there.
    """
    import socket

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as fault:
            raise CommandError(
                f"The pages can't be served on port {port} of {address} ({fault.strerror}); choose another --port."
            ) from fault
        return int(probe.getsockname()[1])


# ---- a local chain, where there is none


def _is_local(rpc: str, deployment: Path) -> bool:
    """Tell whether nothing is named, and nothing is there."""
    if deployment != DEFAULT_DEPLOYMENT or rpc != DEFAULT_RPC or deployment.exists():
        return False
    from contribution.errors import CairnError
    from marketplace.chain.connect import connect

    try:
        connect(rpc)
    except CairnError:
        return True
    raise CommandError(
        f"A chain is served at {rpc}, and there is no deployment file {deployment} of a market on it; write one with "
        "`cairn deploy --dev-account 0`, or name one with --deployment."
    )


@contextmanager
def _local_market(output: Output) -> Iterator[Path]:
    """Serve a local chain with a market, kept under `home`; yield its deployment file."""
    from marketplace.chain.connect import connect
    from marketplace.chain.deployment import deploy, write_deployment
    from marketplace.chain.devnet.accounts import dev_account
    from zk.srs.development import development_key

    directory = home() / _LOCAL
    directory.mkdir(parents=True, exist_ok=True)
    deployment = directory / DEFAULT_DEPLOYMENT
    with beside(_serve_chain, (directory / "chain.sqlite",)):
        if not deployment.exists():
            write_deployment(deployment, deploy(connect(DEFAULT_RPC), dev_account(0), development_key()))
        output.note(f"Local chain at {DEFAULT_RPC}; for other commands: export CAIRN_DEPLOYMENT={deployment}")
        yield deployment


def _serve_chain(ready: Callable[[], None], stop: threading.Event, state: Path) -> None:
    from marketplace.chain.devnet.server import run_devnet

    with run_devnet(state_file=state):
        ready()
        stop.wait()


def _held_out(named: list[str]) -> dict[int, Path]:
    """Return the files of held-out samples by the number of the job that they are for."""
    found: dict[int, Path] = {}
    for each in named:
        job, separator, file = each.partition("=")
        if not (separator and file and job.isascii() and job.isdecimal()):
            raise CommandError(f"--held-out is a job's number and a file, such as 7=held-out.npz, not {each!r}.")
        if int(job) in found:
            raise CommandError(f"--held-out names samples for job {int(job)} twice; one file measures one job.")
        if not Path(file).is_file():
            raise CommandError(f"There is no file {file} of held-out samples for job {int(job)}.")
        found[int(job)] = Path(file)
    return found


def add_commands(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(
        "web",
        epilog=examples(
            "cairn web",
            "cairn web --port 9000 --rpc URL --deployment market.json",
            "cairn web --host market.example.org --https --trusted-proxies 1 --no-follow",
        ),
    )(web)
