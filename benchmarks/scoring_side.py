"""Scoring as the aggregator does it, measured when asked; run by `benchmarks.scoring` in a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.serving import Seconds, keep_to, serve


def main(directory: Path, cores: int, trainers: int, tolerated: int) -> None:
    """Serve the rules by their names, each with the matrix that it needs; the weighted sum; and reading the data twice.

    Parameters
    ----------
    directory
        With `updates.npy` and `references.npy`, int16, a row for each vector.
    cores
        That may be used.
    trainers
        n; the first updates are taken.
    tolerated
        f.
    """
    keep_to(cores)
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    from contribution import mixture_rule, rule
    from contribution.aggregate import weighted_sum
    from contribution.gram import gram_matrix
    from contribution.mixture import WHOLE
    from contribution.rules import RULES

    # As openings do, each lies by itself in memory.
    updates = [
        np.array(row) for row in np.load(directory / "updates.npy", mmap_mode="r", allow_pickle=False)[:trainers]
    ]
    references = [np.array(row) for row in np.load(directory / "references.npy", mmap_mode="r", allow_pickle=False)]

    def score(name: str, vectors: list[Any]) -> Seconds:
        started = time.perf_counter()
        matrix = gram_matrix([*updates, *vectors])
        multiplied = time.perf_counter()
        outcome = RULES[name](matrix, trainers, len(vectors), tolerated)
        ended = time.perf_counter()
        if outcome.void:
            sys.exit(f"scoring_side: {name} finds the round void; choose updates that it accepts")
        return {"matrix": multiplied - started, "rule": ended - multiplied, "total": ended - started}

    def read_twice() -> Seconds:
        words = [row[: row.size // 4 * 4].view(np.int64) for row in (*updates, *references)]
        started = time.perf_counter()
        for _ in range(2):
            list(readers.map(np.sum, words)) if cores > 1 else list(map(np.sum, words))
        return {"total": time.perf_counter() - started}

    def add_up() -> Seconds:
        started = time.perf_counter()
        weighted_sum(updates, [WHOLE // trainers] * trainers)
        return {"total": time.perf_counter() - started}

    measurements: dict[str, Callable[[], Seconds]] = {
        mixture_rule.NAME: partial(score, mixture_rule.NAME, references),
        rule.NAME: partial(score, rule.NAME, references[:1]),
        "weighted sum": add_up,
        "read twice": read_twice,
    }
    # What is compiled is so before memory is looked at.
    gram_matrix([row[:1] for row in updates])
    with ThreadPoolExecutor(cores) as readers:
        serve(measurements, {"vectors": len(updates) + len(references)})


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
