"""What a campaign came to, a row for each setting with all its seeds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from benchmarks.simulation.results import Line

HEADINGS: Final = (
    "data",
    "model",
    "partition",
    "rule",
    "attack",
    "seeds",
    "accuracy %",
    "+-",
    "last rounds %",
    "attackers' pay %",
    "void",
    "s",
)


def rows(lines: Sequence[Line]) -> list[tuple[object, ...]]:
    """Return a row for each group of lines that differ in nothing but their seed; columns are `HEADINGS`.

    `accuracy` is that of the final model and `+-` its standard deviation over the seeds, `last rounds` the mean over
    the last four rounds; `attackers' pay` is the attackers' share of what was paid, `void` the number of void rounds of
    all seeds, `s` the mean time of a run.
    """
    groups: dict[str, list[Line]] = {}
    for line in lines:
        same = {name: value for name, value in line["setting"].items() if name != "seed"}
        groups.setdefault(repr(same), []).append(line)
    return [_row(group) for group in groups.values()]


def _row(group: list[Line]) -> tuple[object, ...]:
    setting = group[0]["setting"]
    results = [line["result"] for line in group]
    accuracies = [100 * result["final_accuracy"] for result in results]
    shares = [100 * result["attackers_pay_share"] for result in results if result["attackers_pay_share"] is not None]
    paid = bool(shares) and setting["attack"] is not None
    return (
        setting["dataset"],
        " ".join([setting["model"], *map(str, setting["widths"])]),
        f"{setting['partition']} {setting['skew']:g}" if setting["skew"] else setting["partition"],
        setting["rule"],
        _attack(setting, results[0]["strength"]),
        len(group),
        round(statistics.mean(accuracies), 2),
        round(statistics.stdev(accuracies), 2) if len(group) > 1 else "",
        round(statistics.mean(100 * result["late_accuracy"] for result in results), 2),
        round(statistics.mean(shares), 2) if paid else "",
        sum(one["void"] for result in results for one in result["rounds"]),
        round(statistics.mean(line["seconds"] for line in group), 1),
    )


def _attack(setting: dict[str, object], strength: float | None) -> str:
    if setting["attack"] is None:
        return "none"
    return f"{setting['attackers']} x {setting['attack']} {strength:g}"
