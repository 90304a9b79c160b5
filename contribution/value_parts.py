"""A trainer's Shapley value in two parts: what its update brings, and what it has in common with the others'.

The utility of both rules is `2 b(w) - K(w, w)`, with the gains b linear and the curvature K quadratic in the updates.
The Shapley value is additive in the utility (Shapley 1953), so that it is the sum of that of the game with `K = 0`, the
linear part, and of that with `b = 0`, the redundancy part: mostly negative, the more so the more of what an update says
others say too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contribution import mixture_rule, rule
from contribution.clipping import WEIGHT_BITS, clip_factors
from contribution.errors import RuleInputError
from contribution.filters import Matrix
from contribution.mixture import SLOPE_BITS
from contribution.outcome import Reason, RuleOutcome
from contribution.rules import RULES
from contribution.shapley import fixed_shapley

# Those that the rule weighted, whether or not a weight was left after rounding.
_WEIGHTED: Final = (Reason.KEPT, Reason.CLIPPED_AWAY)
_FILTERED: Final = (Reason.ZERO_UPDATE, Reason.DUPLICATE)


@dataclass(frozen=True)
class ValueParts:
    """The parts of one contribution, in its unit, 2^-32 of the unit of the gains; they sum to it exactly.

    Attributes
    ----------
    linear
        The value of the game with `K = 0`, rounded down.
    redundancy
        The rest.
    """

    linear: int
    redundancy: int


def value_parts(
    rule_name: str, gram: Matrix, trainers: int, references: int, outcome: RuleOutcome
) -> tuple[ValueParts, ...]:
    """Split each trainer's contribution into its linear part and its redundancy part.

    The linear part of rule `multi-krum-exact-shapley/1` is `contribution.shapley.fixed_shapley` of the clipped gains
    alone; that of rule `capped-mixture-exact-shapley/1` is `2 w_i b_i` of `w_i (2 b_i - (K w)_i)`.

    Parameters
    ----------
    rule_name
        One of `contribution.rules.RULES`.
    gram, trainers, references
        What the rule decided from, see `contribution.rule.evaluate`; integers.
    outcome
        What it decided.

    Returns
    -------
    tuple of ValueParts
        Parallel to the trainers; both parts 0 for those without a weight.

    Raises
    ------
    RuleInputError
        If there is no such rule.
    """
    if outcome.void:
        return (ValueParts(0, 0),) * trainers
    if decides_by_mixture(rule_name, references):
        linear = _of_mixture(gram, trainers, references, outcome)
    else:
        linear = _of_mean(gram, trainers, references, outcome)
    return tuple(
        ValueParts(linear[i], contribution - linear[i]) if weight else ValueParts(0, 0)
        for i, (weight, contribution) in enumerate(zip(outcome.weights, outcome.contributions, strict=True))
    )


def decides_by_mixture(rule_name: str, references: int) -> bool:
    """Tell whether a rule, with so many of the referee's vectors, decides by the best mixture.

    Raises
    ------
    RuleInputError
        If there is no such rule.
    """
    if rule_name not in RULES:
        raise RuleInputError(
            f"the rule {rule_name} is none of this installation's: {', '.join(RULES)}; update the installation"
        )
    return rule_name == mixture_rule.NAME and references >= mixture_rule.MIN_REFERENCES


def _of_mean(gram: Matrix, trainers: int, references: int, outcome: RuleOutcome) -> dict[int, int]:
    kept = [i for i, reason in enumerate(outcome.reasons) if reason in _WEIGHTED]
    gains, _, _ = rule.game_of(gram, kept, clip_factors([gram[i][i] for i in kept]), trainers, references)
    nothing = [0] * len(kept)
    return dict(zip(kept, fixed_shapley(gains, nothing, nothing), strict=True))


def _of_mixture(gram: Matrix, trainers: int, references: int, outcome: RuleOutcome) -> dict[int, int]:
    candidates: Sequence[int] = [i for i, reason in enumerate(outcome.reasons) if reason not in _FILTERED]
    _, gains, mixture = mixture_rule.mixture_of(gram, candidates, trainers, references)
    return {
        i: 2 * weight * gain << (SLOPE_BITS - WEIGHT_BITS)
        for i, weight, gain in zip(candidates, mixture.weights, gains, strict=True)
    }
