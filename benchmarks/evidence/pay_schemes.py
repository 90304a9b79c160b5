"""What attackers would earn if the same contributions were paid otherwise, from the lines of a campaign.

A contribution counts as a share of its round's positive contributions, since rounds have scales of their own; a round
weighs `l^2`, l being the rounds that are left, as rewards of decay 2 do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.evidence.robustness import ATTACKERS, Estimate, estimate, percent
from benchmarks.simulation.results import Line

Shares = npt.NDArray[np.float64]
# Contributions of the settled rounds, float64, shape (rounds, n), and weights of the rounds, shape (rounds,).
Scheme = Callable[[Shares, Shares], Shares]

PAGE: Final = Path("docs/evidence/pay-schemes.md")
EXPLORED: Final = 5
# Share of the pay below which an attack is not worth a line.
LEAST_TOLD: Final = 0.005


def each_round(contributions: Shares, weights: Shares) -> Shares:
    """Pay each round by its own positive contributions: the default."""
    return _paid(_normalised(np.maximum(contributions, 0)), weights)


def whole_job(contributions: Shares, weights: Shares) -> Shares:
    """Pay once, at the end, by the sum of all contributions, the negative ones too."""
    total = weights @ contributions
    paid: Shares = _normalised(np.maximum(total, 0)[np.newaxis])[0]
    return paid


def to_date(contributions: Shares, weights: Shares) -> Shares:
    """Pay each round by the sum of the contributions up to it, the negative ones too."""
    return _paid(_normalised(np.maximum(np.cumsum(contributions, axis=0), 0)), weights)


def explore_then_exploit(contributions: Shares, weights: Shares) -> Shares:
    """Pay the first rounds each by itself, later ones by what was contributed in the first, to those who still help."""
    helpful = np.maximum(contributions, 0)
    merit = np.maximum(contributions[:EXPLORED].sum(axis=0), 0)
    later = np.where(helpful[EXPLORED:] > 0, merit, 0.0)
    return _paid(_normalised(np.concatenate([helpful[:EXPLORED], later])), weights)


DEFAULT: Final = "each round by itself"
SCHEMES: Final[Mapping[str, Scheme]] = {
    DEFAULT: each_round,
    "the whole job at its end": whole_job,
    "each round by all to date": to_date,
    f"explore {EXPLORED} rounds, then exploit": explore_then_exploit,
}


def shares(line: Line, scheme: Scheme) -> Shares:
    """Return each trainer's share of a job's pay under a scheme, float64, shape (n,), from the line of its run."""
    settled = [entry["contributions"] for entry in line["result"]["rounds"] if not entry["void"]]
    if not settled:
        return np.zeros(len(line["result"]["trainers"]))
    contributions = np.array(settled, dtype=np.float64)
    positive = np.maximum(contributions, 0).sum(axis=1, keepdims=True)
    left = line["setting"]["rounds"] - np.arange(len(settled), dtype=np.float64)
    return scheme(np.divide(contributions, positive, where=positive > 0, out=np.zeros_like(contributions)), left**2)


def attackers_shares(lines: Sequence[Line]) -> dict[str | None, dict[str, Estimate]]:
    """Return what the last trainers, who attack if anybody does, earn by attack and scheme, from lines of one rule."""
    groups: dict[str | None, list[Line]] = {}
    for line in lines:
        groups.setdefault(line["setting"]["attack"], []).append(line)
    return {
        attack: {
            name: estimate([float(shares(line, scheme)[-ATTACKERS:].sum()) for line in group])
            for name, scheme in SCHEMES.items()
        }
        for attack, group in groups.items()
    }


def write_page(lines: Sequence[Line], path: Path = PAGE) -> None:
    """Write the page, from the lines of the default rule without attack and under every attack."""
    found = attackers_shares(lines)
    told = [attack for attack, row in found.items() if attack is None or row[DEFAULT].mean >= LEAST_TOLD]
    told.sort(key=lambda attack: (attack is not None, -found[attack][DEFAULT].mean))
    text = [
        "# Would attackers earn less if pay were shared out otherwise?",
        "",
        "Written by `cairn bench robustness`, from the same jobs as [robustness](robustness.md), in which nothing",
        f"else changes: share of all pay, %, that goes to the {ATTACKERS} attackers, mean over the seeds and interval",
        "of 95%. Contributions count as shares of their round, and rounds weigh as much as their rewards do. Attacks",
        f"that earn less than {LEAST_TOLD:.1%} by the default are left out.",
        "",
        "| attack | " + " | ".join(SCHEMES) + " |",
        "|---|" + "---:|" * len(SCHEMES),
    ]
    for attack in told:
        columns = " | ".join(percent(value) for value in found[attack].values())
        text.append(f"| {attack or 'none, honest work'} | {columns} |")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text) + "\n", "utf-8")


def _normalised(rows: Shares) -> Shares:
    """Return rows that sum to 1, or to 0 where nothing is in them."""
    sums = rows.sum(axis=1, keepdims=True)
    shared: Shares = np.divide(rows, sums, where=sums > 0, out=np.zeros_like(rows))
    return shared


def _paid(by_round: Shares, weights: Shares) -> Shares:
    return np.asarray(weights @ by_round / weights.sum())
