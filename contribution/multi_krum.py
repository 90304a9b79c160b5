"""Multi-Krum (Blanchard et al. 2017, arXiv 1703.02757) on a Gram matrix of integers."""

from __future__ import annotations

from collections.abc import Sequence

Matrix = Sequence[Sequence[int]]


def enough_for(candidates: int, tolerated: int) -> bool:
    """Tell whether multi-Krum can tolerate that many faulty updates: `n >= 2 f + 3`."""
    return candidates >= 2 * tolerated + 3


def krum_scores(gram: Matrix, candidates: Sequence[int], tolerated: int) -> list[int]:
    """Return each candidate's score: the sum of the `n - f - 2` smallest squared distances to the other candidates.

    Parameters
    ----------
    gram
        Gram matrix; squared distances are `D_ij = G_ii + G_jj - 2 G_ij`.
    candidates
        Rows that take part, n of them.
    tolerated
        f, with `n >= 2 f + 3`.

    Returns
    -------
    list of int
        Parallel to `candidates`.
    """
    nearest = len(candidates) - tolerated - 2
    scores = []
    for i in candidates:
        row, norm = gram[i], gram[i][i]
        distances = sorted(norm + gram[j][j] - 2 * row[j] for j in candidates if j != i)
        scores.append(sum(distances[:nearest]))
    return scores


def select_lowest(scores: Sequence[int], count: int) -> list[int]:
    """Return the positions of the `count` lowest scores in ascending order; ties go to the lower position."""
    return sorted(sorted(range(len(scores)), key=lambda position: (scores[position], position))[:count])
