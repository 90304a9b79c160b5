"""Processes that start from all that is imported here, do one thing, tell what came of it, and end."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    Attributes
    ----------
    told
        What it told, from JSON, in order.
    killed
        Whether it was killed; it has told then what it knew before.
    """

    told: list[Any]
    killed: bool


class ChildFailedError(Exception):
    """Thrown when a process ended with an exception of its own."""


Tell = Callable[[object], None]


class Fork:
    """A process under way."""

    def __init__(self, body: Callable[[Tell], None]) -> None:
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reading)
            _run(body, writing)
        os.close(writing)
        self._reading = reading

    def first(self) -> Any:
        """Wait until it has told something; return that."""
        text = b""
        while not text.endswith(b"\n"):
            piece = os.read(self._reading, 1)
            if not piece:
                raise ChildFailedError(f"process {self.pid} told nothing")
            text += piece
        return json.loads(text)

    def join(self) -> Ending:
        """Wait until it has ended."""
        with os.fdopen(self._reading, "rb") as pipe:
            told = [json.loads(line) for line in pipe.read().splitlines()]
        _, status = os.waitpid(self.pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if not killed and status != 0:
            raise ChildFailedError("\n".join(map(str, told)) or f"process {self.pid} ended with status {status}")
        return Ending(told, killed)

    def has_ended(self) -> bool:
        """Whether it has ended, and can be waited for without waiting."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self) -> int:
        """Wait until it has ended, whatever it told; return its exit status, or the signal that ended it, negative."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self._reading)
        return os.waitstatus_to_exitcode(status)

    def end(self) -> None:
        """Kill it, and wait until it has ended."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()


def _run(body: Callable[[Tell], None], writing: int) -> None:
    status = 1

    def tell(what: object) -> None:
        # One write of a line, so that nothing of it is lost when the process is killed right after.
        os.write(writing, json.dumps(what).encode() + b"\n")

    try:
        body(tell)
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it must not go on as the parent
        tell(traceback.format_exc())
    finally:
        os._exit(status)
