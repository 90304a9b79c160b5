"""Inner product manipulation, or Fall of Empires: a multiple of the mean in the opposite direction.

Xie, Koyejo and Gupta 2019, "Fall of Empires: Breaking Byzantine-tolerant SGD by Inner Product Manipulation", arXiv
1903.03936. Small epsilon hides among the updates and slows the model down, large epsilon turns it round.
"""

from __future__ import annotations

from typing import Final

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.geometry import apart, honest_updates
from benchmarks.simulation.attacks.view import AttackView, Vectors

_SOURCE: Final = "Xie et al. 2019, arXiv 1903.03936"
_GRID: Final = (0.1, 0.5, 1.0, 2.0, 3.0, 10.0)


def against_own(view: AttackView) -> Vectors:
    """Return `-strength mean` of the attackers' own updates."""
    return apart(-view.strength * view.own.mean(axis=0), view)


def against_honest(view: AttackView) -> Vectors:
    """Return `-strength mean` of the honest updates."""
    return apart(-view.strength * honest_updates(view).mean(axis=0), view)


IPM: Final = Attack("ipm", _SOURCE, Knowledge.OWN, Aim.POISON, 0.5, _GRID, against_own)
IPM_SMALL: Final = Attack("ipm-0.1", _SOURCE, Knowledge.OMNISCIENT, Aim.POISON, 0.1, (0.1,), against_honest)
IPM_OMNISCIENT: Final = Attack("ipm-omniscient", _SOURCE, Knowledge.OMNISCIENT, Aim.POISON, 0.5, _GRID, against_honest)
IPM_LARGE: Final = Attack("ipm-3", _SOURCE, Knowledge.OMNISCIENT, Aim.POISON, 3.0, (3.0,), against_honest)
