"""The processes of a site: its pages, the index behind them, and what measures."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from marketplace.cli.beside import beside
from marketplace.cli.common import Output, srs_directory
from marketplace.cli.index import make_indexer, open_engine
from marketplace.cli.running import clock

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from marketplace.index.indexer import Step
    from webapp.settings import WebSettings


@contextmanager
def pages(settings: WebSettings, address: str, port: int, workers: int | None) -> Iterator[BaseProcess]:
    """Serve a site's pages; see `webapp.server.Server`."""
    with beside(_serve, (settings, address, port, workers)) as process:
        yield process


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


@contextmanager
def followed(settings: WebSettings, rpc: str, finality: int, poll: float) -> Iterator[BaseProcess]:
    """Keep a site's index at the chain's last block, from when it is there once; blocks so deep are final."""
    with beside(_follow, (settings, rpc, finality, poll)) as process:
        yield process


def _follow(
    ready: Callable[[], None], stop: threading.Event, settings: WebSettings, rpc: str, finality: int, poll: float
) -> None:
    from marketplace.chain.local_chains import LOCAL_CHAIN_IDS
    from marketplace.cli.common import open_store
    from marketplace.index.errors import DeepReorganisationError, LaggingNodeError
    from marketplace.index.following import follow
    from marketplace.index.texts import fetch_texts

    output = Output(as_json=True)
    engine, content = open_engine(settings.database, upgraded=True), open_store(settings.store)
    indexer = make_indexer(engine, [rpc], settings.deployment, finality, trust_node=False, output=output)
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
def measured(settings: WebSettings, rpc: str, samples: dict[int, Path], poll: float) -> Iterator[BaseProcess]:
    """Measure jobs' models after each settled round on files of held-out samples, by job."""
    with beside(_measure, (settings, rpc, samples, poll)) as process:
        yield process


def _measure(
    ready: Callable[[], None],
    stop: threading.Event,
    settings: WebSettings,
    rpc: str,
    samples: dict[int, Path],
    poll: float,
) -> None:
    """Measure; a fault is told once, and what it hindered is tried again."""
    import torch

    from contribution.errors import CairnError
    from marketplace.cli.common import open_market, open_store
    from marketplace.parties.view import JobView
    from webapp.accuracy.measuring import Measurer
    from webapp.state import open_state

    torch.set_num_threads(1)
    state, output = open_state(settings.state_database), Output(as_json=True)
    measurers: dict[int, Measurer] = {}
    told: dict[int, str] = {}
    ready()
    while not stop.wait(poll):
        for job, file in samples.items():
            try:
                if job not in measurers:
                    market, store = open_market(rpc, settings.deployment), open_store(settings.store)
                    view = JobView(market, store, job, settings.srs_directory or srs_directory())
                    measurers[job] = Measurer(view, file, state)
                measurers[job].step()
                told.pop(job, None)
            except CairnError as fault:
                if told.get(job) != str(fault):
                    output.note(f"{clock()}  job {job} can't be measured for now: {fault}")
                told[job] = str(fault)


@contextmanager
def metrics(settings: WebSettings, port: int) -> Iterator[None]:
    """Serve the measures of a site's processes on a port of loopback."""
    with beside(_serve_metrics, (settings, port)):
        yield


def _serve_metrics(ready: Callable[[], None], stop: threading.Event, settings: WebSettings, port: int) -> None:
    from marketplace.chain.deployment import read_deployment
    from marketplace.index.errors import MarketIndexError
    from marketplace.index.store import pointer_of
    from marketplace.operations.metrics import serve_metrics
    from webapp.measures import WebMetrics

    where, engine = read_deployment(settings.deployment), open_engine(settings.database, upgraded=False)

    def reason() -> str | None:
        try:
            return pointer_of(engine, where.chain_id, where.market).alarm
        except MarketIndexError as fault:
            return str(fault)

    with serve_metrics(WebMetrics(reason), port) as url:
        Output(as_json=True).note(f"Metrics are served at {url}.")
        ready()
        stop.wait()
