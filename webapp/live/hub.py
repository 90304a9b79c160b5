"""What the open streams of one process wait for: one look at the index a second for all of them together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from marketplace.index.errors import MarketIndexError

POLL_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Look:
    """Where the index stood at a look.

    Attributes
    ----------
    block, block_hash, alarm
        As in `Standing`.
    jobs
        Those that had events or were measured since the look before; None if any may have had.
    measured
        How many rounds of each job were measured, and the last of them.
    """

    block: int
    block_hash: bytes
    alarm: str | None
    jobs: frozenset[int] | None = None
    measured: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def place(self) -> tuple[int, bytes, str | None, Mapping[int, tuple[int, int]]]:
        """What makes it another one than the look before."""
        return self.block, self.block_hash, self.alarm, self.measured


@dataclass(frozen=True)
class Tick:
    """A look at which something was different, and which of those it is."""

    look: Look
    serial: int


class Hub:
    """Looks at the index for all streams of a process, as long as there are any.

    Parameters
    ----------
    look
        Looks at the index, given the look before; may raise `MarketIndexError`, which is taken for no change.
    most
        Streams that the process serves at once, so that threads are left for pages.
    """

    def __init__(self, look: Callable[[Look | None], Look], most: int, poll: float = POLL_SECONDS) -> None:
        self._look = look
        self._most = most
        self._poll = poll
        self._changed = threading.Condition()
        self._streams = 0
        self._tick: Tick | None = None
        self._watcher: threading.Thread | None = None
        self._closed = False

    @property
    def streams(self) -> int:
        """How many are open."""
        return self._streams

    def join(self) -> bool:
        """Count one more stream; return False if there are too many, or the process ends."""
        with self._changed:
            if self._closed or self._streams >= self._most:
                return False
            self._streams += 1
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="live", daemon=True)
                self._watcher.start()
            return True

    def leave(self) -> None:
        """Count one stream less."""
        with self._changed:
            self._streams -= 1

    def wait(self, serial: int, seconds: float) -> Tick | None:
        """Return where the index stands once that is news to a stream; None after so many seconds without any."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._is_news(serial), seconds)
            return self._tick if self._is_news(serial) else None

    @property
    def closed(self) -> bool:
        """Whether streams are to end."""
        return self._closed

    def close(self) -> None:
        """Let all streams end, and take no more."""
        # From a handler of signals, which may interrupt whoever holds the lock: streams find out at their next wait.
        self._closed = True

    def _is_news(self, serial: int) -> bool:
        return self._tick is not None and self._tick.serial != serial

    def _watch(self) -> None:
        last: Look | None = None
        while True:
            try:
                seen: Look | None = self._look(last)
            except MarketIndexError:
                seen = last  # the database may come back
            with self._changed:
                if seen is not None and (last is None or seen.place != last.place):
                    self._tick = Tick(seen, 1 if self._tick is None else self._tick.serial + 1)
                    self._changed.notify_all()
                last = seen
                if self._closed or not self._streams:
                    self._changed.notify_all()
                    self._watcher = None
                    return
                self._changed.wait_for(lambda: self._closed, self._poll)
