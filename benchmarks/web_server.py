"""`cairn web` in processes of its own, with what they cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.serving import MeasurementError

_STOP_SECONDS: Final = 30.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Served:
    """A site that is served.

    Attributes
    ----------
    address, port
        Where.
    pid
        Of the command; what it started are its descendants.
    """

    address: str
    port: int
    pid: int

    @property
    def host(self) -> str:
        """What requests name it."""
        return f"{self.address}:{self.port}"

    def processes(self) -> list[int]:
        """Return the command's process and all that came from it."""
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += map(int, children.read_text("ascii").split())
        return found

    def cpu_seconds(self) -> float:
        """Return the processor time that its processes have taken."""
        return sum(map(_cpu_seconds, self.processes()))

    def peak_mib(self) -> list[float]:
        """Return the largest resident set of each of its processes so far, the largest first; shared pages in each."""
        return sorted((_peak_mib(pid) for pid in self.processes()), reverse=True)


@contextmanager
def serve(database: str, deployment: Path, home: Path) -> Iterator[Served]:
    """Serve an index with `cairn web` as it is by default, but for a proxy that names visitors; no node is asked.

    Raises
    ------
    MeasurementError
        If it does not start; why stands on standard error.
    """
    command = [sys.executable, "-c", "from marketplace.cli import main; main()", "web", "--json", "--no-follow"]
    command += ["--port", "0", "--trusted-proxies", "1", "--rpc", "http://127.0.0.1:9"]
    command += ["--deployment", str(deployment), "--database", database]
    environment = {**os.environ, "CAIRN_HOME": str(home), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            where = urlsplit(_told(process)["url"])
            yield Served(where.hostname or "", where.port or 0, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _told(process: subprocess.Popen[str]) -> dict[str, str]:
    """Return what the command says when it serves: JSON, in several lines."""
    said = ""
    for line in process.stdout or ():
        said += line
        if line.startswith("}"):
            told: dict[str, str] = json.loads(said)
            return told
    raise MeasurementError("cairn web did not start; the reason stands above.")


def busy_seconds() -> float:
    """Return the processor time that everything on this machine has taken."""
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, Path("/proc/stat").read_text("ascii").split()[1:11])
    return (user + nice + system + irq + softirq) / _TICKS


def _cpu_seconds(pid: int) -> float:
    # The name, in brackets, may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:"))
