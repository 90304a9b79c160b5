"""Time and memory of the Gram proof: one size, or a sweep over dimensions and trainers with a table and a plot."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.goals import Goal
from zk.srs.development import development_srs
from zk.srs.header import MASK_COEFFICIENTS

Row = dict[str, Any]

JUDGED_DIMENSION: Final = 2**20
JUDGED_TRAINERS: Final = 16
SWEEP_DIMENSIONS: Final = tuple(2**power for power in (14, 16, 18, 20))
LARGEST_DIMENSION: Final = 2**22
# Where another system still ends within minutes.
EZKL_SIZE: Final = (256, 8)
SWEEP_TRAINERS: Final = (4, 8, 16, 32, 64)
# Trainers are varied at this dimension, which keeps the sweep within minutes.
TRAINERS_DIMENSION: Final = 2**18
TABLE: Final = Path("docs/gram-proof-cost.md")
PLOT: Final = Path("docs/images/gram-proof-cost.png")

# Four times the dimension may take this much more time than four times the time; fixed costs make it less.
LINEAR_TOLERANCE: Final = 1.35
# Sixteen times the trainers, as a multiple of the time.
FLAT_TOLERANCE: Final = 2.0


def run(sizes: Sequence[tuple[int, int]], seed: int, progress: Callable[[Row], None]) -> list[Row]:
    """Measure each size in a process of its own, with a development reference string.

    Parameters
    ----------
    sizes
        Pairs of dimension and number of trainers.
    seed
        Where the updates come from.
    progress
        Told every row as it comes.
    """
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "development.srs"
        development_srs(path, max(dimension for dimension, _ in sizes) + MASK_COEFFICIENTS)
        for dimension, trainers in sizes:
            repeats = 3 if dimension <= JUDGED_DIMENSION else 1
            command = [sys.executable, "-m", "benchmarks.zk_row", str(path)]
            command += [str(dimension), str(trainers), str(seed), str(repeats)]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            rows.append(json.loads(answer.stdout))
            progress(rows[-1])
    return rows


def sweep_sizes(largest: bool) -> list[tuple[int, int]]:
    """Return the sizes of the sweep: dimensions with 16 trainers, then trainers at one dimension."""
    dimensions = [*SWEEP_DIMENSIONS, *([LARGEST_DIMENSION] if largest else [])]
    sizes = [(dimension, JUDGED_TRAINERS) for dimension in dimensions]
    return sizes + [(TRAINERS_DIMENSION, count) for count in SWEEP_TRAINERS if count != JUDGED_TRAINERS]


def goals(rows: Sequence[Row]) -> list[Goal]:
    """Return what is aimed at: absolute figures at 2^20 coordinates and 16 trainers, growth over the sweep."""
    found = []
    for row in rows:
        if (row["dim"], row["trainers"]) == (JUDGED_DIMENSION, JUDGED_TRAINERS):
            found += [
                Goal("seconds to commit", row["commit_s"], 0.35),
                Goal("seconds to prove", row["prove_s"], 12),
                Goal("peak MiB", row["peak_mib"], 3 * 1024),
                Goal("seconds to verify", row["verify_s"], 0.04),
                Goal("seconds to verify, readable", row["verify_reference_s"], 4),
                Goal("bytes of the proof", row["proof_bytes"], 800),
            ]
    by_dimension = sorted((row for row in rows if row["trainers"] == JUDGED_TRAINERS), key=lambda row: row["dim"])
    for small, large in itertools.pairwise(by_dimension):
        factor = large["dim"] / small["dim"]
        name = f"time to prove 2^{_log2(large['dim'])} by {factor:g} times that of 2^{_log2(small['dim'])}"
        found.append(Goal(name, large["prove_s"] / small["prove_s"] / factor, LINEAR_TOLERANCE))
    by_trainers = {row["trainers"]: row["prove_s"] for row in rows if row["dim"] == TRAINERS_DIMENSION}
    if len(by_trainers) > 1:
        few, many = min(by_trainers), max(by_trainers)
        name = f"time to prove with {many} trainers by that with {few}"
        found.append(Goal(name, by_trainers[many] / by_trainers[few], FLAT_TOLERANCE))
    return found


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write the sweep as a page with a table."""
    lines = [
        "# What the Gram proof costs",
        "",
        "Measured by `cairn bench zk --sweep --largest`, which writes this page; machine and versions are in",
        "`benchmarks/results/zk.json`. Seconds are medians, memory is the peak of a process that holds everything.",
        "",
        f"![Time by dimension and by trainers](images/{PLOT.name})",
        "",
        "| coordinates | trainers | commit | check openings | prove | verify | readable | proof + matrix | peak |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    # A smaller size belongs to the comparison with another system.
    lines += [
        f"| 2^{_log2(row['dim'])} | {row['trainers']} | {row['commit_s']:.3f} s | {row['check_openings_s']:.2f} s "
        f"| {row['prove_s']:.2f} s | {1000 * row['verify_s']:.0f} ms | {row['verify_reference_s']:.2f} s "
        f"| {row['proof_bytes']} + {row['matrix_bytes']:,} bytes | {row['peak_mib']:.0f} MiB |"
        for row in rows
        if row["dim"] >= SWEEP_DIMENSIONS[0]
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw time by dimension and by trainers."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    series = {"prove_s": "prove", "commit_s": "commit", "verify_s": "verify"}
    halves = (
        (left, "dim", "trainers", JUDGED_TRAINERS, "coordinates"),
        (right, "trainers", "dim", TRAINERS_DIMENSION, "trainers"),
    )
    for axes, along, fixed, value, label in halves:
        chosen = sorted((row for row in rows if row[fixed] == value), key=lambda row: row[along])
        for key, name in series.items():
            axes.plot([row[along] for row in chosen], [row[key] for row in chosen], marker="o", label=name)
        axes.set(xscale="log", yscale="log", xlabel=label, ylabel="seconds")
        axes.grid(alpha=0.3)
    right.minorticks_off()
    right.set_xticks(SWEEP_TRAINERS, [str(count) for count in SWEEP_TRAINERS])
    left.set_title(f"{JUDGED_TRAINERS} trainers")
    right.set_title(f"2^{_log2(TRAINERS_DIMENSION)} coordinates")
    left.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _log2(value: int) -> int:
    return value.bit_length() - 1
