"""Work spread over the cores by threads; compiled functions release the interpreter's lock."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def core_count() -> int:
    """Return on how many cores this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def split_range(size: int, parts: int, smallest: int = 1) -> list[tuple[int, int]]:
    """Split [0, size) into at most `parts` ranges of nearly the same length, of at least `smallest` where it can be."""
    parts = max(1, min(parts, size // max(1, smallest)))
    return [(size * k // parts, size * (k + 1) // parts) for k in range(parts)]


def run_all(function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Call the function with each tuple of arguments, on all cores, and return the values in order."""
    workers = min(core_count(), len(calls))
    if workers <= 1:
        return [function(*arguments) for arguments in calls]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda arguments: function(*arguments), calls))
