"""Time and memory of one round of a large job, from the last submission to the settlement mined."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

from benchmarks.goals import Goal

Row = dict[str, Any]

JUDGED: Final = (2**20, 16)
SECONDS_LIMIT: Final = 40.0
MEMORY_LIMIT_MIB: Final = 4096.0


def run(dimension: int, trainers: int, seed: int) -> Row:
    """Measure a round in a process of its own; see `benchmarks.round_row`."""
    command = [sys.executable, "-m", "benchmarks.round_row", str(dimension), str(trainers), str(seed)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(answer.stdout))


def goals(row: Row) -> list[Goal]:
    """Return what is aimed at for the size that is judged; nothing for others."""
    if (row["dim"], row["trainers"]) != JUDGED:
        return []
    return [
        Goal("seconds from the last submission to the settlement", row["total_s"], SECONDS_LIMIT),
        Goal("peak MiB, all parties together", row["peak_mib"], MEMORY_LIMIT_MIB),
    ]


def lines(row: Row) -> list[str]:
    """Return a row in words, a line for each phase."""
    width = max(map(len, row["phases_s"]))
    return [
        f"{row['trainers']} trainers, {row['dim']:,} coordinates, {row['kept']} kept:",
        *(f"  {name.ljust(width)} {seconds:7.2f} s" for name, seconds in row["phases_s"].items()),
        f"  {'total'.ljust(width)} {row['total_s']:7.2f} s, peak {row['peak_mib']:.0f} MiB, "
        f"settlement {row['settle_gas']:,} gas",
    ]
