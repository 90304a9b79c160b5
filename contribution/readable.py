"""The rule "multi-Krum, exact Shapley" once more, as plainly as it can be written.

Nothing is shared with `contribution.rule` but the coefficients, and nothing is made fast: every quantity is computed
from its definition, in exact numbers, and rounded where the rule says so. Tests hold the two together; audits and the
documentation quote this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor, isqrt

from contribution.shapley import fixed_coefficients

Matrix = Sequence[Sequence[int]]


def decide(gram: Matrix, trainers: int, references: int, tolerated: int) -> tuple[list[int], list[int]]:
    """Return weights and contributions, one of each per trainer; all 0 if the round is void.

    Parameters
    ----------
    gram
        Gram matrix of the updates, the reference and the curvature vectors, in this order.
    trainers, references, tolerated
        As in `contribution.rule.evaluate`.
    """
    weights = [0] * trainers
    contributions = [0] * trainers
    candidates, faulty = pass_filters(gram, trainers, references, tolerated)
    if len(candidates) < 2 * faulty + 3:
        return weights, contributions
    kept = most_central(gram, candidates, faulty)
    factor = clip(gram, kept)
    for i in kept:
        weights[i] = floor(2**16 * factor[i] / len(kept))
    if sum(weight > 0 for weight in weights) < 3:
        return [0] * trainers, contributions
    gain, curvature = game(gram, kept, factor, trainers, references)
    for i in kept:
        if weights[i] > 0:
            contributions[i] = shapley_value(i, kept, gain, curvature)
    return weights, contributions


def pass_filters(gram: Matrix, trainers: int, references: int, tolerated: int) -> tuple[list[int], int]:
    """Return who passes the filters and how many of them may be faulty."""
    everyone = range(trainers)
    unique = [i for i in everyone if gram[i][i] > 0 and not any(is_copy(gram, i, j) for j in range(i))]
    if references == 0:
        return unique, max(0, tolerated - (trainers - len(unique)))
    helpful = [i for i in unique if gram[i][trainers] > 0]
    faulty = max(0, tolerated - (trainers - len(helpful)))
    if len(helpful) < 2 * faulty + 3 and trainers >= 2 * tolerated + 3:
        return unique, max(0, tolerated - (trainers - len(unique)))
    return helpful, faulty


def is_copy(gram: Matrix, i: int, j: int, limit: Fraction = Fraction(999, 1000)) -> bool:
    """Tell whether the cosine of two updates is above the limit; the cosine with a zero update counts as 0."""
    norms = gram[i][i] * gram[j][j]
    return norms > 0 and gram[i][j] > 0 and Fraction(gram[i][j] ** 2, norms) > limit**2


def most_central(gram: Matrix, candidates: list[int], faulty: int) -> list[int]:
    """Return the candidates that multi-Krum keeps, ascending."""

    def distance(i: int, j: int) -> int:
        return gram[i][i] + gram[j][j] - 2 * gram[i][j]

    def score(i: int) -> int:
        others = sorted(distance(i, j) for j in candidates if j != i)
        return sum(others[: len(candidates) - faulty - 2])

    ranked = sorted((score(i), i) for i in candidates)
    return sorted(i for _, i in ranked[: len(candidates) - faulty])


def clip(gram: Matrix, kept: list[int]) -> dict[int, Fraction]:
    """Return by how much each update is shortened to the median norm, rounded down to a multiple of 2^-16."""
    norm = {i: isqrt(gram[i][i]) for i in kept}
    median = sorted(norm.values())[(len(kept) - 1) // 2]
    return {i: Fraction(floor(2**16 * min(Fraction(1), Fraction(median, norm[i]))), 2**16) for i in kept}


def game(
    gram: Matrix, kept: list[int], factor: dict[int, Fraction], trainers: int, references: int
) -> tuple[dict[int, int], dict[tuple[int, int], int]]:
    """Return `b_i` and `K_ij` of the clipped updates."""
    if references == 0:
        curvature = {(i, j): floor(gram[i][j] * factor[i] * factor[j]) for i in kept for j in kept}
        gain = {i: floor(Fraction(sum(curvature[i, j] for j in kept), len(kept))) for i in kept}
        return gain, curvature
    # project[v][i]: the inner product of clipped update i with vector v of the referee.
    project = [{i: floor(gram[i][trainers + v] * factor[i]) for i in kept} for v in range(references)]
    curvature = {(i, j): sum(c[i] * c[j] for c in project[1:]) for i in kept for j in kept}
    return project[0], curvature


def shapley_value(i: int, kept: list[int], gain: dict[int, int], curvature: dict[tuple[int, int], int]) -> int:
    """Return the Shapley value of `U(T) = 2 b(T) / |T| - K(T, T) / |T|^2` in units of 2^-32, rounded down."""
    others = [j for j in kept if j != i]
    c = fixed_coefficients(len(kept))
    value = (
        c.own_gain * gain[i]
        - c.other_gains * sum(gain[j] for j in others)
        - c.own_curvature * curvature[i, i]
        - c.cross_curvature * sum(curvature[i, j] for j in others)
        + c.other_curvatures * sum(curvature[j, j] for j in others)
        + c.other_pairs * sum(curvature[j, k] for j in others for k in others if j != k)
    )
    return floor(Fraction(value, 2**64))
