"""Deciding a round by name: the market's rules and the baselines, on trainers seated as the chain seats them.

On chain, trainers stand in ascending order of address, and ties go to the lower one. Here a trainer's place, its seat,
is drawn from the seed, so that attackers neither always win nor always lose ties. Everything outside of this module is
in the order of the trainers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.simulation.baselines import BASELINES
from contribution.clipping import WEIGHT_BITS
from contribution.gram import GramMatrix
from contribution.outcome import Decision, Reason, RuleOutcome
from contribution.rules import RULES
from marketplace.training.partition import Indices

RULE_NAMES: Final = (*RULES, *BASELINES)


def decide(
    rule: str, gram: GramMatrix, seats: Indices, references: int, tolerated: int, samples: Sequence[int]
) -> RuleOutcome:
    """Decide a round.

    Parameters
    ----------
    rule
        One of `RULE_NAMES`.
    gram
        int64, shape (n + references, n + references): the trainers, then the referee's vectors.
    seats
        Place of each trainer in ascending order of address, a permutation of 0..n-1.
    references
        Number of the referee's vectors.
    tolerated
        f.
    samples
        Number of samples of each trainer, of which only the weighted mean makes use.

    Returns
    -------
    RuleOutcome
        In the order of the trainers. A baseline contributes 0 for everyone and gives no numbers with its reasons.
    """
    n = len(seats)
    at_seat = np.argsort(seats)
    rows = np.concatenate([at_seat, np.arange(n, n + references)])
    if rule in BASELINES:
        sizes = [samples[k] for k in at_seat]
        seated = _baseline_outcome(rule, gram[np.ix_(at_seat, at_seat)], tolerated, sizes)
    else:
        seated = RULES[rule](gram[np.ix_(rows, rows)], n, references, tolerated)
    return RuleOutcome(
        weights=tuple(seated.weights[seat] for seat in seats),
        contributions=tuple(seated.contributions[seat] for seat in seats),
        decisions=tuple(_unseated(seated.decisions[seat], at_seat) for seat in seats),
        reference_used=seated.reference_used,
        candidates=seated.candidates,
        tolerated=seated.tolerated,
    )


def _baseline_outcome(name: str, gram: GramMatrix, tolerated: int, samples: Sequence[int]) -> RuleOutcome:
    """Return a baseline's weights in the market's units, rounded down."""
    shares = BASELINES[name](gram, tolerated, samples)
    weights = tuple(int(weight) for weight in np.floor(shares * (1 << WEIGHT_BITS)))
    decisions = (Decision(Reason.KEPT if weight else Reason.MULTI_KRUM) for weight in weights)
    return RuleOutcome(weights, (0,) * len(weights), tuple(decisions), False, len(weights), tolerated)


def _unseated(decision: Decision, at_seat: Indices) -> Decision:
    """Name trainers instead of seats where the numbers of a decision are rows."""
    if decision.reason is not Reason.DUPLICATE or decision.measured is None or decision.limit is None:
        return decision
    return Decision(Reason.DUPLICATE, int(at_seat[decision.measured]), int(at_seat[decision.limit]))
