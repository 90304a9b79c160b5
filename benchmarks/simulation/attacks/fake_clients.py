"""Attacks of clients that have no data: only what the chain shows is known to them.

MPAF: Cao and Gong 2022, "MPAF: Model Poisoning Attacks to Federated Learning based on Fake Clients", arXiv
2203.08669. PoisonedFL: Xie, Fang and Gong 2024, "Model Poisoning Attacks to Federated Learning via Multi-Round
Consistency", arXiv 2404.15611.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.geometry import apart, public_length, shared_generator, unit
from benchmarks.simulation.attacks.view import AttackView, Vectors


def towards_base_model(view: AttackView) -> Vectors:
    """Return `strength (base - model)`: drag the model to one that knows nothing.

    The base is the initial model with its coordinates shuffled, the same in all rounds.
    """
    base = shared_generator(view).permutation(view.initial_model)
    return apart(view.strength * (base - view.model), view)


def consistent_direction(view: AttackView) -> Vectors:
    """Return an update with the same signs in every round.

    `strength |g| v * s / |v|`, coordinate by coordinate: s are signs drawn once for the job, g the model's last step,
    and v the absolute values of the part of g that the signs do not explain, `g - (<g, s>/d) s`, which is what honest
    trainers moved. The paper subtracts what it sent itself and adapts the length by whether the last rounds went its
    way; here the length is the strength, which is tuned.
    """
    signs = shared_generator(view).choice([-1.0, 1.0], size=view.dimension)
    step = view.last_aggregate
    magnitudes = np.abs(step - float(step @ signs) / view.dimension * signs)
    if not magnitudes.any():
        magnitudes = np.ones(view.dimension)
    return apart(np.asarray(view.strength * public_length(view) * unit(magnitudes) * signs), view)


MPAF: Final = Attack(
    "mpaf", "Cao and Gong 2022, arXiv 2203.08669", Knowledge.NONE, Aim.POISON, 1.0, (0.1, 1.0, 10.0), towards_base_model
)
CONSISTENT_DIRECTION: Final = Attack(
    "consistent-direction",
    "after Xie et al. 2024, arXiv 2404.15611 (PoisonedFL)",
    Knowledge.NONE,
    Aim.POISON,
    2.0,
    (1.0, 2.0, 4.0, 8.0),
    consistent_direction,
)
