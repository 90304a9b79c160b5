"""Run files: which long-running parties this machine runs, where their logs are, and how they are asked to stop.

Each run has two files in one directory: ``NAME.lock``, locked by the process as long as it lives, and ``NAME.json``,
which says what it is. The operating system ends a lock with its process, however that ends, so a process that is gone
is never taken for another that was given its pid later.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from contribution.errors import CairnError
from marketplace.private_files import write_private
from marketplace.strict_json import parse_json

MOST_RUNS_OF_A_NAME: Final = 100
_POLL_SECONDS: Final = 0.1


class RunFileError(CairnError):
    """Thrown when the record of a long-running process can't be written or read."""


class NoSuchRunError(CairnError):
    """Thrown when no long-running process has the name that is asked for.

    Attributes
    ----------
    name, known
        The name, and those that there are.
    """

    def __init__(self, name: str, known: list[str]) -> None:
        self.name = name
        self.known = known
        super().__init__(f"No run is called {name!r}; there are: {', '.join(known) or 'none'}. See `cairn status`.")


class StillRunningError(CairnError):
    """Thrown when a process that was asked to stop has not ended in time; it may be in the middle of a proof.

    Attributes
    ----------
    name, pid, seconds
        The run, its process, and how long was waited.
    """

    def __init__(self, name: str, pid: int, seconds: float) -> None:
        self.name = name
        self.pid = pid
        self.seconds = seconds
        super().__init__(
            f"{name} (process {pid}) was asked to stop and still runs after {seconds:g} s: it ends after the step that "
            f"it is in. Wait longer with --timeout; if you must, `kill -9 {pid}` loses nothing that was promised."
        )


class State(StrEnum):
    """What became of a run."""

    RUNNING = "running"
    ENDED = "ended"
    STOPPED = "stopped"
    FAILED = "failed"
    KILLED = "killed"


@dataclass(frozen=True)
class Run:
    """One run of a long-running party.

    Attributes
    ----------
    name
        What `cairn status`, `cairn logs` and `cairn stop` call it.
    role
        "aggregator", "trainer" or "referee".
    chain_id, market, job, account
        What it takes part in, and as whom.
    pid
        Its process.
    started
        When, in seconds since the Unix epoch.
    log
        File of its log.
    metrics
        Address of its metrics; None if it serves none.
    outcome
        How it ended by itself: "ended", "stopped" or "failed"; None while it runs, and if it was killed.
    """

    name: str
    role: str
    chain_id: int
    market: str
    job: int
    account: str
    pid: int
    started: int
    log: str
    metrics: str | None = None
    outcome: str | None = None


@dataclass(frozen=True)
class FoundRun:
    """A run as it was found.

    Attributes
    ----------
    run
        What it says of itself.
    state
        What became of it.
    last_step
        When it last ended a step, in seconds since the Unix epoch.
    """

    run: Run
    state: State
    last_step: int


class RunRecord:
    """The record of this process's own run; see `record_run`."""

    def __init__(self, run: Run, lock: Path) -> None:
        self.run = run
        self._lock = lock

    def note_step(self) -> None:
        """Note that a step has ended just now."""
        with suppress(OSError):
            # A mark that a full or broken disk does not take is no reason to stop working.
            os.utime(self._lock)

    def finish(self, outcome: State) -> None:
        """Note how the run ends.

        Raises
        ------
        RunFileError
            If it can't be written.
        """
        self.run = replace(self.run, outcome=outcome.value)
        _write(self._lock.with_suffix(".json"), self.run)


@contextmanager
def record_run(directory: Path, make: Callable[[str], Run], name: str) -> Iterator[RunRecord]:
    """Record that this process runs, as long as the context lasts.

    Parameters
    ----------
    directory
        Where run files lie; it is created.
    make
        Returns what is recorded, given the name that was free.
    name
        The name; while another process has it, ``NAME-2`` and so on.

    Raises
    ------
    RunFileError
        If it can't be recorded.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, lock = _take_name(directory, name)
    except OSError as fault:
        raise RunFileError(f"Can't record this run in {directory} ({fault.strerror}); make it writable.") from fault
    held = [descriptor]

    def let_go() -> None:
        """Close the lock in a process that this one forks, which must not keep it after this one has ended."""
        while held:
            os.close(held.pop())

    os.register_at_fork(after_in_child=let_go)
    try:
        run = make(lock.stem)
        _write(lock.with_suffix(".json"), run)
        yield RunRecord(run, lock)
    finally:
        held.clear()
        os.close(descriptor)


def find_runs(directory: Path) -> list[FoundRun]:
    """Return every recorded run, by name; one whose record is damaged is left out.

    Parameters
    ----------
    directory
        Where run files lie.
    """
    paths = sorted(directory.glob("*.json"), key=lambda path: path.stem) if directory.is_dir() else []
    found = [_find(path) for path in paths]
    return [each for each in found if each is not None]


def find_run(directory: Path, name: str) -> FoundRun:
    """Return the run of a name.

    Raises
    ------
    NoSuchRunError
        If there is none.
    """
    runs = {each.run.name: each for each in find_runs(directory)}
    if name not in runs:
        raise NoSuchRunError(name, list(runs))
    return runs[name]


def stop_run(directory: Path, found: FoundRun, timeout: float) -> bool:
    """Ask a run to stop after its current step and wait until it has.

    Parameters
    ----------
    directory
        Where run files lie.
    found
        The run.
    timeout
        Seconds to wait.

    Returns
    -------
    bool
        Whether it was running.

    Raises
    ------
    StillRunningError
        If it still runs then.
    """
    lock = directory / f"{found.run.name}.lock"
    if not _ask_to_stop(lock, found.run.pid):
        return False
    end = time.monotonic() + timeout
    while _is_locked(lock):
        if time.monotonic() > end:
            raise StillRunningError(found.run.name, found.run.pid, timeout)
        time.sleep(_POLL_SECONDS)
    return True


def _ask_to_stop(lock: Path, pid: int) -> bool:
    """Send SIGTERM to the process that holds a lock; return whether there was one."""
    if not hasattr(os, "pidfd_open"):
        if not _is_locked(lock):
            return False
        os.kill(pid, signal.SIGTERM)
        return True
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # Whoever holds the lock now held it when the descriptor was opened, so the descriptor is its process.
        if not _is_locked(lock):
            return False
        signal.pidfd_send_signal(process, signal.SIGTERM)
        return True
    finally:
        os.close(process)


def _take_name(directory: Path, name: str) -> tuple[int, Path]:
    """Lock the first free name; return the lock's descriptor and file."""
    for number in range(1, MOST_RUNS_OF_A_NAME + 1):
        lock = directory / f"{name}{'' if number == 1 else f'-{number}'}.lock"
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        os.utime(lock)
        return descriptor, lock
    raise RunFileError(f"{MOST_RUNS_OF_A_NAME} processes run as {name} already; stop some: `cairn status`.")


def _is_locked(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _find(path: Path) -> FoundRun | None:
    lock = path.with_suffix(".lock")
    try:
        entry = parse_json(path.read_bytes())
        run = Run(**entry) if isinstance(entry, dict) else None
        last_step = int(lock.stat().st_mtime)
    except (OSError, ValueError, TypeError):
        return None
    if run is None or run.name != path.stem:
        return None
    outcome = State(run.outcome) if run.outcome in tuple(State) else State.KILLED
    return FoundRun(run, State.RUNNING if _is_locked(lock) else outcome, last_step)


def _write(path: Path, run: Run) -> None:
    content: dict[str, Any] = asdict(run)
    try:
        write_private(path, (json.dumps(content, indent=2) + "\n").encode())
    except OSError as fault:
        raise RunFileError(f"Can't write {path} ({fault.strerror}); free some space or make it writable.") from fault
