"""Processes beside a command: they end with it, and it says when one could not be started."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final

from marketplace.cli.common import CommandError
from marketplace.cli.group import ExitCode, report_error

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 15.0


@contextmanager
def beside(work: Callable[..., None], arguments: tuple[Any, ...]) -> Iterator[BaseProcess]:
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
