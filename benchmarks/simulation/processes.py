"""The same work on many things in several processes, which end with the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Generator[tuple[Item, Result], None, None]:
    """Yield each item with what comes of it, as they come.

    Parameters
    ----------
    work
        What to do; it and what it takes and returns must be able to pass between processes.
    items
        On what.
    jobs
        Number of processes; 1 works in this one.

    Raises
    ------
    BrokenProcessPool
        If a process was killed.
    """
    if jobs <= 1:
        for item in items:
            yield item, work(item)
        return
    others = set(multiprocessing.active_children())
    # Processes of their own, instead of forks of one in which libraries have threads.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_end_with_parent)
    try:
        with _interrupts_blocked():
            pending: dict[Future[Result], Item] = {pool.submit(work, item): item for item in items}
        for future in as_completed(pending):
            yield pending[future], future.result()
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Have this process end when the one that started it does, even if that was killed and could tell nobody."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Hold back interrupts from the keyboard within the context; processes started in it never get any.

    Every process on a terminal gets them; here they are for the parent alone to handle, which then ends the workers.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
