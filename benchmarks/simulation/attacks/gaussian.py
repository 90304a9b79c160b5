"""Gaussian noise instead of an update.

Blanchard et al. 2017, "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent", arXiv 1703.02757.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.view import AttackView, Vectors

_SOURCE: Final = "Blanchard et al. 2017, arXiv 1703.02757, in units of the attackers' own updates"


def gaussian(view: AttackView) -> Vectors:
    """Return independent normal coordinates with standard deviation `strength |u_j| / sqrt(d)`.

    At strength 1 the noise is as long as the attacker's honest update.
    """
    deviation = view.strength * np.linalg.norm(view.own, axis=1, keepdims=True) / np.sqrt(view.dimension)
    return np.asarray(deviation * view.generator.standard_normal(view.own.shape))


GAUSSIAN_SMALL: Final = Attack(
    "gaussian-small", _SOURCE, Knowledge.OWN, Aim.POISON, 1.0, (0.5, 1.0, 2.0, 4.0), gaussian
)
GAUSSIAN_LARGE: Final = Attack("gaussian-large", _SOURCE, Knowledge.OWN, Aim.POISON, 100.0, (10.0, 100.0), gaussian)
