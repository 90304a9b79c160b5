"""Games among n trainers: coalitions as masks, utilities of coalitions, and how often they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from contribution.errors import CairnError

# Bit i of a coalition's number says whether trainer i is in it; 2^24 coalitions of doubles take 128 MB.
MAXIMUM_TRAINERS: Final = 24

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]
Utility = Callable[[Mask], float]


class ScorerError(CairnError):
    """A scorer was asked for with numbers that it cannot value."""


@dataclass(frozen=True)
class Valuation:
    """What a scorer returns.

    Attributes
    ----------
    values
        float64, shape (n,), in the unit of the utility.
    evaluations
        Models evaluated for it: different coalitions of at least one trainer whose utility was asked for. The round's
        own model, the empty coalition, is evaluated anyway and not counted.
    """

    values: Values
    evaluations: int


@dataclass
class Counted:
    """A utility that remembers what it was asked, so that nothing is evaluated twice.

    Attributes
    ----------
    utility
        Asked once for each coalition.
    """

    utility: Utility
    _known: dict[bytes, float] = field(default_factory=dict)
    _empty_known: bool = False

    def __call__(self, mask: Mask) -> float:
        """Return the coalition's utility."""
        key = mask.tobytes()
        if key not in self._known:
            self._known[key] = float(self.utility(mask))
            self._empty_known = self._empty_known or not mask.any()
        return self._known[key]

    @property
    def evaluations(self) -> int:
        """Different coalitions of at least one trainer so far."""
        return len(self._known) - self._empty_known


def check_trainers(n: int, most: int = MAXIMUM_TRAINERS) -> None:
    """Raise `ScorerError` unless a game of n trainers can be enumerated."""
    if not 1 <= n <= most:
        raise ScorerError(
            f"a game of {n} trainers has 2^{n} coalitions; enumerate 1 to {most} trainers, and sample with "
            "gtg_shapley or truncated_monte_carlo beyond"
        )


def all_masks(n: int) -> Mask:
    """Return all coalitions by number, shape (2^n, n); the first is empty, the last is everybody."""
    check_trainers(n)
    return np.asarray((np.arange(2**n)[:, np.newaxis] >> np.arange(n)) & 1, dtype=np.bool_)


def number_of(mask: Mask) -> int:
    """Return the coalition's number."""
    return int(np.flatnonzero(mask).size and (1 << np.flatnonzero(mask)).sum())


def mean_weights(n: int) -> npt.NDArray[np.float32]:
    """Return the weights of each coalition's mean, float32, shape (2^n, n): `1/t` for its t members."""
    masks = all_masks(n)
    return np.asarray(masks / np.maximum(1, masks.sum(axis=1, keepdims=True)), dtype=np.float32)


def tabulated(table: Values) -> Utility:
    """Return the utility that looks coalitions up in a table by their number, shape (2^n,)."""

    def utility(mask: Mask) -> float:
        return float(table[number_of(mask)])

    return utility
