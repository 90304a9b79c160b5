"""One sentence on each trainer of a round, with the numbers that decided: computed from the matrix, as the rule is.

Inner products, scores and slopes are in the units of the matrix, Shapley values in that of the gains. Only their
proportions mean anything outside their round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from contribution import mixture_rule
from contribution.candidates import MIN_KEPT
from contribution.clipping import WEIGHT_BITS, clip_factors
from contribution.filters import COPY
from contribution.gram import GramMatrix
from contribution.mixture import SLOPE_BITS, WHOLE, weight_limit
from contribution.multi_krum import enough_for
from contribution.outcome import Decision, Reason, RuleOutcome
from contribution.payout import positive_sum
from contribution.shapley import CONTRIBUTION_BITS
from contribution.value_parts import ValueParts, decides_by_mixture, value_parts

# A float has no more significant digits.
_MOST_DIGITS: Final = 17


@dataclass(frozen=True)
class _Round:
    """What the sentences of one round are made from."""

    gram: list[list[int]]
    outcome: RuleOutcome
    names: Sequence[str]
    by_mixture: bool
    factors: dict[int, int]
    parts: tuple[ValueParts, ...]
    positive: int


def explain(
    rule_name: str,
    gram: GramMatrix | Sequence[Sequence[int]],
    references: int,
    outcome: RuleOutcome,
    names: Sequence[str],
) -> tuple[str, ...]:
    """Say of each trainer why it was kept or dropped, and what its pay comes from.

    Parameters
    ----------
    rule_name
        One of `contribution.rules.RULES`.
    gram
        Integers, shape (m, m), what the rule decided from: `m = len(names) + references`, see
        `contribution.rule.evaluate`.
    references
        Number of the referee's vectors in it.
    outcome
        What the rule decided.
    names
        What to call each trainer, in the order of the matrix, such as "trainer 3".

    Returns
    -------
    tuple of str
        Parallel to the trainers; each begins in lower case and has no full stop.

    Raises
    ------
    RuleInputError
        If there is no such rule.
    """
    matrix = [[int(entry) for entry in row] for row in gram]
    by_mixture = decides_by_mixture(rule_name, references)
    decided = _Round(
        gram=matrix,
        outcome=outcome,
        names=names,
        by_mixture=by_mixture,
        factors=_clip_factors(matrix, outcome, by_mixture),
        parts=value_parts(rule_name, matrix, len(names), references, outcome),
        positive=positive_sum(outcome.contributions),
    )
    return tuple(_sentence(decided, place, decision) for place, decision in enumerate(outcome.decisions))


def _clip_factors(gram: list[list[int]], outcome: RuleOutcome, by_mixture: bool) -> dict[int, int]:
    """Return the clip factors of all who were clipped: the candidates of a mixture, or those whom multi-Krum kept."""
    clipped = {Reason.KEPT, Reason.CLIPPED_AWAY} | ({Reason.NO_GAIN} if by_mixture else set())
    places = [place for place, reason in enumerate(outcome.reasons) if reason in clipped]
    # In a void round nobody is kept, and of those clipped only some are known.
    if outcome.void:
        return {}
    return dict(zip(places, clip_factors([gram[place][place] for place in places]), strict=True))


def _sentence(decided: _Round, place: int, decision: Decision) -> str:
    measured, limit = decision.measured or 0, decision.limit or 0
    match decision.reason:
        case Reason.KEPT:
            return _kept(decided, place, decision)
        case Reason.ZERO_UPDATE:
            return f"dropped as a zero update: squared norm {measured}"
        case Reason.DUPLICATE:
            return _copy(decided, place, measured)
        case Reason.REFERENCE_FILTER:
            return f"dropped by the reference filter: inner product {measured:.3g} <= 0"
        case Reason.MULTI_KRUM:
            return _not_central(decided.outcome, measured, limit)
        case Reason.NO_GAIN:
            return _no_gain(measured, limit)
        case Reason.CLIPPED_AWAY:
            factor, needed = told_apart(measured / WHOLE, limit / WHOLE)
            return f"clipped away: shortened to {factor} of its norm, a weight takes at least {needed}"
        case Reason.ROUND_VOID:
            return _void(decided.outcome)


def _kept(decided: _Round, place: int, decision: Decision) -> str:
    """Say what a kept trainer's weight, value and pay are."""
    outcome, parts = decided.outcome, decided.parts[place]
    factor = decided.factors[place]
    shortened = "" if factor == 1 << WEIGHT_BITS else f", update shortened to {_percent(factor, WHOLE)} of its norm"
    if decided.by_mixture:
        why = f" (limit {_percent(weight_limit(outcome.candidates), WHOLE)}{shortened})"
    else:
        measured, limit = decision.measured or 0, decision.limit or 0
        score, cut = told_apart(measured, limit)
        why = f" (multi-Krum score {score} {'<' if measured < limit else '='} cut {cut}{shortened})"
    value = outcome.contributions[place]
    pay = f"{_percent(value, decided.positive)} of the round's pay" if value > 0 else "no pay, as that is not positive"
    return (
        f"kept with weight {_percent(outcome.weights[place], WHOLE)}{why}: Shapley value {_value(value)} = linear part "
        f"{_value(parts.linear)} + redundancy part {_value(parts.redundancy)}; {pay}"
    )


def _copy(decided: _Round, place: int, other: int) -> str:
    """Say whose copy a trainer's update is, and how close."""
    gram, limit = decided.gram, mixture_rule.COPY if decided.by_mixture else COPY
    product = gram[place][other] / (sqrt(gram[place][place]) * sqrt(gram[other][other]))
    # Copies differ from each other in the digits behind the nines.
    cosine, threshold = told_apart(product, limit.numerator / limit.denominator, digits=6)
    words = f"cosine {cosine} above {threshold} with {decided.names[other]}"
    if other < place:
        return f"dropped as a copy: {words}"
    # The first of a group is dropped only if all copies together may be the faulty updates that the job tolerates.
    return f"dropped with its copies, which may all be faulty: {words}"


def _not_central(outcome: RuleOutcome, score: int, cut: int) -> str:
    central = f"not among the {outcome.candidates - outcome.tolerated} most central of {outcome.candidates}"
    if score == cut:
        return f"{central}: multi-Krum score {score:.3g} equal to the cut, and the tie goes to lower addresses"
    own, kept = told_apart(score, cut)
    return f"{central}: multi-Krum score {own} above cut {kept}"


def _no_gain(slope: int, cut: int) -> str:
    """Say what a weight would have brought; slopes are those of the fall in loss by weight, in units of 2^-32."""
    own, kept = told_apart(slope / 2**SLOPE_BITS, cut / 2**SLOPE_BITS)
    would = f"would raise the loss by {own[1:]}" if slope < 0 else f"would lower the loss by {own}"
    does = f"raises it by at most {kept[1:]}" if cut < 0 else f"lowers it by at least {kept}"
    # The ascent ends after a limited number of steps, and takes no step of less than one unit.
    why = "no gain" if slope <= cut else "no weight within the steps of the search"
    return f"{why}: at the margin its weight {would}, that of those kept {does}"


def _void(outcome: RuleOutcome) -> str:
    if not enough_for(outcome.candidates, outcome.tolerated):
        return (
            f"round void: {outcome.candidates} updates passed the filters, to tolerate {outcome.tolerated} faulty ones "
            f"takes {2 * outcome.tolerated + 3}"
        )
    weighted = sum(reason is Reason.ROUND_VOID for reason in outcome.reasons)
    return f"round void: {weighted} of {outcome.candidates} updates would have a weight, it takes {MIN_KEPT}"


def told_apart(one: float, other: float, digits: int = 3) -> tuple[str, str]:
    """Write two numbers with so many significant digits, or with as many more as it takes to tell them apart."""
    for enough in range(digits, _MOST_DIGITS):
        written = f"{one:.{enough}g}", f"{other:.{enough}g}"
        if one == other or written[0] != written[1]:
            return written
    return f"{one:.{_MOST_DIGITS}g}", f"{other:.{_MOST_DIGITS}g}"


def _value(contribution: int) -> str:
    return f"{contribution / 2**CONTRIBUTION_BITS:.3g}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3g} %"
