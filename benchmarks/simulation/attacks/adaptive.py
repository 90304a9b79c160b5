"""Attackers who know the rule and this round's honest updates, and try before they send.

In the manner of the attacks tailored to one aggregation rule of Shejwalkar and Houmansadr 2021 (NDSS) and Fang et al.
2020 (arXiv 1911.11815). In the market nobody can do this: others' updates are published after everybody has
committed. What these attacks achieve bounds what any attacker can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, AttackError, Knowledge
from benchmarks.simulation.attacks.geometry import honest_updates, principal_direction, spread, unit
from benchmarks.simulation.attacks.view import AttackView, Vector, Vectors
from contribution.clipping import WEIGHT_BITS
from contribution.outcome import RuleOutcome

_SOURCE: Final = "after Shejwalkar and Houmansadr 2021 (NDSS) and Fang et al. 2020, arXiv 1911.11815"

# Shares of the honest mean that are kept, lengths along a direction in units of its norm, and finer ones around the
# best.
_SHARES: Final = (1.0, 0.2)
_COARSE: Final = (0.5, 1.0, 2.0, 4.0)
_FINE: Final = (0.6, 0.8, 1.25, 1.6)
_LARGEST_STEP: Final = 4.0
_HALVINGS: Final = 7
_BISECTIONS: Final = 5
# How much of their own differences colluders keep, so that they are not taken for copies of each other.
_KEPT_DIFFERENCE: Final = 0.3

Objective = Callable[[Vector, Vector], float]


def ask(view: AttackView, updates: Vectors) -> RuleOutcome:
    """Return what the rule would decide."""
    if view.decide is None:
        raise AttackError("the view has no rule to ask; fill in `decide`")
    return view.decide(updates)


def aggregate_of(view: AttackView, updates: Vectors, outcome: RuleOutcome) -> Vector:
    """Return the step that the model would make, shape (d,)."""
    weights = np.array(outcome.weights, dtype=np.float64) / 2**WEIGHT_BITS
    return np.asarray(weights @ np.concatenate([honest_updates(view), updates]))


def setback(aggregate: Vector, mean: Vector) -> float:
    """Return how far the aggregate falls short of the honest mean, along the honest mean."""
    return float((mean - aggregate) @ unit(mean))


def deviation(aggregate: Vector, mean: Vector) -> float:
    """Return the distance of the aggregate from the honest mean."""
    return float(np.linalg.norm(aggregate - mean))


def directions(view: AttackView) -> Iterator[Vector]:
    """Yield the unit directions that are tried.

    Against the honest mean, against the deviations, against the signs of the mean, both ways along the direction in
    which honest trainers differ most, which a reference says little about, and back to the initial model.
    """
    honest = honest_updates(view)
    mean = honest.mean(axis=0)
    yield unit(-mean)
    yield unit(-honest.std(axis=0))
    yield unit(-np.sign(mean))
    yield principal_direction(honest)
    yield -principal_direction(honest)
    if (view.model != view.initial_model).any():
        yield unit(view.initial_model - view.model)


def maximise(objective: Objective, view: AttackView) -> Vectors:
    """Return the updates `m mean + s |mean| p + 0.3 (u_j - mean u)` with the greatest objective.

    First every direction p with every share m of the honest mean and every coarse length s, in units of the view's
    strength, then finer lengths along the best: at most 52 questions to the rule. An aggregate that the attackers have
    no weight in can win too, if they manage to have honest trainers dropped or the round voided.
    """
    mean = honest_updates(view).mean(axis=0)
    length = view.strength * float(np.linalg.norm(mean))
    differences = _KEPT_DIFFERENCE * spread(view.own)

    def candidate(direction: Vector, share: float, step: float) -> Vectors:
        return np.asarray(share * mean + step * length * direction + differences)

    def gain(direction: Vector, share: float, step: float) -> float:
        updates = candidate(direction, share, step)
        return objective(aggregate_of(view, updates, ask(view, updates)), mean)

    tried = [
        (gain(direction, share, step), direction, share, step)
        for direction in directions(view)
        for share in _SHARES
        for step in _COARSE
    ]
    best = max(tried, key=lambda entry: entry[0])
    _, direction, share, step = best
    finer = [(gain(direction, share, step * factor), direction, share, step * factor) for factor in _FINE]
    _, direction, share, step = max([best, *finer], key=lambda entry: entry[0])
    return candidate(direction, share, step)


def share_of_pay(outcome: RuleOutcome, attackers: int) -> float:
    """Return the attackers' share of what the round pays, 0 if it pays nobody."""
    paid = [max(value, 0) for value in outcome.contributions]
    total = sum(paid)
    return sum(paid[len(paid) - attackers :]) / total if total else 0.0


def largest_step(passes: Callable[[float], bool]) -> float:
    """Return about the largest step that passes, 0 if none is found.

    Searched from 4 downwards by halving, then by bisection: at most 12 questions. If all smaller steps than one that
    passes pass too, it is exact to 3 % of the step, and to 0.002 of small ones.
    """
    low, high = 0.0, _LARGEST_STEP
    for _ in range(_HALVINGS):
        if passes(high):
            low, high = high, 2 * high
            break
        high /= 2
    else:
        high *= 2
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return low


def harm_for_pay(view: AttackView) -> Vectors:
    """Return `u_j - s mean` with the largest s at which the attackers are still paid.

    Paid means: their share of the round's pay is above `strength` times the even share k/n; at strength 0 any pay
    will do. If no step is paid, the updates are honest.
    """
    mean = honest_updates(view).mean(axis=0)
    wanted = view.strength * view.attackers / view.trainers

    def paid(step: float) -> bool:
        return share_of_pay(ask(view, view.own - step * mean), view.attackers) > wanted

    return np.asarray(view.own - largest_step(paid) * mean)


def drift(view: AttackView) -> Vectors:
    """Return `strength mean + s |mean| p + 0.3 (u_j - mean u)` with the largest s at which every attacker has a weight.

    p is the unit vector against the honest updates' deviations. It changes little from round to round, so that what
    the rule lets through adds up; some of the honest mean keeps the attackers on the right side of a reference.
    """
    honest = honest_updates(view)
    mean = honest.mean(axis=0)
    direction = float(np.linalg.norm(mean)) * unit(-honest.std(axis=0))
    base = view.strength * mean + _KEPT_DIFFERENCE * spread(view.own)

    def kept(step: float) -> bool:
        return all(ask(view, base + step * direction).weights[-view.attackers :])

    return np.asarray(base + largest_step(kept) * direction)


ADAPTIVE_SETBACK: Final = Attack(
    "adaptive-setback",
    _SOURCE,
    Knowledge.ADAPTIVE,
    Aim.POISON,
    1.0,
    (0.25, 0.5, 1.0, 2.0),
    partial(maximise, setback),
)
ADAPTIVE_DEVIATION: Final = Attack(
    "adaptive-deviation",
    _SOURCE,
    Knowledge.ADAPTIVE,
    Aim.POISON,
    1.0,
    (0.25, 0.5, 1.0, 2.0),
    partial(maximise, deviation),
)
ADAPTIVE_PAY: Final = Attack(
    "adaptive-pay", _SOURCE, Knowledge.ADAPTIVE, Aim.POISON, 0.0, (0.0, 0.25, 0.5, 0.75), harm_for_pay
)
ADAPTIVE_DRIFT: Final = Attack(
    "adaptive-drift",
    _SOURCE + "; consistent over rounds like Xie et al. 2024, arXiv 2404.15611",
    Knowledge.ADAPTIVE,
    Aim.POISON,
    0.3,
    (0.05, 0.1, 0.3, 1.0),
    drift,
)
