"""The filters of the rules: zero updates, copies, and updates that point away from the referee's reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Matrix = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Cosine:
    """The cosine above which two updates are copies of each other, `numerator / denominator`."""

    numerator: int
    denominator: int


COPY: Final = Cosine(999, 1000)


def zero_updates(gram: Matrix, trainers: int) -> list[int]:
    """Return the trainers whose update is zero: `G_ii = 0`."""
    return [i for i in range(trainers) if gram[i][i] == 0]


def first_originals(gram: Matrix, trainers: int, limit: Cosine = COPY) -> dict[int, int]:
    """Map each copy to the lowest trainer that it is a copy of.

    Row i is a copy if some non-zero row j < i has `G_ij > 0` and `u^2 G_ij^2 > v^2 G_ii G_jj`, v / u being the limit,
    whether or not j is a copy itself, so that a chain of near copies earns no more than its first link.

    Parameters
    ----------
    gram
        Gram matrix, at least `trainers` rows.
    trainers
        n.
    limit
        The cosine.

    Returns
    -------
    dict
        Index of the copy to index of the original; empty if there are no copies.
    """
    originals: dict[int, int] = {}
    for i in range(trainers):
        row, norm = gram[i], gram[i][i]
        for j in range(i):
            if are_copies(row[j], norm, gram[j][j], limit):
                originals[i] = j
                break
    return originals


def first_copies(gram: Matrix, trainers: int, limit: Cosine = COPY) -> dict[int, int]:
    """Map each trainer that others of higher index are copies of to the lowest of them.

    Parameters
    ----------
    gram, trainers, limit
        As in `first_originals`.
    """
    copies: dict[int, int] = {}
    for i in range(trainers):
        for j in range(i + 1, trainers):
            if are_copies(gram[i][j], gram[i][i], gram[j][j], limit):
                copies[i] = j
                break
    return copies


def are_copies(product: int, norm: int, other_norm: int, limit: Cosine = COPY) -> bool:
    """Tell whether two updates of these squared norms and this inner product have a cosine above the limit."""
    # A zero row has inner product zero with every other, so it is nobody's copy and nobody's original.
    return product > 0 and limit.denominator**2 * product**2 > limit.numerator**2 * norm * other_norm


def against_reference(gram: Matrix, trainers: int) -> list[int]:
    """Return the trainers with `b_i = G_in <= 0`, row n being the reference."""
    return [i for i in range(trainers) if gram[i][trainers] <= 0]
