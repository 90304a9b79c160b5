"""The best mixture of updates under a quadratic model of the loss, with a limit on every weight.

Sought are weights w, each at most the limit and of a fixed sum, that maximise

    U(w) = 2 b(w) - K(w, w),   K_ij = 2^-16 sum_k c_ki c_kj,

twice the fall of a held-out loss by the step `sum_i w_i q_i`, to second order. Pairwise ascent solves it: in each step
weight moves from the trainer whose gain at the margin is lowest to the one whose gain is highest, as far as U rises
(sequential minimal optimisation: Platt 1998, "Sequential Minimal Optimization: A Fast Algorithm for Training Support
Vector Machines", with the choice of the most violating pair of Keerthi et al. 2001).

Everything is in integers. Weights are in units of 2^-16; half the slope of U along w_i is, in units of 2^-32 of b,

    s_i = 2^32 b_i - sum_k c_ki C_k,   C_k = sum_j w_j c_kj.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contribution.clipping import WEIGHT_BITS
from contribution.curvature import CURVATURE_BITS

WHOLE: Final = 1 << WEIGHT_BITS
SLOPE_BITS: Final = WEIGHT_BITS + CURVATURE_BITS
# Nobody has more than three equal shares, nor more than a third.
LARGEST_SHARE: Final = 3
# So many steps more than half of the candidates: each can empty one of them.
EXTRA_STEPS: Final = 12


@dataclass(frozen=True)
class Mixture:
    """Weights and what they lead to; parallel to the candidates.

    Attributes
    ----------
    weights
        In units of 2^-16, before clipping.
    slopes
        `s_i` at these weights.
    """

    weights: tuple[int, ...]
    slopes: tuple[int, ...]


def weight_limit(candidates: int) -> int:
    """Return the largest weight of one of so many candidates, in units of 2^-16: `min(1/3, 3/n')`, rounded down."""
    return min(WHOLE // 3, LARGEST_SHARE * WHOLE // candidates)


def best_mixture(gains: Sequence[int], projections: Sequence[Sequence[int]]) -> Mixture:
    """Return the weights that `floor(n' / 2) + 12` steps lead to from equal ones.

    In each step i is the candidate with the highest slope of those below the limit, j that with the lowest of those
    with a weight, ties to the lower index; `floor((s_i - s_j) / sum_k (c_ki - c_kj)^2)` units, or as many as j has or i
    lacks if that is less, move from j to i. It ends early when nothing moves.

    Parameters
    ----------
    gains
        `b_i` of the n' >= 3 candidates.
    projections
        For each candidate its `c_ki`, K numbers.
    """
    count = len(gains)
    limit = weight_limit(count)
    weights = [WHOLE // count] * count
    totals = [sum(column) for column in zip(*projections, strict=True)]
    slopes = [gain << SLOPE_BITS for gain in gains]
    _lower(slopes, projections, totals, WHOLE // count)
    for _ in range(count // 2 + EXTRA_STEPS):
        high = max((i for i in range(count) if weights[i] < limit), key=slopes.__getitem__, default=None)
        low = min((i for i in range(count) if weights[i] > 0), key=slopes.__getitem__)
        if high is None or slopes[high] <= slopes[low]:
            break
        difference = [a - b for a, b in zip(projections[high], projections[low], strict=True)]
        moved = min(weights[low], limit - weights[high])
        if bend := sum(entry * entry for entry in difference):
            moved = min(moved, (slopes[high] - slopes[low]) // bend)
        if moved == 0:
            break
        weights[high] += moved
        weights[low] -= moved
        _lower(slopes, projections, difference, moved)
    return Mixture(tuple(weights), tuple(slopes))


def _lower(slopes: list[int], projections: Sequence[Sequence[int]], direction: Sequence[int], factor: int) -> None:
    """Subtract from each slope what a step in a direction takes from it."""
    for i, row in enumerate(projections):
        slopes[i] -= factor * sum(a * b for a, b in zip(row, direction, strict=True))


def contributions_of(mixture: Mixture, gains: Sequence[int]) -> list[int]:
    """Return the exact Shapley values of the game in which those who stay away are missing from the aggregate.

    The game is `U(T)` at the mixture's weights on T and 0 elsewhere. It is quadratic, so that a player's value is its
    own term and half of what it has in common with each other:

        phi_i = w_i (2 b_i - (K w)_i) = w_i (b_i + s_i),

    and the values sum to `U(w)`, what the round gained (Shapley 1953; Harsanyi 1963 for the equal split of what two
    have in common).

    Returns
    -------
    list of int
        In units of 2^-32 of the unit of b, rounded down.
    """
    return [
        weight * ((gain << SLOPE_BITS) + slope) >> WEIGHT_BITS
        for weight, gain, slope in zip(mixture.weights, gains, mixture.slopes, strict=True)
    ]
