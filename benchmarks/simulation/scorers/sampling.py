"""Shapley values from sampled orders of joining, cut short where nothing is to be gained any more.

- Truncated Monte Carlo: Ghorbani and Zou 2019, "Data Shapley: Equitable Valuation of Data for Machine Learning", arXiv
  1904.02868. Orders are uniformly random.
- GTG-Shapley: Liu et al. 2022, "GTG-Shapley: Efficient and Accurate Participant Contribution Evaluation in Federated
  Learning", arXiv 2109.02053. Orders come in turns of n, of which each trainer leads one; a round that hardly changes
  the utility is worth nothing to anybody.

Both walk along an order and add each trainer's marginal utility to its average; once the utility is within
`tolerance` of the whole's, the rest of the order counts as 0. They stop when the averages have moved by less than 5 %
over the last ten orders, and not before `3 n` orders. Constants are those of the authors of GTG-Shapley, whose utility
is accuracy; a bound on the number of orders is added, because averages around 0 never settle.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from benchmarks.simulation.scorers.coalitions import Counted, Utility, Valuation, Values

_SETTLED: Final = 0.05
_LOOKBACK: Final = 10
_LEAST_TURNS: Final = 3
_MOST_TURNS: Final = 100

Order = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def _random_orders(n: int, generator: np.random.Generator) -> Iterator[Order]:
    """Yield uniformly random orders without end."""
    while True:
        yield generator.permutation(n)


def _guided_orders(n: int, generator: np.random.Generator) -> Iterator[Order]:
    """Yield orders without end, in which the trainers take turns to come first; the others are in random order."""
    while True:
        for leader in range(n):
            others = np.delete(np.arange(n), leader)
            yield np.concatenate([[leader], generator.permutation(others)])


def _walk(order: Order, utility: Counted, whole: float, empty: float, tolerance: float) -> Values:
    """Return each trainer's marginal utility along an order, 0 once the whole is nearly reached."""
    marginal = np.zeros(len(order))
    mask = np.zeros(len(order), dtype=np.bool_)
    before = empty
    for trainer in order:
        if abs(whole - before) < tolerance:
            break
        mask[trainer] = True
        after = utility(mask)
        marginal[trainer] = after - before
        before = after
    return marginal


def _settled(averages: list[Values]) -> bool:
    """Tell whether all of the last averages lie within 5 % of the newest, in the mean over trainers."""
    newest = averages[-1]
    recent = np.array(averages[-_LOOKBACK:])
    moved = np.abs(recent - newest) / (np.abs(newest) + 1e-12)
    return bool(moved.mean(axis=1).max() <= _SETTLED)


def _average(
    orders: Iterator[Order], utility: Counted, n: int, whole: float, empty: float, tolerance: float, most: int
) -> Values:
    """Return the marginal utilities averaged over as many orders as it takes."""
    total = np.zeros(n)
    averages: list[Values] = []
    for count, order in enumerate(orders, start=1):
        total += _walk(order, utility, whole, empty, tolerance)
        averages.append(total / count)
        if count >= most or (count > max(_LEAST_TURNS * n, _LOOKBACK) and _settled(averages)):
            break
    return averages[-1]


def truncated_monte_carlo(
    utility: Utility, n: int, generator: np.random.Generator, tolerance: float = 0.001, most: int | None = None
) -> Valuation:
    """Return values by truncated Monte Carlo sampling of orders.

    Parameters
    ----------
    utility
        Of a coalition, given as a mask of shape (n,).
    n
        Trainers.
    generator
        Draws the orders.
    tolerance
        In the unit of the utility; 0 never truncates.
    most
        Orders at most, 100 n by default.
    """
    counted = Counted(utility)
    whole, empty = counted(np.ones(n, dtype=np.bool_)), counted(np.zeros(n, dtype=np.bool_))
    orders = _random_orders(n, generator)
    values = _average(orders, counted, n, whole, empty, tolerance, most or _MOST_TURNS * n)
    return Valuation(values, counted.evaluations)


def gtg_shapley(
    utility: Utility,
    n: int,
    generator: np.random.Generator,
    tolerance: float = 0.001,
    round_tolerance: float = 0.001,
    most: int | None = None,
) -> Valuation:
    """Return values by guided truncation, GTG-Shapley.

    Parameters
    ----------
    utility, n, generator, tolerance, most
        As for `truncated_monte_carlo`.
    round_tolerance
        A round that changes the utility by no more is worth 0 to everybody. The authors use 0.01 of accuracy; the
        default is for a fall of loss in nats, which in late rounds is smaller.
    """
    counted = Counted(utility)
    whole, empty = counted(np.ones(n, dtype=np.bool_)), counted(np.zeros(n, dtype=np.bool_))
    if abs(whole - empty) <= round_tolerance:
        return Valuation(np.zeros(n), counted.evaluations)
    orders = _guided_orders(n, generator)
    values = _average(orders, counted, n, whole, empty, tolerance, most or _MOST_TURNS * n)
    return Valuation(values, counted.evaluations)
