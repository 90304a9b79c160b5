"""What time it is on a local chain."""

from __future__ import annotations

import time


class Clock:
    """Time of day plus an offset, or a time that stands still until it is advanced.

    Parameters
    ----------
    stopped_at : int, optional
        Seconds since the Unix epoch at which the clock stands still; the default follows the time of day.
    """

    def __init__(self, stopped_at: int | None = None) -> None:
        self._stopped_at = stopped_at
        self._offset = 0

    def now(self) -> int:
        """Return the time in seconds since the Unix epoch."""
        return (int(time.time()) if self._stopped_at is None else self._stopped_at) + self._offset

    def advance(self, seconds: int) -> int:
        """Let `seconds` pass at once; return how many were let pass so far."""
        if seconds < 0:
            raise ValueError(f"time can't go back by {-seconds} s; advance it by 0 s or more")
        self._offset += seconds
        return self._offset

    def catch_up(self, moment: int) -> None:
        """Advance to `moment` unless it has passed, for a chain whose last block is ahead of the time of day."""
        self.advance(max(0, moment - self.now()))
