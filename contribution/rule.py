"""The rule "multi-Krum, exact Shapley": the integer twin of the contract `MultiKrumShapleyRule`, equal bit for bit.

In order: zero updates and copies are dropped, then, with a referee, updates that point away from its reference;
multi-Krum keeps the most central rest; what is kept is clipped to the median norm, weighted, and valued by its exact
Shapley value.

Where integers must be rounded, they are rounded down, once, and as follows; k_i are the clip factors in units of
2^-16, S is the set of those kept:

- weights `w_i = floor(k_i / |S|)`;
- with a referee, gains `b_i = floor(2^-16 k_i <a, q_i>)`, and for every curvature vector
  `c_ki = floor(2^-16 k_i <c_k, q_i>)`, whose products `K_ij = sum_k c_ki c_kj` are exact;
- without, `K_ij = floor(2^-32 k_i k_j G_ij)` and `b_i = floor(sum_{j in S} K_ij / |S|)`, the inner product with the
  mean of the clipped updates;
- contributions `floor(2^32 phi_i)`, with coefficients rounded down to multiples of 2^-96.

A trainer so far out that its weight is rounded down to 0 takes part in nothing that is applied: its contribution is
0. If that leaves fewer than three with a weight, the round is void, because the aggregate of fewer hides nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contribution.candidates import MIN_KEPT, Candidates, checked_matrix, remaining, void_outcome
from contribution.clipping import clip_factors, clip_once, clip_twice
from contribution.filters import Matrix, against_reference, first_originals, zero_updates
from contribution.gram import GramMatrix
from contribution.multi_krum import enough_for, krum_scores, select_lowest
from contribution.outcome import Decision, Reason, RuleOutcome
from contribution.shapley import fixed_shapley

NAME: Final = "multi-krum-exact-shapley/1"


def evaluate(gram: GramMatrix | Sequence[Sequence[int]], trainers: int, references: int, tolerated: int) -> RuleOutcome:
    """Decide a round from the Gram matrix of its updates.

    Parameters
    ----------
    gram
        Integers, shape (m, m), symmetric, `m = trainers + references`: first the accepted updates in ascending order
        of the trainers' addresses, then the reference (the negative loss gradient), then curvature vectors. Entries
        are as `check_gram` demands.
    trainers
        n, from 1 to 255.
    references
        0 without referee, 1 for the reference alone, 1 + K with K curvature vectors.
    tolerated
        f, faulty trainers that the job tolerates.

    Returns
    -------
    RuleOutcome
        Weights, contributions and reasons; void if fewer than `2 f' + 3` pass the filters or fewer than 3 get a
        weight.

    Raises
    ------
    RuleInputError
        If the numbers are out of range or do not fit the matrix.
    """
    matrix = checked_matrix(gram, trainers, references, tolerated)
    candidates = _filter(matrix, trainers, references, tolerated)
    if not enough_for(len(candidates.indices), candidates.tolerated):
        return void_outcome(candidates, trainers, {})
    kept, decisions = _select(matrix, candidates)
    factors = clip_factors([matrix[i][i] for i in kept])
    weights = {i: factor // len(kept) for i, factor in zip(kept, factors, strict=True)}
    for i, factor in zip(kept, factors, strict=True):
        if weights[i] == 0:
            decisions[i] = Decision(Reason.CLIPPED_AWAY, factor, len(kept))
    if sum(weight > 0 for weight in weights.values()) < MIN_KEPT:
        return void_outcome(candidates, trainers, decisions)
    values = dict(zip(kept, fixed_shapley(*game_of(matrix, kept, factors, trainers, references)), strict=True))
    everyone = {**candidates.dropped, **decisions}
    return RuleOutcome(
        weights=tuple(weights.get(i, 0) for i in range(trainers)),
        contributions=tuple(values[i] if weights.get(i) else 0 for i in range(trainers)),
        decisions=tuple(everyone[i] for i in range(trainers)),
        reference_used=candidates.reference_used,
        candidates=len(candidates.indices),
        tolerated=candidates.tolerated,
    )


def _filter(gram: Matrix, trainers: int, references: int, tolerated: int) -> Candidates:
    """Drop zero updates, copies and what points away from the reference."""
    dropped = {i: Decision(Reason.ZERO_UPDATE, 0) for i in zero_updates(gram, trainers)}
    for copy, original in first_originals(gram, trainers).items():
        dropped[copy] = Decision(Reason.DUPLICATE, original, copy)
    unfiltered = remaining(trainers, tolerated, dropped, reference_used=False)
    if references == 0:
        return unfiltered
    against = {i: Decision(Reason.REFERENCE_FILTER, gram[i][trainers], 0) for i in against_reference(gram, trainers)}
    filtered = remaining(trainers, tolerated, {**against, **dropped}, reference_used=True)
    too_few = not enough_for(len(filtered.indices), filtered.tolerated)
    if too_few and enough_for(trainers, tolerated):
        return unfiltered
    return filtered


def _select(gram: Matrix, candidates: Candidates) -> tuple[list[int], dict[int, Decision]]:
    """Keep the most central candidates; return them and the decision on every candidate."""
    scores = krum_scores(gram, candidates.indices, candidates.tolerated)
    positions = set(select_lowest(scores, len(scores) - candidates.tolerated))
    cut = max(scores[position] for position in positions)
    decisions = {
        i: Decision(Reason.KEPT if position in positions else Reason.MULTI_KRUM, scores[position], cut)
        for position, i in enumerate(candidates.indices)
    }
    return [candidates.indices[position] for position in sorted(positions)], decisions


def game_of(
    gram: Matrix, kept: Sequence[int], factors: Sequence[int], trainers: int, references: int
) -> tuple[list[int], list[int], list[int]]:
    """Return what the Shapley values of those kept are computed from, on their clipped updates.

    Parameters
    ----------
    gram, trainers, references
        As in `evaluate`.
    kept, factors
        Those whom multi-Krum kept, ascending, and their clip factors in units of 2^-16.

    Returns
    -------
    gains, own_curvatures, row_sums
        `b_i`, `K_ii` and `sum_j K_ij`, parallel to `kept`.
    """
    if references == 0:
        row_sums, own = _clipped_products(gram, kept, factors)
        return [row // len(kept) for row in row_sums], own, row_sums
    gains = [clip_once(gram[i][trainers], k) for i, k in zip(kept, factors, strict=True)]
    row_sums, own = [0] * len(kept), [0] * len(kept)
    for vector in range(trainers + 1, trainers + references):
        products = [clip_once(gram[i][vector], k) for i, k in zip(kept, factors, strict=True)]
        total = sum(products)
        row_sums = [row + product * total for row, product in zip(row_sums, products, strict=True)]
        own = [square + product * product for square, product in zip(own, products, strict=True)]
    return gains, own, row_sums


def _clipped_products(gram: Matrix, kept: Sequence[int], factors: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the row sums and the diagonal of the Gram matrix of the clipped updates."""
    row_sums, own = [], []
    for i, k in zip(kept, factors, strict=True):
        row_sums.append(sum(clip_twice(gram[i][j], k, other) for j, other in zip(kept, factors, strict=True)))
        own.append(clip_twice(gram[i][i], k, k))
    return row_sums, own
