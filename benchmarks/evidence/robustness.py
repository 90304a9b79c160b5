"""Does training survive attackers, and what do they earn? Every attack of the library against the default rule.

Compared by seed with the plain mean of all trainers when nobody attacks, both with the same server momentum. Accuracy
is the mean over the last four rounds, because that of a single round swings by a point and more.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any, Final

from scipy import stats

from benchmarks.goals import Goal
from benchmarks.simulation.attacks import ATTACKS, Aim, Knowledge
from benchmarks.simulation.presets import PRESETS
from benchmarks.simulation.results import Line
from benchmarks.simulation.setting import Setting
from contribution.rules import DEFAULT_RULE

PAGE: Final = Path("docs/evidence/robustness.md")
BASELINE: Final = "mean"
ATTACKERS: Final = 3
# What the job of these experiments has that the preset has not.
REFERENCE_VECTORS: Final = 9
SERVER_MOMENTUM: Final = 0.9
# Goals, as shares of the baseline's accuracy and of the pay.
LARGEST_LOSS: Final = 0.04
LARGEST_CALM_LOSS: Final = 0.01
LARGEST_SHARE: Final = 0.02
LARGEST_SHARE_WITH_HONEST_UPDATES: Final = 0.05
CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, and half the width of its confidence interval (Student's t); None for one seed."""

    mean: float
    margin: float | None


@dataclass(frozen=True)
class Row:
    """What an attack did; `attack` is None for the calm runs.

    Attributes
    ----------
    attack
        Name.
    accuracy
        Of the default rule, of 1.
    worst_loss
        Over the seeds, the share of the baseline's calm accuracy that was lost; negative if more was reached.
    pay_share
        The attackers' share of what was paid.
    backdoor_success
        Mean success of an attack that has a target, else None.
    """

    attack: str | None
    accuracy: Estimate
    worst_loss: float
    mean_loss: float
    pay_share: Estimate
    backdoor_success: float | None


def settings(seeds: Sequence[int]) -> list[Setting]:
    """Return the baseline without attack, then the default rule without and under every attack, for every seed."""
    base = replace(PRESETS["fashion-mlp"], server_momentum=SERVER_MOMENTUM)
    judged = replace(base, rule=DEFAULT_RULE, reference_vectors=REFERENCE_VECTORS)
    kinds = [replace(base, rule=BASELINE), judged]
    kinds += [replace(judged, attack=name, attackers=ATTACKERS) for name in ATTACKS]
    return [replace(kind, seed=seed) for kind in kinds for seed in seeds]


def summarise(lines: Sequence[Line]) -> list[Row]:
    """Return a row for the calm runs and for each attack, from the lines of `settings`."""
    calm = _calm(lines, BASELINE)
    groups: dict[str | None, list[Line]] = {}
    for line in lines:
        if line["setting"]["rule"] == DEFAULT_RULE:
            groups.setdefault(line["setting"]["attack"], []).append(line)
    return [_row(attack, group, calm) for attack, group in groups.items()]


def goals(rows: Sequence[Row], lines: Sequence[Line]) -> list[Goal]:
    """Return what the experiment is judged by: issue "Fair pay and robust training", lines 2 and 3."""
    found = []
    for row in rows:
        if row.attack is None:
            found.append(Goal("accuracy lost without attack, of 1", _calm_loss(lines), LARGEST_CALM_LOSS))
            continue
        attack = ATTACKS[row.attack]
        if attack.aim is Aim.POISON:
            found.append(Goal(f"share of the calm accuracy lost to {row.attack}", row.mean_loss, LARGEST_LOSS))
        if attack.aim is not Aim.INFLATE:
            found.append(Goal(f"share of the pay to {row.attack}", row.pay_share.mean, _largest_share(row.attack)))
    found.append(Goal("calm runs in which the smallest trainer was paid nothing", _unpaid(lines), 0))
    return found


def write_page(rows: Sequence[Row], found: Sequence[Goal], seeds: Sequence[int], path: Path = PAGE) -> None:
    """Write the page with the table of all attacks."""
    missed = [goal for goal in found if not goal.met]
    calm = next(row for row in rows if row.attack is None)
    text = [
        "# Is training robust, and what do attackers earn?",
        "",
        f"Written by `cairn bench robustness --seeds {seeds[0]}-{seeds[-1]} --data-dir DIRECTORY`; machine and",
        "versions are in `benchmarks/results/robustness.json`. Fashion-MNIST, multi-layer perceptron of 50,890",
        f"parameters, 10 trainers with Dirichlet 0.3, {ATTACKERS} of them attackers, 20 rounds, server momentum",
        f"{SERVER_MOMENTUM}, rule `{DEFAULT_RULE}` with {REFERENCE_VECTORS} reference vectors from 200",
        "held-out samples. Accuracy is the mean of the last four rounds. What is lost is the share of the accuracy of",
        "the plain mean of all ten honest trainers, by seed. Intervals are of "
        f"{CONFIDENCE:.0%} (Student's t, {len(seeds)} seeds). Attacks are at",
        "their default strengths; [what each is](../attacks.md).",
        "",
        f"Without attack: {_percent(calm.accuracy)}, {100 * calm.mean_loss:.2f} % lost.",
        "",
        "| attack | knows | accuracy, % | lost, % | worst seed, % | attackers' pay, % | target reached, % |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in sorted((row for row in rows if row.attack is not None), key=lambda row: -row.mean_loss):
        reached = "" if row.backdoor_success is None else f"{100 * row.backdoor_success:.0f}"
        text.append(
            f"| {row.attack} | {ATTACKS[str(row.attack)].knowledge.value} | {_percent(row.accuracy)} "
            f"| {100 * row.mean_loss:.2f} | {100 * row.worst_loss:.2f} | {_percent(row.pay_share)} | {reached} |"
        )
    text += ["", "## Goals that are missed", ""]
    text += [f"- {goal.name}: {goal.measured:.4f}, at most {goal.limit:g}" for goal in missed] or ["None."]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text) + "\n", "utf-8")


def as_json(rows: Sequence[Row], found: Sequence[Goal]) -> dict[str, Any]:
    """Return rows and goals as JSON values."""
    judged = [asdict(goal) | {"met": goal.met} for goal in found]
    return {"rows": [asdict(row) for row in rows], "goals": judged}


def _row(attack: str | None, group: Sequence[Line], calm: dict[int, float]) -> Row:
    accuracies = [line["result"]["late_accuracy"] for line in group]
    lost = [1 - line["result"]["late_accuracy"] / calm[line["setting"]["seed"]] for line in group]
    shares = [line["result"]["attackers_pay_share"] or 0.0 for line in group]
    reached = [line["result"]["backdoor_success"] for line in group]
    has_target = attack is not None and ATTACKS[attack].wanted is not None
    return Row(
        attack=attack,
        accuracy=_estimate(accuracies),
        worst_loss=max(lost),
        mean_loss=statistics.mean(lost),
        pay_share=_estimate(shares),
        backdoor_success=statistics.mean(reached) if has_target else None,
    )


def _estimate(values: Sequence[float]) -> Estimate:
    count = len(values)
    if count < 2:
        return Estimate(values[0], None)
    quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1))
    return Estimate(statistics.mean(values), quantile * statistics.stdev(values) / sqrt(count))


def _percent(estimate: Estimate) -> str:
    margin = "" if estimate.margin is None else f" +- {100 * estimate.margin:.2f}"
    return f"{100 * estimate.mean:.2f}{margin}"


def _largest_share(attack: str) -> float:
    """Return the goal for an attack's pay: more for those that have seen this round's honest updates."""
    seen = ATTACKS[attack].knowledge in (Knowledge.OMNISCIENT, Knowledge.ADAPTIVE)
    return LARGEST_SHARE_WITH_HONEST_UPDATES if seen else LARGEST_SHARE


def _calm_loss(lines: Sequence[Line]) -> float:
    """Return the mean accuracy, of 1, that the default rule lacks of the baseline's without attack."""
    baseline, judged = _calm(lines, BASELINE), _calm(lines, DEFAULT_RULE)
    return float(statistics.mean(baseline[seed] - judged[seed] for seed in baseline))


def _calm(lines: Sequence[Line], rule: str) -> dict[int, float]:
    """Return a rule's accuracy without attack by seed."""
    return {
        line["setting"]["seed"]: line["result"]["late_accuracy"]
        for line in lines
        if line["setting"]["rule"] == rule and line["setting"]["attack"] is None
    }


def _unpaid(lines: Sequence[Line]) -> int:
    """Count the calm runs of the default rule in which a trainer with the fewest samples was paid nothing."""
    unpaid = 0
    for line in lines:
        if line["setting"]["rule"] == DEFAULT_RULE and line["setting"]["attack"] is None:
            trainers = line["result"]["trainers"]
            fewest = min(trainer["samples"] for trainer in trainers)
            unpaid += any(trainer["pay"] == 0 for trainer in trainers if trainer["samples"] == fewest)
    return unpaid
