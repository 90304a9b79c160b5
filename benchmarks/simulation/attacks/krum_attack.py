"""Fang's attack on Krum: as far against the honest direction as Krum still selects.

Fang et al. 2020, "Local Model Poisoning Attacks to Byzantine-Robust Federated Learning", arXiv 1911.11815. All
attackers send about `-lambda s`, with s the signs of the honest mean; lambda starts at the paper's upper bound and is
halved until Krum, told that k are faulty, would pick an attacker.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.geometry import apart, honest_updates
from benchmarks.simulation.attacks.min_max import squared_distances
from benchmarks.simulation.attacks.view import AttackView, Vectors

# The paper stops at 1e-5; relative to the bound, so that the size of the updates does not matter.
_SMALLEST: Final = 1e-5


def krum_choice(distances: npt.NDArray[np.float64], faulty: int) -> int:
    """Return the row that Krum selects: the one with the least sum of its `n - f - 2` smallest squared distances.

    Parameters
    ----------
    distances
        Squared distances, shape (n, n).
    faulty
        f; at least one distance is summed.
    """
    nearest = max(1, len(distances) - faulty - 2)
    scores = [np.sort(np.delete(row, i))[:nearest].sum() for i, row in enumerate(distances)]
    return int(np.argmin(scores))


def upper_bound(distances: npt.NDArray[np.float64], norms: npt.NDArray[np.float64], n: int, d: int) -> float:
    """Return the paper's bound on lambda, from the honest updates' squared distances and norms.

    sqrt( min_i sum_{l nearest} D(x_i, x_l)^2 / ((n - 2 k - 1) d) ) + max_i |x_i| / sqrt(d)
    """
    honest = len(distances)
    nearest = max(1, honest - 2)
    least = min(float(np.sort(row)[1 : nearest + 1].sum()) for row in distances)
    return float(np.sqrt(least / (max(1, 2 * honest - n - 1) * d)) + norms.max() / np.sqrt(d))


def with_attackers(distances: npt.NDArray[np.float64], to_crafted: npt.NDArray[np.float64], k: int) -> Vectors:
    """Return all squared distances if k attackers send one vector; the honest rows come first."""
    honest = len(distances)
    every = np.zeros((honest + k, honest + k))
    every[:honest, :honest] = distances
    every[:honest, honest:] = to_crafted[:, np.newaxis]
    every[honest:, :honest] = to_crafted
    return every


def attack_krum(view: AttackView) -> Vectors:
    """Return `-strength lambda s`, k times but for noise."""
    honest = honest_updates(view)
    signs = np.sign(honest.mean(axis=0))
    distances = squared_distances(honest, honest)
    norms = np.linalg.norm(honest, axis=1)
    start = upper_bound(distances, norms, view.trainers, view.dimension)
    step = start
    while step > _SMALLEST * start:
        to_crafted = norms**2 + 2 * step * (honest @ signs) + step**2 * float(signs @ signs)
        if krum_choice(with_attackers(distances, to_crafted, view.attackers), view.attackers) >= len(honest):
            break
        step /= 2
    return apart(-view.strength * step * signs, view)


KRUM_ATTACK: Final = Attack(
    "fang-krum",
    "Fang et al. 2020, arXiv 1911.11815",
    Knowledge.OMNISCIENT,
    Aim.POISON,
    1.0,
    (0.5, 1.0, 2.0),
    attack_krum,
)
