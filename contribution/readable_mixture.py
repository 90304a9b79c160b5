"""The rule "capped mixture, exact Shapley" once more, as plainly as it can be written.

Nothing is shared with `contribution.mixture_rule`; what the first rule has too is that of `contribution.readable`.
Nothing is made fast: every quantity is computed from its definition, in exact numbers, and rounded where the rule says
so. Weights are fractions here, 1 being the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from contribution import readable

Matrix = Sequence[Sequence[int]]
UNIT = Fraction(1, 2**16)
COPY = Fraction(99, 100)


def decide(gram: Matrix, trainers: int, references: int, tolerated: int) -> tuple[list[int], list[int]]:
    """Return weights and contributions, one of each per trainer; all 0 if the round is void.

    Parameters
    ----------
    gram
        Gram matrix of the updates, the reference and the curvature vectors, in this order.
    trainers, references, tolerated
        As in `contribution.mixture_rule.evaluate`.
    """
    if references < 2:
        return readable.decide(gram, trainers, references, tolerated)
    nothing = [0] * trainers
    candidates = without_copies(gram, trainers, tolerated)
    faulty = max(0, tolerated - (trainers - len(candidates)))
    if len(candidates) < 2 * faulty + 3:
        return nothing, nothing
    factor = readable.clip(gram, candidates)
    # project[v][i]: the inner product of clipped update i with vector v of the referee.
    project = [{i: floor(gram[i][trainers + v] * factor[i]) for i in candidates} for v in range(references)]
    gain = project[0]
    curvature = {(i, j): Fraction(sum(c[i] * c[j] for c in project[1:]), 2**16) for i in candidates for j in candidates}
    share = mixture(candidates, gain, curvature)
    weights, contributions = list(nothing), list(nothing)
    for i in candidates:
        weights[i] = floor(share[i] * factor[i] / UNIT)
        if weights[i] > 0:
            contributions[i] = floor(2**32 * shapley_value(i, share, gain, curvature))
    if sum(weight > 0 for weight in weights) < 3:
        return nothing, nothing
    return weights, contributions


def without_copies(gram: Matrix, trainers: int, tolerated: int) -> list[int]:
    """Return the non-zero updates but for copies: none of a group if all in groups are few, else each group's first."""
    everyone = [i for i in range(trainers) if gram[i][i] > 0]
    pairs = [(i, j) for i in everyone for j in everyone if i < j and readable.is_copy(gram, i, j, COPY)]
    members = {i for pair in pairs for i in pair}
    copies = {j for _, j in pairs}
    dropped = members if len(members) <= tolerated else copies
    return [i for i in everyone if i not in dropped]


def mixture(
    candidates: list[int], gain: dict[int, int], curvature: dict[tuple[int, int], Fraction]
) -> dict[int, Fraction]:
    """Return the shares that pairwise ascent of `2 b(w) - K(w, w)` reaches from equal ones."""
    count = len(candidates)
    limit = floor(min(Fraction(1, 3), Fraction(3, count)) / UNIT) * UNIT
    share = dict.fromkeys(candidates, floor(Fraction(1, count) / UNIT) * UNIT)

    def slope(i: int) -> Fraction:
        return gain[i] - sum((curvature[i, j] * share[j] for j in candidates), Fraction(0))

    for _ in range(count // 2 + 12):
        below = [i for i in candidates if share[i] < limit]
        weighted = [i for i in candidates if share[i] > 0]
        if not below:
            break
        high = max(below, key=lambda i: (slope(i), -i))
        low = min(weighted, key=lambda i: (slope(i), i))
        if slope(high) <= slope(low):
            break
        moved = min(share[low], limit - share[high])
        bend = curvature[high, high] + curvature[low, low] - 2 * curvature[high, low]
        if bend > 0:
            moved = min(moved, floor((slope(high) - slope(low)) / bend / UNIT) * UNIT)
        if moved == 0:
            break
        share[high] += moved
        share[low] -= moved
    return share


def shapley_value(
    i: int, share: dict[int, Fraction], gain: dict[int, int], curvature: dict[tuple[int, int], Fraction]
) -> Fraction:
    """Return trainer i's part of `U = 2 b(w) - K(w, w)`: its own terms, and half of those it shares with another."""
    own = 2 * share[i] * gain[i] - share[i] ** 2 * curvature[i, i]
    common = -2 * share[i] * sum((share[j] * curvature[i, j] for j in share if j != i), Fraction(0))
    return own + common / 2
