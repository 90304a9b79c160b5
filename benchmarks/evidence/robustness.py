"""Does training survive attackers, and what do they earn? Every attack of the library against the default rule.

Compared by seed with the plain mean of all trainers when nobody attacks, both with the same server momentum. Accuracy
is the mean over the last four rounds, because that of a single round swings by a point and more. Attackers choose
their strength on smaller data and seeds of their own; on the data that the goals are about nothing was chosen.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf, sqrt
from pathlib import Path
from typing import Any, Final

from scipy import stats

from benchmarks.evidence.plots import attack_plot
from benchmarks.goals import Goal
from benchmarks.simulation.attacks import ATTACKS, Aim, Knowledge, tune
from benchmarks.simulation.errors import SettingError
from benchmarks.simulation.grid import told_seeds
from benchmarks.simulation.presets import PRESETS
from benchmarks.simulation.results import Line
from benchmarks.simulation.setting import Setting
from contribution.rules import DEFAULT_RULE

PAGE: Final = Path("docs/evidence/robustness.md")
# The data that the goals are about, on which nobody tunes anything, and those that attackers tune on.
JUDGED: Final = "fashion-mlp"
TUNED: Final = "digits-mlp"
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
LARGEST_COPIES_RATIO: Final = 1.05
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
    honest_share
        What the same trainers were paid, as a share, when they worked honestly.
    backdoor_success
        Mean success of an attack that has a target, else None.
    """

    attack: str | None
    accuracy: Estimate
    worst_loss: float
    mean_loss: float
    pay_share: Estimate
    honest_share: float
    backdoor_success: float | None


def tuning_settings(tuning_seeds: Sequence[int], seeds: Sequence[int]) -> list[Setting]:
    """Return every attack at every strength of its grid, on the seeds that attackers tune on.

    What merely asks for more pay for honest work is left as it is: with noise enough, copies are none any more.

    Raises
    ------
    SettingError
        If a seed is among those that are reported.
    """
    both = sorted({*tuning_seeds} & {*seeds})
    if both:
        raise SettingError(
            f"Seed {both[0]} is to be tuned on and to be reported; choose others, for attackers don't know the future."
        )
    return [
        replace(job(TUNED), attack=name, attackers=ATTACKERS, strength=strength, seed=seed)
        for name, attack in ATTACKS.items()
        if len(attack.grid) > 1 and attack.aim is not Aim.INFLATE
        for strength in attack.grid
        for seed in tuning_seeds
    ]


def chosen_strengths(lines: Sequence[Line]) -> dict[str, float]:
    """Return the strength of each attack that served it best in the lines of `tuning_settings`."""
    found: dict[tuple[str, float], list[float]] = {}
    for line in lines:
        name, result = line["setting"]["attack"], line["result"]
        poisons = ATTACKS[name].aim is Aim.POISON
        harm = result["late_accuracy"] if poisons else -(result["attackers_pay_share"] or 0.0)
        found.setdefault((name, line["setting"]["strength"]), []).append(harm)
    means = {key: statistics.mean(values) for key, values in found.items()}

    def best(name: str) -> float:
        return tune(ATTACKS[name], lambda strength: means[name, strength])

    return {name: best(name) for name in dict.fromkeys(name for name, _ in means)}


def settings(preset: str, seeds: Sequence[int], strengths: Mapping[str, float]) -> list[Setting]:
    """Return the baseline without attack, then the default rule without and under every attack, for every seed.

    Parameters
    ----------
    preset
        Data and model.
    seeds
        Seeds.
    strengths
        Of the attacks that don't have their default strength.
    """
    judged = job(preset)
    kinds = [replace(judged, rule=BASELINE, reference_vectors=1), judged]
    kinds += [replace(judged, attack=name, attackers=ATTACKERS, strength=strengths.get(name)) for name in ATTACKS]
    return [replace(kind, seed=seed) for kind in kinds for seed in seeds]


def job(preset: str) -> Setting:
    """Return what is judged, with nobody attacking: the preset's data and model under the default rule."""
    return replace(
        PRESETS[preset], server_momentum=SERVER_MOMENTUM, rule=DEFAULT_RULE, reference_vectors=REFERENCE_VECTORS
    )


def summarise(lines: Sequence[Line]) -> list[Row]:
    """Return a row for the calm runs and for each attack, from the lines of `settings`."""
    calm, honest = _calm(lines, BASELINE), last_trainers_share(_calm_lines(lines, DEFAULT_RULE))
    groups: dict[str | None, list[Line]] = {}
    for line in lines:
        if line["setting"]["rule"] == DEFAULT_RULE:
            groups.setdefault(line["setting"]["attack"], []).append(line)
    return [_row(attack, group, calm, honest) for attack, group in groups.items()]


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
    shares = {row.attack: row.pay_share.mean for row in rows}
    alone, copies = shares["sybil-alone"], shares["sybil-copies"]
    found.append(Goal("pay of copies, by that of one", copies / alone if alone else inf, LARGEST_COPIES_RATIO))
    found.append(Goal("calm runs in which the smallest trainer was paid nothing", _unpaid(lines), 0))
    return found


def write_page(
    rows: Sequence[Row],
    tuned: Sequence[Row],
    found: Sequence[Goal],
    seeds: Sequence[int],
    tuning_seeds: Sequence[int],
    path: Path = PAGE,
) -> None:
    """Write the page: a table and a plot of all attacks, and a table of those on the data that strengths come from.

    Parameters
    ----------
    rows, tuned
        Of `JUDGED` and `TUNED`.
    found
        Goals.
    seeds, tuning_seeds
        What was reported, and what strengths were chosen on.
    path
        Where the page goes; the plot lies beside it.
    """
    missed = [goal for goal in found if not goal.met]
    told = told_seeds(seeds)
    on = ", ".join(map(str, tuning_seeds))
    text = [
        "# Is training robust, and what do attackers earn?",
        "",
        "Written by `cairn bench robustness`; machine, versions and strengths are in",
        f"`benchmarks/results/robustness.json`. 10 trainers with Dirichlet 0.3, {ATTACKERS} of them attackers,",
        f"20 rounds, server momentum {SERVER_MOMENTUM}, rule `{DEFAULT_RULE}` with {REFERENCE_VECTORS}",
        f"reference vectors from 200 held-out samples; seeds {told}. Accuracy is the mean of the last four rounds.",
        "What is lost is the share of the accuracy of the plain mean of all ten honest trainers, by seed. Intervals",
        f"are of {CONFIDENCE:.0%} (Student's t, {len(seeds)} seeds). Each attack has the strength of its grid that",
        f"served it best on the digits, on other seeds ({on}); [what each attack is](../attacks.md).",
        "",
        "![Accuracy lost and pay, by attack](robustness.svg)",
        "",
        "## Fashion-MNIST, multi-layer perceptron of 50,890 parameters: nothing was tuned on these data",
        "",
        *_table(rows),
        "",
        "## Digits, multi-layer perceptron of 2,410 parameters",
        "",
        *_table(tuned),
        "",
        "## Goals that are missed",
        "",
        "For Fashion-MNIST.",
        "",
    ]
    text += [f"- {goal.name}: {goal.measured:.4f}, at most {goal.limit:g}" for goal in missed] or ["None."]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text) + "\n", "utf-8")
    attacks = by_loss(rows)
    plot = attack_plot(
        [str(row.attack) for row in attacks],
        [100 * row.mean_loss for row in attacks],
        [100 * row.pay_share.mean for row in attacks],
        100 * LARGEST_LOSS,
        100 * attacks[0].honest_share,
    )
    path.with_suffix(".svg").write_bytes(plot)


def _table(rows: Sequence[Row]) -> list[str]:
    """Return the calm runs in a sentence and all attacks in a table, what harms most first."""
    calm = next(row for row in rows if row.attack is None)
    text = [
        f"Without attack {percent(calm.accuracy)} % of the samples are recognised, {100 * calm.mean_loss:.2f} % less "
        f"than by the plain mean. The last {ATTACKERS} trainers, who attack below, earn "
        f"{100 * calm.honest_share:.1f} % of the pay by working honestly.",
        "",
        "| attack | knows | accuracy, % | lost, % | worst seed, % | attackers' pay, % | target reached, % |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in by_loss(rows):
        reached = "" if row.backdoor_success is None else f"{100 * row.backdoor_success:.0f}"
        text.append(
            f"| {row.attack} | {ATTACKS[str(row.attack)].knowledge.value} | {percent(row.accuracy)} "
            f"| {100 * row.mean_loss:.2f} | {100 * row.worst_loss:.2f} | {percent(row.pay_share)} | {reached} |"
        )
    return text


def by_loss(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of attacks, what costs most accuracy first."""
    return sorted((row for row in rows if row.attack is not None), key=lambda row: -row.mean_loss)


def as_json(
    rows: Sequence[Row], tuned: Sequence[Row], found: Sequence[Goal], strengths: Mapping[str, float]
) -> dict[str, Any]:
    """Return rows of both data sets, goals and the strengths that attackers chose as JSON values."""
    judged = [asdict(goal) | {"met": goal.met} for goal in found]
    tables = {JUDGED: [asdict(row) for row in rows], TUNED: [asdict(row) for row in tuned]}
    return {"rows": tables, "goals": judged, "strengths": dict(strengths)}


def _row(attack: str | None, group: Sequence[Line], calm: dict[int, float], honest: float) -> Row:
    accuracies = [line["result"]["late_accuracy"] for line in group]
    lost = [1 - line["result"]["late_accuracy"] / calm[line["setting"]["seed"]] for line in group]
    shares = [line["result"]["attackers_pay_share"] or 0.0 for line in group]
    reached = [line["result"]["backdoor_success"] for line in group]
    has_target = attack is not None and ATTACKS[attack].wanted is not None
    return Row(
        attack=attack,
        accuracy=estimate(accuracies),
        worst_loss=max(lost),
        mean_loss=statistics.mean(lost),
        pay_share=estimate(shares),
        honest_share=honest,
        backdoor_success=statistics.mean(reached) if has_target else None,
    )


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of values, one a seed, with its interval."""
    count = len(values)
    if count < 2:
        return Estimate(values[0], None)
    quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1))
    return Estimate(statistics.mean(values), quantile * statistics.stdev(values) / sqrt(count))


def percent(value: Estimate) -> str:
    """Return a share in percent, with its interval."""
    margin = "" if value.margin is None else f" +- {100 * value.margin:.2f}"
    return f"{100 * value.mean:.2f}{margin}"


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
    return {line["setting"]["seed"]: line["result"]["late_accuracy"] for line in _calm_lines(lines, rule)}


def _calm_lines(lines: Sequence[Line], rule: str) -> list[Line]:
    """Return the lines of a rule without attack."""
    return [line for line in lines if line["setting"]["rule"] == rule and line["setting"]["attack"] is None]


def last_trainers_share(calm: Sequence[Line]) -> float:
    """Return what those who attack elsewhere, the last trainers, are paid on average in these calm runs, of 1."""
    pays = [[trainer["pay"] for trainer in line["result"]["trainers"]] for line in calm]
    return statistics.mean(sum(pay[-ATTACKERS:]) / sum(pay) if any(pay) else 0.0 for pay in pays)


def _unpaid(lines: Sequence[Line]) -> int:
    """Count the calm runs of the default rule in which a trainer with the fewest samples was paid nothing."""
    unpaid = 0
    for line in _calm_lines(lines, DEFAULT_RULE):
        trainers = line["result"]["trainers"]
        fewest = min(trainer["samples"] for trainer in trainers)
        unpaid += any(trainer["pay"] == 0 for trainer in trainers if trainer["samples"] == fewest)
    return unpaid
