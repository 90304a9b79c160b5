"""Sign flips: the update, or the mean of the honest ones, in the opposite direction.

Li et al. 2019, "RSA: Byzantine-Robust Stochastic Aggregation Methods for Distributed Learning from Heterogeneous
Datasets", arXiv 1811.03761.
"""

from __future__ import annotations

from typing import Final

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.geometry import apart, honest_updates
from benchmarks.simulation.attacks.view import AttackView, Vectors

_SOURCE: Final = "Li et al. 2019, arXiv 1811.03761"
_GRID: Final = (0.1, 0.5, 1.0, 2.0, 4.0, 100.0)


def flip_own(view: AttackView) -> Vectors:
    """Return `-strength u_j` for each attacker's own update."""
    return -view.strength * view.own


def flip_mean(view: AttackView) -> Vectors:
    """Return `-strength mean` of the honest updates, k times but for noise."""
    return apart(-view.strength * honest_updates(view).mean(axis=0), view)


SIGN_FLIP: Final = Attack("sign-flip", _SOURCE, Knowledge.OWN, Aim.POISON, 1.0, _GRID, flip_own)
SIGN_FLIP_4: Final = Attack("sign-flip-4", _SOURCE, Knowledge.OWN, Aim.POISON, 4.0, (4.0,), flip_own)
SIGN_FLIP_100: Final = Attack("sign-flip-100", _SOURCE, Knowledge.OWN, Aim.POISON, 100.0, (100.0,), flip_own)
SIGN_FLIP_OF_MEAN: Final = Attack("sign-flip-of-mean", _SOURCE, Knowledge.OMNISCIENT, Aim.POISON, 1.0, _GRID, flip_mean)
