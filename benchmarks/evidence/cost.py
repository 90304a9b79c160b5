"""The page that says what scoring costs, from the measurements of `benchmarks.scoring`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.goals import Goal
from benchmarks.scoring import (
    BYZFL,
    COEFFICIENTS,
    FIRST_RULE,
    READ,
    SHAPLEY_TRAINERS,
    SUM,
    Row,
    fastest_byzfl,
    in_words,
    total,
)
from contribution.rules import DEFAULT_RULE

PAGE: Final = Path("docs/evidence/cost.md")
PLOT: Final = Path("docs/images/scoring-cost.png")

_INTRODUCTION: Final = """\
# What does scoring cost?

Written by `cairn bench scoring`; machine, versions and seed are in `benchmarks/results/scoring.json`. Milliseconds are
medians of measurements that took turns, ByzFL's in a process with packages of its own.

Scoring is the exact Gram matrix of updates and referee's vectors, and the rule on it: who is kept, with what weight,
and what each contributed. No model is evaluated. Of a round's time it is a small part: the
[proof](../gram-proof-cost.md) takes seconds, and the rule on chain costs [gas](../gas.md).
"""
_EXPLANATION: Final = """\
The default rule reads nine vectors of the referee's besides, the first rule one. ByzFL averages the same updates as
floats, and values nobody; its time includes the mean of those it keeps, ours does not: the weighted sum stands by
itself. Memory is what is needed beyond the vectors.

Usual coordinates are those of updates 0.02 in size at `scale_exponent = 12`. Whoever makes all of them as large as 16
bits allow makes the exact products take longer: that is the whole range.
"""


def write_page(results: Mapping[str, Any], found: Sequence[Goal], page: Path = PAGE, plot: Path = PLOT) -> None:
    """Write the page and its plot.

    Parameters
    ----------
    results
        As `benchmarks.scoring.run` returns them.
    found
        The goals.
    page, plot
        Where they go.
    """
    size = results["compared"][0]
    text = [
        _INTRODUCTION,
        f"The machine's load average before the run was {results['load_average']:.1f}. What others do on it lengthens",
        "times more than it changes ratios.\n",
        f"## {size['trainers']} trainers, {size['dim']:,} coordinates of 16 bits\n",
        *_comparison(results["compared"], results["whole_range"]),
        "",
        _EXPLANATION,
        f"![Time against ByzFL, and by number of trainers](../images/{plot.name})\n",
        "## More trainers, on one core\n",
        *_growth(results["growing"]),
        "",
        f"## Exact Shapley values of {SHAPLEY_TRAINERS:,} trainers, once the matrix is there\n",
        *_values(results["shapley"]),
        "",
        "## Goals\n",
        *(
            f"- {goal.name}: {goal.measured:.3f}, at most {goal.limit:.3g}{'' if goal.met else ': MISSED'}"
            for goal in found
        ),
    ]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(text) + "\n", "utf-8")
    _draw(results, plot)


def _comparison(compared: Sequence[Row], whole_range: Sequence[Row]) -> list[str]:
    """Return the table of one size: a column for each number of cores, then the same for the whole range."""
    columns = [*compared, *whole_range]
    heads = [in_words(row["cores"]) for row in compared]
    heads += [f"{in_words(row['cores'])}, whole range" for row in whole_range]
    version = compared[0]["byzfl"]["byzfl"]
    entries: list[tuple[str, Callable[[Row], float]]] = [
        ("Gram matrix, ms", lambda row: 1e3 * row["seconds"][DEFAULT_RULE]["matrix"]),
        ("default rule on it, ms", lambda row: 1e3 * row["seconds"][DEFAULT_RULE]["rule"]),
        ("**scoring by the default rule, ms**", lambda row: 1e3 * total(row, DEFAULT_RULE)),
        ("scoring by the first rule, ms", lambda row: 1e3 * total(row, FIRST_RULE)),
        ("reading the same integers twice, ms", lambda row: 1e3 * total(row, READ)),
        ("weighted sum of the updates, ms", lambda row: 1e3 * total(row, SUM)),
        ("memory, MiB", lambda row: row["extra_mib"]),
        (
            "scoring by the default rule, in times of reading twice",
            lambda row: total(row, DEFAULT_RULE) / total(row, READ),
        ),
    ]
    theirs: list[tuple[str, Callable[[Row], float]]] = [
        *((f"ByzFL {version} multi-Krum, {kind}, ms", lambda row, kind=kind: 1e3 * total(row, kind)) for kind in BYZFL),
        ("ByzFL, memory, MiB", lambda row: row["byzfl_extra_mib"]),
        (
            "ByzFL's fastest, in times of scoring by the default rule",
            lambda row: total(row, fastest_byzfl(row)) / total(row, DEFAULT_RULE),
        ),
    ]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(columns)]
    lines += [f"| {name} | " + " | ".join(f"{value(row):.1f}" for row in columns) + " |" for name, value in entries]
    blank = " |" * len(whole_range)
    return lines + [
        f"| {name} | " + " | ".join(f"{value(row):.1f}" for row in compared) + f" |{blank}" for name, value in theirs
    ]


def _growth(rows: Sequence[Row]) -> list[str]:
    """Return the table of more and more trainers."""
    lines = [
        "| trainers | Gram matrix, ms | default rule on it, ms | together, in times of reading twice |",
        "|---:|---:|---:|---:|",
    ]
    for row in rows:
        matrix, rule = (1e3 * row["seconds"][DEFAULT_RULE][part] for part in ("matrix", "rule"))
        multiple = total(row, DEFAULT_RULE) / total(row, READ)
        lines.append(f"| {row['trainers']} | {matrix:.1f} | {rule:.1f} | {multiple:.1f} |")
    return lines


def _values(shapley: Mapping[str, float]) -> list[str]:
    """Return the table of Shapley values."""
    lines = ["| | ms |", "|---|---:|"]
    for name, seconds in shapley.items():
        words = f"{name}, once for each number of trainers" if name == COEFFICIENTS else name
        lines.append(f"| {words} | {1e3 * seconds:.2f} |")
    return lines


def _draw(results: Mapping[str, Any], path: Path) -> None:
    """Draw times against ByzFL's, and by number of trainers."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    ours = {DEFAULT_RULE: "scoring, default rule", FIRST_RULE: "scoring, first rule", READ: "reading twice"}
    names = [*(f"ByzFL, {kind}" for kind in BYZFL), *ours.values()]
    compared = results["compared"]
    height = 0.8 / len(compared)
    for place, row in enumerate(compared):
        times = [1e3 * total(row, name) for name in (*BYZFL, *ours)]
        left.barh([at + place * height for at in range(len(names))], times, height, label=in_words(row["cores"]))
    left.set_yticks([at + 0.4 - height / 2 for at in range(len(names))], names)
    left.invert_yaxis()
    left.set(xscale="log", xlim=(1, None), xlabel="ms", title=f"{compared[0]['trainers']} trainers")
    left.legend(loc="lower right")
    grown = results["growing"]
    trainers = [row["trainers"] for row in grown]
    for name, label in ours.items():
        right.plot(trainers, [1e3 * total(row, name) for row in grown], marker="o", label=label)
    right.set(xscale="log", yscale="log", xlabel="trainers", ylabel="ms", title="1 core")
    right.minorticks_off()
    right.set_xticks(trainers, list(map(str, trainers)))
    right.grid(alpha=0.3)
    right.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)
