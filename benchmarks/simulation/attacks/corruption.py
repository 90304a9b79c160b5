"""Corruption of few coordinates, as a faulty processor or memory leaves it.

Dixit et al. 2021, "Silent Data Corruptions at Scale", arXiv 2102.11245, report how often machines err unnoticed; the
sizes here are ours.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.view import AttackView, Vectors

_SOURCE: Final = "after Dixit et al. 2021, arXiv 2102.11245; the sizes are ours"
_SHARE_OF_COORDINATES: Final = 0.01
_SHARE_OF_ROUNDS: Final = 0.05


def corrupt_some(view: AttackView) -> Vectors:
    """Set 1 % of an update's coordinates to `+-strength`, for each attacker in 5 % of the rounds."""
    crafted = view.own.copy()
    count = max(1, round(_SHARE_OF_COORDINATES * view.dimension))
    for row in crafted:
        struck = view.generator.random() < _SHARE_OF_ROUNDS
        places = view.generator.choice(view.dimension, size=count, replace=False)
        signs = view.generator.choice([-1.0, 1.0], size=count)
        if struck:
            row[places] = view.strength * signs
    return crafted


def corrupt_one(view: AttackView) -> Vectors:
    """Set one coordinate of each update to `+-strength`, in every round."""
    crafted = view.own.copy()
    places = view.generator.integers(view.dimension, size=view.attackers)
    crafted[np.arange(view.attackers), places] = view.strength * view.generator.choice([-1.0, 1.0], size=view.attackers)
    return crafted


SILENT_CORRUPTION: Final = Attack(
    "silent-corruption", _SOURCE, Knowledge.OWN, Aim.POISON, 1e3, (1.0, 1e3), corrupt_some
)
SINGLE_COORDINATE: Final = Attack(
    "single-coordinate", _SOURCE, Knowledge.OWN, Aim.POISON, 1e30, (1.0, 10.0, 1e30), corrupt_one
)
