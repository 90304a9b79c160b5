"""Moments and lengths of time as pages show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
# Beyond it Python has no dates; a contract's numbers can be larger.
_LAST: Final = 253_402_300_799


def moment(seconds: int) -> str:
    """Write a moment, in seconds since the Unix epoch, in UTC."""
    if seconds > _LAST:
        return "after the year 9999"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def machine_moment(seconds: int) -> str:
    """Write a moment as HTML's ``datetime`` wants it."""
    return f"{datetime.fromtimestamp(min(seconds, _LAST), UTC):%Y-%m-%dT%H:%M:%SZ}"


def length(seconds: int, parts: int = 2) -> str:
    """Write a length of time in its largest units, by default two, such as "2 hours 5 minutes"."""
    written, left = [], abs(seconds)
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            written.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(written[:parts]) or "0 seconds"


def relative(seconds: int, now: int) -> str:
    """Write roughly how long ago, or in how long, a moment is."""
    return f"{length(now - seconds, 1)} ago" if seconds <= now else f"in {length(seconds - now, 1)}"
