"""`cairn web`: the market's pages, with what they need around them."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

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
from marketplace.cli.group import ExitCode, report_error
from marketplace.cli.index import DatabaseOption, FinalityOption, make_indexer, open_engine
from marketplace.cli.running import MetricsPortOption, PauseOption, clock, stopped_by_signals

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from marketplace.index.indexer import Step
    from webapp.settings import WebSettings

_LOOPBACK: Final = "127.0.0.1"
_FINALITY: Final = 64
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.5
# Where the local chain that this command serves is kept, under CAIRN_HOME.
_LOCAL: Final = "local"
_METRICS_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"


def web(
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port to serve on; 0 for any.")] = 8000,
    address: Annotated[
        str, typer.Option("--address", metavar="IP", help="Address to serve on; others than loopback need a proxy.")
    ] = _LOOPBACK,
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
    metrics_port: MetricsPortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the market's pages until interrupted, and keep their index at the chain's last block beside.

    Without a deployment file, and with nothing at the default node's address, a local chain with a market is served
    too; it is kept under CAIRN_HOME. The pages hold no key and sign nothing.
    """
    output = Output(as_json)
    with ExitStack() as stack:
        if metrics_port is not None:
            # Read when the measures are made, which is when the app is imported.
            os.environ[_METRICS_DIRECTORY] = stack.enter_context(tempfile.TemporaryDirectory())
        if _is_local(rpc, deployment):
            deployment = stack.enter_context(_local_market(output))
        follower = None
        if follow:
            follower = stack.enter_context(_followed(database, rpc, deployment, store, finality, poll, output))
        if metrics_port is not None:
            stack.enter_context(_metrics(database, deployment, metrics_port))
        settings = _settings(database, deployment, rpc, store, host, trusted_proxies, requests_per_minute, https=https)
        port = _port(address, port)
        pages = stack.enter_context(_beside(_serve, (settings, address, port, workers)))
        url = f"http://{'[' + address + ']' if ':' in address else address}:{port}"
        output.say(f"The market's pages are at {url} . Ctrl-C stops.")
        output.finish({"url": url})
        _until_stopped(pages, follower, output)
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


def _until_stopped(pages: BaseProcess, follower: BaseProcess | None, output: Output) -> None:
    """Return when a signal says so.

    Raises
    ------
    CommandError
        If the pages' process ends by itself.
    """
    with stopped_by_signals() as stop:
        while not stop.wait(_LOOK_SECONDS):
            if not pages.is_alive():
                raise CommandError("The pages' process has ended by itself; the reason stands above.")
            if follower is not None and not follower.is_alive():
                output.note("The index is no longer followed; the reason stands above. What is shown grows old.")
                follower = None


def _serve(
    ready: Callable[[], None],
    stop: threading.Event,
    settings: WebSettings,
    address: str,
    port: int,
    workers: int | None,
) -> None:
    from webapp.server import Server

    server = Server(settings, address, port, workers, ready)
    # gunicorn has handlers of its own; the process that started this one may end without a word.
    threading.Thread(target=_end_with, args=(stop,), daemon=True).start()
    server.run()


def _end_with(stop: threading.Event) -> None:
    stop.wait()
    os.kill(os.getpid(), signal.SIGTERM)


def _port(address: str, port: int) -> int:
    """Return the port to serve on; a free one for 0."""
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
    with _beside(_serve_chain, (directory / "chain.sqlite",)):
        if not deployment.exists():
            write_deployment(deployment, deploy(connect(DEFAULT_RPC), dev_account(0), development_key()))
        output.note(f"Local chain at {DEFAULT_RPC}; for other commands: export CAIRN_DEPLOYMENT={deployment}")
        yield deployment


def _serve_chain(ready: Callable[[], None], stop: threading.Event, state: Path) -> None:
    from marketplace.chain.devnet.server import run_devnet

    with run_devnet(state_file=state):
        ready()
        stop.wait()


# ---- the index, and what is measured


@contextmanager
def _followed(
    database: str | None, rpc: str, deployment: Path, store: str | None, finality: int, poll: float, output: Output
) -> Iterator[BaseProcess]:
    """Keep the index at the chain's last block in a process of its own, from when it is there once."""
    output.note("Bringing the index up to the chain.")
    with _beside(_follow, (database, rpc, deployment, store, finality, poll)) as process:
        yield process


def _follow(
    ready: Callable[[], None],
    stop: threading.Event,
    database: str | None,
    rpc: str,
    deployment: Path,
    store: str | None,
    finality: int,
    poll: float,
) -> None:
    from marketplace.chain.local_chains import LOCAL_CHAIN_IDS
    from marketplace.cli.common import open_store
    from marketplace.index.errors import DeepReorganisationError, LaggingNodeError
    from marketplace.index.following import follow
    from marketplace.index.texts import fetch_texts

    output = Output(as_json=True)
    engine, content = open_engine(database, upgraded=True), open_store(store)
    indexer = make_indexer(engine, [rpc], deployment, finality, trust_node=False, output=output)
    try:
        indexer.step()
    except (DeepReorganisationError, LaggingNodeError):
        if indexer.deployment.chain_id not in LOCAL_CHAIN_IDS:
            raise
        # A local chain that began anew has nothing in common with what was indexed of the one before.
        output.note("The local chain began anew; so does the index.")
        indexer.rebuild()

    def fetch(_step: Step | None = None) -> None:
        fetch_texts(engine, content)

    fetch()
    ready()
    # From here on every block would be told.
    indexer.progress = lambda _: None
    follow(
        indexer,
        lambda line: output.note(f"{clock()}  index: {line}"),
        pause=poll,
        stop=stop,
        after=fetch,
    )


@contextmanager
def _metrics(database: str | None, deployment: Path, port: int) -> Iterator[None]:
    with _beside(_serve_metrics, (database, deployment, port)):
        yield


def _serve_metrics(
    ready: Callable[[], None], stop: threading.Event, database: str | None, deployment: Path, port: int
) -> None:
    from marketplace.chain.deployment import read_deployment
    from marketplace.index.errors import MarketIndexError
    from marketplace.index.store import pointer_of
    from marketplace.operations.metrics import serve_metrics
    from webapp.measures import WebMetrics

    where, engine = read_deployment(deployment), open_engine(database, upgraded=False)

    def reason() -> str | None:
        try:
            return pointer_of(engine, where.chain_id, where.market).alarm
        except MarketIndexError as fault:
            return str(fault)

    with serve_metrics(WebMetrics(reason), port) as url:
        Output(as_json=True).note(f"Metrics are served at {url}.")
        ready()
        stop.wait()


# ---- processes beside this one


@contextmanager
def _beside(work: Callable[..., None], arguments: tuple[Any, ...]) -> Iterator[BaseProcess]:
    """Run a function in a process of its own, from when it says that it is ready until the context ends; yield it.

    Raises
    ------
    CommandError
        If it ends or takes too long before it is ready.
    """
    spawn = get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=_run, args=(work, ready, arguments), daemon=True)
    process.start()
    try:
        _await(process, ready.is_set)
        yield process
    finally:
        process.terminate()
        process.join(_STOP_SECONDS)
        if process.is_alive():
            process.kill()


def _await(process: BaseProcess, is_ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_ready():
        if not process.is_alive() and not is_ready():
            raise CommandError("What the pages need could not be started; the reason stands above.")
        if time.monotonic() > deadline:
            raise CommandError(f"What the pages need was not ready in {_START_SECONDS:g} s; look at the node.")
        time.sleep(0.05)


def _run(work: Callable[..., None], ready: Any, arguments: tuple[Any, ...]) -> None:  # noqa: ANN401 - of multiprocessing
    """Do the work of a process until it is told to stop, or the process that started it is gone."""
    from contribution.errors import CairnError

    stop = threading.Event()
    # Ctrl-C reaches every process of the terminal; the one that started this says when it is time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_stop_with, args=(parent.sentinel, stop), daemon=True).start()
    try:
        work(ready.set, stop, *arguments)
    except CairnError as fault:
        report_error(fault, as_json=False)
        sys.exit(ExitCode.REFUSED)


def _stop_with(sentinel: int, stop: threading.Event) -> None:
    wait([sentinel])
    stop.set()


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
