"""Min-Max and Min-Sum: as far along a direction as honest updates lie from each other.

Shejwalkar and Houmansadr 2021, "Manipulating the Byzantine: Optimizing Model Poisoning Attacks and Defenses for
Federated Learning", NDSS. The crafted update is `mean + gamma p` with the largest gamma such that

- Min-Max: its largest distance to an honest update is at most the largest distance between two honest ones;
- Min-Sum: the sum of its squared distances to the honest updates is at most the largest such sum of an honest one.

The paper bisects; both conditions are quadratic in gamma, so that here they are solved.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.geometry import apart, honest_updates, unit
from benchmarks.simulation.attacks.view import AttackView, Vector, Vectors

_SOURCE: Final = "Shejwalkar and Houmansadr 2021 (NDSS)"
_GRID: Final = (0.5, 1.0, 1.5, 2.0)

Direction = Callable[[Vectors], Vector]
Reach = Callable[[Vectors, Vectors, Vector], float]


def against_mean(honest: Vectors) -> Vector:
    """Return `-mean / |mean|`."""
    return unit(-honest.mean(axis=0))


def against_deviation(honest: Vectors) -> Vector:
    """Return `-std`, coordinate by coordinate."""
    return np.asarray(-honest.std(axis=0))


def against_sign(honest: Vectors) -> Vector:
    """Return `-sign(mean)`."""
    return np.asarray(-np.sign(honest.mean(axis=0)))


def squared_distances(first: Vectors, second: Vectors) -> npt.NDArray[np.float64]:
    """Return `|a_i - b_j|^2`, shape (len(first), len(second))."""
    return np.asarray([[float(row @ row) for row in (a - second)] for a in first])


def _positive_root(a: float, b: float, c: float) -> float:
    """Return the larger root of `a g^2 + 2 b g + c`, at least 0; 0 where there is none."""
    discriminant = b * b - a * c
    return max(0.0, (-b + float(np.sqrt(discriminant))) / a) if discriminant >= 0 and a > 0 else 0.0


def reach_of_largest(bases: Vectors, honest: Vectors, direction: Vector) -> float:
    """Return Min-Max's gamma: the largest with `max_ji |b_j + gamma p - x_i| <= max_il |x_i - x_l|`."""
    limit = float(squared_distances(honest, honest).max())
    square = float(direction @ direction)
    reaches = []
    for base in bases:
        for update in honest:
            offset = base - update
            reaches.append(_positive_root(square, float(offset @ direction), float(offset @ offset) - limit))
    return min(reaches)


def reach_of_sum(bases: Vectors, honest: Vectors, direction: Vector) -> float:
    """Return Min-Sum's gamma: the largest with `sum_i |b_j + gamma p - x_i|^2 <= max_i sum_l |x_i - x_l|^2`, all j."""
    limit = float(squared_distances(honest, honest).sum(axis=1).max())
    square = len(honest) * float(direction @ direction)
    reaches = []
    for base in bases:
        offsets = base - honest
        reaches.append(_positive_root(square, float((offsets @ direction).sum()), float((offsets**2).sum()) - limit))
    return min(reaches)


def craft(direction: Direction, reach: Reach, view: AttackView) -> Vectors:
    """Return `b_j + strength gamma p` with the mean of the b_j that of the honest updates.

    The b_j differ, because of equal ones all but one would be dropped as copies; gamma is such that each of the
    crafted updates fulfils the condition.
    """
    honest = honest_updates(view)
    perturbation = direction(honest)
    mean = honest.mean(axis=0)
    longest = float(np.linalg.norm(mean)) + float(np.sqrt(squared_distances(honest, honest).max()))
    bases = apart(mean, view, length=longest)
    return np.asarray(bases + view.strength * reach(bases, honest, perturbation) * perturbation)


def _attack(name: str, direction: Direction, reach: Reach) -> Attack:
    """Return one of the attacks, with all that they have in common."""
    recipe = partial(craft, direction, reach)
    return Attack(name, _SOURCE, Knowledge.OMNISCIENT, Aim.POISON, 1.0, _GRID, recipe)


MIN_MAX_UNIT: Final = _attack("min-max-unit", against_mean, reach_of_largest)
MIN_MAX_DEVIATION: Final = _attack("min-max-std", against_deviation, reach_of_largest)
MIN_MAX_SIGN: Final = _attack("min-max-sign", against_sign, reach_of_largest)
MIN_SUM_UNIT: Final = _attack("min-sum-unit", against_mean, reach_of_sum)
MIN_SUM_DEVIATION: Final = _attack("min-sum-std", against_deviation, reach_of_sum)
MIN_SUM_SIGN: Final = _attack("min-sum-sign", against_sign, reach_of_sum)
