"""Collusion: attackers who agree on a vector and on how to look like independent trainers while they send it."""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.geometry import apart, honest_updates, spread
from benchmarks.simulation.attacks.view import AttackView, Vectors

# How much of their natural differences the colluders keep: enough not to be copies, less than honest trainers have,
# so that each has k - 1 near neighbours.
_KEPT_DIFFERENCE: Final = 0.5


def look_central(view: AttackView) -> Vectors:
    """Return `mean - strength std + (u_j - mean u)/2`: a common move, hidden under part of their own differences.

    The differences add up to zero, so that the colluders' mean is exactly the common vector.
    """
    honest = honest_updates(view)
    common = honest.mean(axis=0) - view.strength * honest.std(axis=0)
    return np.asarray(common + _KEPT_DIFFERENCE * spread(view.own))


def evict(view: AttackView) -> Vectors:
    """Return `mean - strength (x_0 - mean)`: gather on the side away from one rival, so that it lies furthest out.

    The rival is the first honest trainer; what it loses is what the attackers are after.
    """
    honest = honest_updates(view)
    mean = honest.mean(axis=0)
    return apart(np.asarray(mean - view.strength * (honest[0] - mean)), view)


COLLUSION: Final = Attack(
    "collusion",
    "after Baruch et al. 2019, arXiv 1902.06156, with the colluders' differences kept",
    Knowledge.OMNISCIENT,
    Aim.POISON,
    1.0,
    (0.25, 0.5, 1.0, 2.0),
    look_central,
)
EVICTION: Final = Attack(
    "eviction",
    "after Fang et al. 2020, arXiv 1911.11815: colluders as each other's nearest neighbours, against one rival",
    Knowledge.OMNISCIENT,
    Aim.FREE_RIDE,
    1.0,
    (0.25, 0.5, 1.0),
    evict,
)
