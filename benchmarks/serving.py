"""Measurements that take turns although they need processes, or environments, of their own.

A process that serves runs a measurement when it reads its name from standard input and answers with a line of JSON.
Whoever asks several of them in turn has what else the machine does spread evenly over all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from benchmarks.memory import peak_mib
from contribution.errors import CairnError

Seconds = dict[str, float]


class MeasurementError(CairnError):
    """A process that was to measure ended before it was done; what it said stands on standard error."""


def serve(measurements: Mapping[str, Callable[[], Seconds]], about: Mapping[str, Any]) -> None:
    """Run the measurements that standard input names, until its end.

    Parameters
    ----------
    measurements
        By name; each returns seconds by part.
    about
        What is told first, as JSON. At the end `extra_mib` is told: by how much the peak of memory rose meanwhile.
    """
    before = peak_mib()
    _tell(about)
    for line in sys.stdin:
        _tell(measurements[line.strip()]())
    _tell({"extra_mib": peak_mib() - before})


def keep_to(cores: int) -> None:
    """Let this process, and all threads it starts from now on, use so many cores; libraries count them when loaded."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _tell(document: Mapping[str, Any]) -> None:
    print(json.dumps(document), flush=True)


class Server:
    """A process that serves, to be asked.

    Attributes
    ----------
    about
        What it told first.
    extra_mib
        By how much its peak of memory rose while it measured; known when it is done.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.about = self._hear()
        self.extra_mib = 0.0

    def measure(self, name: str) -> Seconds:
        """Let it run a measurement, and return seconds by part.

        Raises
        ------
        MeasurementError
            If it ended instead.
        """
        with suppress(BrokenPipeError):
            print(name, file=self._process.stdin, flush=True)
        return self._hear()

    def finish(self) -> None:
        """Let it end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self.extra_mib = self._hear()["extra_mib"]

    def _hear(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise MeasurementError(
                f"A measuring process ended with exit code {self._process.wait()} before it was done; what it said "
                f"stands above. It was: {' '.join(map(str, cast(Sequence[object], self._process.args)))}"
            )
        document: dict[str, Any] = json.loads(line)
        return document


@contextmanager
def serving(command: Sequence[str | Path]) -> Iterator[Server]:
    """Run a command that serves for as long as the context lasts.

    Raises
    ------
    MeasurementError
        If it ends by itself.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            server = Server(process)
            yield server
        except BaseException:
            process.kill()
            raise
        server.finish()
