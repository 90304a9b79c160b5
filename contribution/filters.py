"""The filters before multi-Krum: zero updates, copies, and updates that point away from the referee's reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# Two updates are copies of each other if the cosine of their angle is above 999/1000.
COSINE_NUMERATOR: Final = 999
COSINE_DENOMINATOR: Final = 1000

Matrix = Sequence[Sequence[int]]


def zero_updates(gram: Matrix, trainers: int) -> list[int]:
    """Return the trainers whose update is zero: `G_ii = 0`."""
    return [i for i in range(trainers) if gram[i][i] == 0]


def first_originals(gram: Matrix, trainers: int) -> dict[int, int]:
    """Map each copy to the lowest trainer that it is a copy of.

    Row i is a copy if some non-zero row j < i has `G_ij > 0` and `1000^2 G_ij^2 > 999^2 G_ii G_jj`, whether or not j is
    a copy itself, so that a chain of near copies earns no more than its first link.

    Parameters
    ----------
    gram
        Gram matrix, at least `trainers` rows.
    trainers
        n.

    Returns
    -------
    dict
        Index of the copy to index of the original; empty if there are no copies.
    """
    originals: dict[int, int] = {}
    for i in range(trainers):
        row, norm = gram[i], gram[i][i]
        for j in range(i):
            if are_copies(row[j], norm, gram[j][j]):
                originals[i] = j
                break
    return originals


def are_copies(product: int, norm: int, other_norm: int) -> bool:
    """Tell whether two updates of these squared norms and this inner product have a cosine above 0.999."""
    # A zero row has inner product zero with every other, so it is nobody's copy and nobody's original.
    return product > 0 and COSINE_DENOMINATOR**2 * product**2 > COSINE_NUMERATOR**2 * norm * other_norm


def against_reference(gram: Matrix, trainers: int) -> list[int]:
    """Return the trainers with `b_i = G_in <= 0`, row n being the reference."""
    return [i for i in range(trainers) if gram[i][trainers] <= 0]
