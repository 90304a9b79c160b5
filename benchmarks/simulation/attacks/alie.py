"""A little is enough: the mean, moved by so few standard deviations that the move hides among honest differences.

Baruch, Baruch and Goldberg 2019, "A Little Is Enough: Circumventing Defenses For Distributed Learning", arXiv
1902.06156.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, AttackError, Knowledge
from benchmarks.simulation.attacks.geometry import apart, honest_updates
from benchmarks.simulation.attacks.view import AttackView, Vectors

_SOURCE: Final = "Baruch et al. 2019, arXiv 1902.06156"
_GRID: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
# Attackers in the majority need nobody's support and the paper's formula has no answer; they stay within the range
# that all but one in a thousand of a normal population lie in.
_LARGEST_QUANTILE: Final = 0.999


def supported_deviation(trainers: int, attackers: int) -> float:
    """Return z_max: how far the attackers may go while enough honest trainers lie further out.

        s = floor(n/2 + 1) - m,   z_max = max { z : Phi(z) < (n - m - s) / (n - m) }

    with n trainers, m attackers, and Phi the standard normal distribution function. Negative for few attackers.

    Raises
    ------
    AttackError
        If there is no honest trainer.
    """
    honest = trainers - attackers
    if honest < 1 or attackers < 1:
        raise AttackError(
            f"{attackers} attackers among {trainers} trainers leave {honest} honest ones; the attack needs 1 of each"
        )
    supporters = trainers // 2 + 1 - attackers
    quantile = (honest - supporters) / honest
    # With n = 2 the only honest trainer is a supporter, the quantile 0 and z unbounded below.
    return NormalDist().inv_cdf(min(max(quantile, 1 - _LARGEST_QUANTILE), _LARGEST_QUANTILE))


def _little(sample: Vectors, view: AttackView) -> Vectors:
    """Return `mean - strength z_max std`, coordinate by coordinate, with the moments of a sample of updates."""
    z = view.strength * supported_deviation(view.trainers, view.attackers)
    return apart(sample.mean(axis=0) - z * sample.std(axis=0), view)


def from_own(view: AttackView) -> Vectors:
    """Estimate mean and deviation from the attackers' own updates, as the paper does."""
    return _little(view.own, view)


def from_honest(view: AttackView) -> Vectors:
    """Take mean and deviation of the honest updates."""
    return _little(honest_updates(view), view)


def optimal_direction(view: AttackView) -> Vectors:
    """Return `mean - strength std` of the honest updates: the deviation is a free number, chosen by tuning."""
    honest = honest_updates(view)
    return apart(np.asarray(honest.mean(axis=0) - view.strength * honest.std(axis=0)), view)


ALIE: Final = Attack("alie", _SOURCE, Knowledge.OWN, Aim.POISON, 1.0, _GRID, from_own)
ALIE_OMNISCIENT: Final = Attack("alie-omniscient", _SOURCE, Knowledge.OMNISCIENT, Aim.POISON, 1.0, _GRID, from_honest)
ALIE_TUNED: Final = Attack(
    "alie-tuned",
    _SOURCE + ", z by line search as in Shejwalkar and Houmansadr 2021 (NDSS)",
    Knowledge.OMNISCIENT,
    Aim.POISON,
    1.0,
    (0.25, 0.5, 1.0, 1.5, 2.0, 3.0),
    optimal_direction,
)
