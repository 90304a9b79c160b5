"""Is each part of the default worth having? The default against itself with one part left out or replaced.

Every alternative meets the same attacks, at their default strengths, on the same seeds and data. Losses are shares of
the calm accuracy of the plain mean with the default's server momentum, by seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.evidence.robustness import (
    ATTACKERS,
    BASELINE,
    JUDGED,
    REFERENCE_VECTORS,
    SERVER_MOMENTUM,
    TUNED,
    Estimate,
    estimate,
    job,
    last_trainers_share,
    percent,
)
from benchmarks.goals import Goal
from benchmarks.simulation.grid import told_seeds
from benchmarks.simulation.results import Line
from benchmarks.simulation.setting import Setting
from contribution.rules import RULES

PAGE: Final = Path("docs/evidence/alternatives.md")
PRESETS_COMPARED: Final = (JUDGED, TUNED)
DEFAULT: Final = "the default"
PLAIN_MEAN: Final = "plain mean"
# What each changes of the default's setting.
ALTERNATIVES: Final[Mapping[str, Mapping[str, Any]]] = {
    DEFAULT: {},
    "no server momentum": {"server_momentum": 0.0},
    "worker momentum instead of server momentum": {"server_momentum": 0.0, "worker_momentum": SERVER_MOMENTUM},
    "two curvature vectors": {"reference_vectors": 3},
    "no curvature: the reference alone": {"reference_vectors": 1},
    "no referee": {"referee_samples": 0, "reference_vectors": 1},
    "multi-Krum": {"rule": "multi-krum", "reference_vectors": 1},
    "nearest-neighbour mixing, then multi-Krum": {"rule": "nnm-multi-krum", "reference_vectors": 1},
    "geometric median": {"rule": "geometric-median", "reference_vectors": 1},
    PLAIN_MEAN: {"rule": BASELINE, "reference_vectors": 1},
}
# One of each kind: harm in one's own update, harm hidden among the honest updates, and pay for no work.
ATTACKS_MET: Final = (
    "sign-flip",
    "label-flip-pairs",
    "alie-omniscient",
    "min-max-std",
    "free-rider-random",
    "free-rider-stale",
)
# By how much an alternative's worst loss may be below the default's, of 1, before the default is in question.
LARGEST_LAG: Final = 0.01


@dataclass(frozen=True)
class Comparison:
    """What an alternative did, over all seeds.

    Attributes
    ----------
    name
        One of `ALTERNATIVES`.
    pays
        Whether its rule pays anybody.
    calm_loss
        Share of the baseline's calm accuracy that is lost without attack.
    losses
        The same by attack.
    shares
        The attackers' share of the pay by attack; empty if it pays nobody.
    honest_share
        What the same trainers are paid, as a share, when nobody attacks; None if it pays nobody.
    """

    name: str
    pays: bool
    calm_loss: Estimate
    losses: Mapping[str, Estimate]
    shares: Mapping[str, Estimate]
    honest_share: float | None

    @property
    def worst(self) -> str:
        """The attack that costs most accuracy."""
        return max(self.losses, key=lambda attack: self.losses[attack].mean)


def settings(preset: str, seeds: Sequence[int]) -> list[Setting]:
    """Return every alternative without and under every attack, for every seed."""
    kinds = [replace(job(preset), **changes) for changes in ALTERNATIVES.values()]
    kinds = [attacked for kind in kinds for attacked in (kind, *_attacked(kind))]
    return [replace(kind, seed=seed) for kind in kinds for seed in seeds]


def _attacked(kind: Setting) -> list[Setting]:
    return [replace(kind, attack=attack, attackers=ATTACKERS) for attack in ATTACKS_MET]


def compare(lines: Sequence[Line], seeds: Sequence[int]) -> list[Comparison]:
    """Return a comparison for each alternative, from the lines of `settings` in their order."""
    by_kind = [lines[at : at + len(seeds)] for at in range(0, len(lines), len(seeds))]
    kinds_each = 1 + len(ATTACKS_MET)
    groups = {name: by_kind[k * kinds_each : (k + 1) * kinds_each] for k, name in enumerate(ALTERNATIVES)}
    calm = [line["result"]["late_accuracy"] for line in groups[PLAIN_MEAN][0]]
    return [_comparison(name, group, calm) for name, group in groups.items()]


def _comparison(name: str, group: Sequence[Sequence[Line]], baseline: Sequence[float]) -> Comparison:
    unattacked, *attacked = group

    def loss(lines: Sequence[Line]) -> Estimate:
        reached = [line["result"]["late_accuracy"] for line in lines]
        return estimate([1 - accuracy / most for accuracy, most in zip(reached, baseline, strict=True)])

    pays = unattacked[0]["setting"]["rule"] in RULES
    shares = {
        attack: estimate([line["result"]["attackers_pay_share"] or 0.0 for line in lines])
        for attack, lines in zip(ATTACKS_MET, attacked, strict=True)
    }
    return Comparison(
        name=name,
        pays=pays,
        calm_loss=loss(unattacked),
        losses={attack: loss(lines) for attack, lines in zip(ATTACKS_MET, attacked, strict=True)},
        shares=shares if pays else {},
        honest_share=last_trainers_share(unattacked) if pays else None,
    )


def goals(comparisons: Sequence[Comparison]) -> list[Goal]:
    """Return what is judged: no alternative's worst attack costs clearly less than the default's worst attack does."""
    losses = {found.name: found.losses[found.worst].mean for found in comparisons}
    return [
        Goal(f"accuracy lost to the worst attack, more than with {name}", losses[DEFAULT] - loss, LARGEST_LAG)
        for name, loss in losses.items()
        if name != DEFAULT
    ]


def as_json(comparisons: Mapping[str, Sequence[Comparison]], found: Sequence[Goal]) -> dict[str, Any]:
    """Return comparisons by preset, and goals, as JSON values."""
    tables = {preset: [asdict(row) for row in rows] for preset, rows in comparisons.items()}
    return {"comparisons": tables, "goals": [asdict(goal) | {"met": goal.met} for goal in found]}


def write_page(
    comparisons: Mapping[str, Sequence[Comparison]], found: Sequence[Goal], seeds: Sequence[int], path: Path = PAGE
) -> None:
    """Write the page: for each preset a table of what is lost, and one of what attackers are paid."""
    told = told_seeds(seeds)
    text = [
        "# Is each part of the default worth having?",
        "",
        "Written by `cairn bench alternatives`; machine and versions are in `benchmarks/results/alternatives.json`.",
        f"10 trainers with Dirichlet 0.3, {ATTACKERS} of them attackers at their attacks' default strengths, 20",
        f"rounds; seeds {told}, intervals of 95% (Student's t). The default is server momentum {SERVER_MOMENTUM} and",
        f"{REFERENCE_VECTORS} reference vectors from 200 held-out samples; each alternative changes what its name",
        "says, and nothing else. [Robustness](robustness.md) has all attacks, with the strengths that serve them best.",
    ]
    for preset, rows in comparisons.items():
        text += ["", f"## {preset}", "", *_loss_table(rows), "", *_pay_table(rows)]
    text += ["", "## Goals", "", f"No alternative's worst attack may cost {LARGEST_LAG:.0%} less of the accuracy than"]
    text += [f"the default's, on {JUDGED}.", ""]
    text += [f"- {goal.name}: {goal.measured:.4f}, at most {goal.limit:g}" for goal in found if not goal.met] or [
        "Met."
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text) + "\n", "utf-8")


def _loss_table(rows: Sequence[Comparison]) -> list[str]:
    attacks = " | ".join(ATTACKS_MET)
    text = [
        "Share of the accuracy lost, %, of the plain mean's without attack:",
        "",
        f"| | no attack | {attacks} | worst |",
        "|---|" + "---:|" * (len(ATTACKS_MET) + 2),
    ]
    for row in rows:
        losses = " | ".join(percent(row.losses[attack]) for attack in ATTACKS_MET)
        text.append(f"| {row.name} | {percent(row.calm_loss)} | {losses} | {100 * row.losses[row.worst].mean:.2f} |")
    return text


def _pay_table(rows: Sequence[Comparison]) -> list[str]:
    attacks = " | ".join(ATTACKS_MET)
    text = [
        f"Share of the pay that the {ATTACKERS} attackers get, %, and that the same trainers get for honest work:",
        "",
        f"| | honest | {attacks} |",
        "|---|" + "---:|" * (len(ATTACKS_MET) + 1),
    ]
    for row in rows:
        if row.honest_share is None:
            continue
        shares = " | ".join(percent(row.shares[attack]) for attack in ATTACKS_MET)
        text.append(f"| {row.name} | {100 * row.honest_share:.2f} | {shares} |")
    return text
