"""Mimic: all attackers repeat one honest trainer, so that its data count k + 1 times.

Karimireddy, He and Jaggi 2022, "Byzantine-Robust Learning on Heterogeneous Datasets via Bucketing", arXiv 2006.09365.
The paper finds the direction of greatest variance over the first rounds and then keeps to one trainer; here it is
found anew in each round, from the updates of that round alone.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.geometry import honest_updates, principal_direction, repeated, spread, with_noise
from benchmarks.simulation.attacks.view import AttackView, Vectors


def mimicked(honest: Vectors) -> int:
    """Return the trainer that lies furthest from the mean in the direction in which honest updates differ most."""
    return int(np.argmax(np.abs(spread(honest) @ principal_direction(honest))))


def mimic(view: AttackView) -> Vectors:
    """Return the mimicked update k times, each with noise of `strength` times its norm; 0 gives the paper's attack."""
    honest = honest_updates(view)
    return with_noise(repeated(honest[mimicked(honest)], view.attackers), view, view.strength)


MIMIC: Final = Attack(
    "mimic",
    "Karimireddy et al. 2022, arXiv 2006.09365",
    Knowledge.OMNISCIENT,
    Aim.POISON,
    0.05,
    (0.0, 0.05, 0.1),
    mimic,
)
