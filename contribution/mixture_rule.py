"""The rule "capped mixture, exact Shapley": the integer twin of the contract `CappedMixtureRule`, equal bit for bit.

For rounds in which the referee posted its reference and at least one curvature vector. In order: zero updates and
copies are dropped; the rest is clipped to the median norm; the weights are those that lower the referee's held-out loss
most, to second order, with a limit on each; a contribution is the exact Shapley value of that fall in loss, split over
those whose updates make the aggregate. With fewer vectors, curvature is unknown, and the rule decides as
`multi-krum-exact-shapley/1` does.

Copies are updates with a cosine above 0.99. All members of all groups of copies are dropped if they are at most f,
since then all of them may be faulty and no honest trainer need be among them; otherwise the lowest address of each
group stays.

Where integers must be rounded, they are rounded down, once; k_i are the clip factors in units of 2^-16:

- gains `b_i = floor(2^-16 k_i <a, q_i>)` and `c_ki = floor(2^-16 k_i <c_k, q_i>)`;
- weights `floor(2^-16 w_i k_i)`, w_i being those of `contribution.mixture.best_mixture`;
- contributions `floor(2^32 phi_i)`.

A trainer whose weight is rounded down to 0 contributes 0; if that leaves fewer than three, the round is void.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contribution import rule
from contribution.candidates import MIN_KEPT, Candidates, checked_matrix, remaining, void_outcome
from contribution.clipping import WEIGHT_BITS, clip_factors, clip_once
from contribution.filters import Cosine, Matrix, first_copies, first_originals, zero_updates
from contribution.gram import GramMatrix
from contribution.mixture import Mixture, best_mixture, contributions_of
from contribution.multi_krum import enough_for
from contribution.outcome import Decision, Reason, RuleOutcome

NAME: Final = "capped-mixture-exact-shapley/1"
# Honest updates of the same model are less alike: noise of sampling and differences of data turn each its own way.
COPY: Final = Cosine(99, 100)
# The reference and one curvature vector.
MIN_REFERENCES: Final = 2


def evaluate(gram: GramMatrix | Sequence[Sequence[int]], trainers: int, references: int, tolerated: int) -> RuleOutcome:
    """Decide a round from the Gram matrix of its updates.

    Parameters
    ----------
    gram, trainers, references, tolerated
        As in `contribution.rule.evaluate`; curvature vectors are scaled as `contribution.curvature` says.

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
    if references < MIN_REFERENCES:
        return rule.evaluate(gram, trainers, references, tolerated)
    matrix = checked_matrix(gram, trainers, references, tolerated)
    candidates = remaining(trainers, tolerated, _dropped(matrix, trainers, tolerated), reference_used=True)
    if not enough_for(len(candidates.indices), candidates.tolerated):
        return void_outcome(candidates, trainers, {})
    factors, gains, mixture = mixture_of(matrix, candidates.indices, trainers, references)
    weights = [weight * k >> WEIGHT_BITS for weight, k in zip(mixture.weights, factors, strict=True)]
    decisions = _decisions(candidates, mixture, factors, weights)
    if sum(weight > 0 for weight in weights) < MIN_KEPT:
        return void_outcome(candidates, trainers, decisions)
    values = [value if weight else 0 for value, weight in zip(contributions_of(mixture, gains), weights, strict=True)]
    everyone = {**candidates.dropped, **decisions}
    return RuleOutcome(
        weights=_spread(candidates, weights, trainers),
        contributions=_spread(candidates, values, trainers),
        decisions=tuple(everyone[i] for i in range(trainers)),
        reference_used=True,
        candidates=len(candidates.indices),
        tolerated=candidates.tolerated,
    )


def mixture_of(
    gram: Matrix, candidates: Sequence[int], trainers: int, references: int
) -> tuple[list[int], list[int], Mixture]:
    """Return clip factors, gains `b_i` and the best mixture of the candidates, all parallel to them."""
    factors = clip_factors([gram[i][i] for i in candidates])
    rows = [
        [clip_once(gram[i][vector], k) for vector in range(trainers, trainers + references)]
        for i, k in zip(candidates, factors, strict=True)
    ]
    gains = [row[0] for row in rows]
    return factors, gains, best_mixture(gains, [row[1:] for row in rows])


def _dropped(gram: Matrix, trainers: int, tolerated: int) -> dict[int, Decision]:
    """Return who is dropped as a zero update or a copy."""
    dropped = {i: Decision(Reason.ZERO_UPDATE, 0) for i in zero_updates(gram, trainers)}
    originals, copies = first_originals(gram, trainers, COPY), first_copies(gram, trainers, COPY)
    alike = {**copies, **originals} if len({*originals, *copies}) <= tolerated else originals
    return dropped | {i: Decision(Reason.DUPLICATE, other, i) for i, other in alike.items()}


def _decisions(candidates: Candidates, mixture: Mixture, factors: list[int], weights: list[int]) -> dict[int, Decision]:
    """Return what decided about each candidate."""
    cut = min(slope for slope, weight in zip(mixture.slopes, mixture.weights, strict=True) if weight)
    decisions = {}
    for i, share, slope, factor, weight in zip(
        candidates.indices, mixture.weights, mixture.slopes, factors, weights, strict=True
    ):
        if weight:
            decisions[i] = Decision(Reason.KEPT, slope, cut)
        elif share:
            # So large that the factor times the share reaches one unit.
            decisions[i] = Decision(Reason.CLIPPED_AWAY, factor, -(-(1 << WEIGHT_BITS) // share))
        else:
            decisions[i] = Decision(Reason.NO_GAIN, slope, cut)
    return decisions


def _spread(candidates: Candidates, values: Sequence[int], trainers: int) -> tuple[int, ...]:
    """Return the candidates' values at their places among all trainers, 0 elsewhere."""
    by_index = dict(zip(candidates.indices, values, strict=True))
    return tuple(by_index.get(i, 0) for i in range(trainers))
