"""Norm clipping to the median norm, in integers."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Final

# A clip factor of 2^16 leaves an update as it is; weights share the same unit.
WEIGHT_BITS: Final = 16


def clip_factors(squared_norms: Sequence[int]) -> list[int]:
    """Return `k_i = floor(2^16 min(1, median / |q_i|))`.

    Norms are rounded down to integers; of an even number of norms the median is the lower one.

    Parameters
    ----------
    squared_norms
        `G_ii > 0` of those kept.

    Returns
    -------
    list of int
        Parallel to `squared_norms`, each in 0..2^16.
    """
    norms = [isqrt(squared) for squared in squared_norms]
    median = sorted(norms)[(len(norms) - 1) // 2]
    return [1 << WEIGHT_BITS if norm <= median else (median << WEIGHT_BITS) // norm for norm in norms]


def clip_once(product: int, factor: int) -> int:
    """Return the inner product of a clipped update with a fixed vector: `floor(2^-16 p k)`."""
    return product * factor >> WEIGHT_BITS


def clip_twice(product: int, factor: int, other_factor: int) -> int:
    """Return the inner product of two clipped updates, multiplied in full: `floor(2^-32 p k k')`."""
    return product * factor * other_factor >> (2 * WEIGHT_BITS)
