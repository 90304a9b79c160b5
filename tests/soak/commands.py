"""`cairn` as its users run it, in processes that start from all that is imported here already."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.cli import main
from tests.crash.forks import Fork


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, negative for a signal, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.out)


def start(arguments: list[str], environment: Mapping[str, str], log: Path) -> Fork:
    """Start `cairn` with these arguments; what it says is appended to a file."""
    return Fork(lambda _: _run(arguments, environment, log, log))


def run(arguments: list[str], environment: Mapping[str, str], scratch: Path) -> Ended:
    """Run `cairn` with these arguments to its end, writing to a directory for a moment."""
    out, err = scratch / f"{os.getpid()}.out", scratch / f"{os.getpid()}.err"
    for file in (out, err):
        file.write_bytes(b"")
    status = Fork(lambda _: _run(arguments, environment, out, err)).wait()
    return Ended(status, out.read_text(), err.read_text())


def _run(arguments: list[str], environment: Mapping[str, str], out: Path, err: Path) -> None:
    for file, descriptor in ((out, 1), (err, 2)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for name in [name for name in os.environ if name.startswith("CAIRN_")]:
        del os.environ[name]
    os.environ.update(environment)
    sys.argv = ["cairn", *arguments]
    try:
        main()
    except SystemExit as ending:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ending.code if isinstance(ending.code, int) else 0)
