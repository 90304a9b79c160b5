"""Games whose Shapley values are known from the literature or by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from benchmarks.simulation.scorers import Mask, Utility


@dataclass(frozen=True)
class KnownGame:
    """A game, its players and its answer."""

    name: str
    players: int
    utility: Utility
    values: tuple[Fraction, ...]

    @property
    def answer(self) -> np.ndarray:
        return np.array([float(value) for value in self.values])


def weighted_majority(votes: Sequence[int], quota: int) -> Utility:
    """Return the game of a vote that passes with `quota` votes."""
    weights = np.array(votes)
    return lambda mask: float(weights[mask].sum() >= quota)


def airport(lengths: Sequence[float]) -> Utility:
    """Return the cost of a runway that is long enough for everybody of the coalition."""
    needed = np.array(lengths)
    return lambda mask: float(needed[mask].max(initial=0.0))


def airport_answer(lengths: Sequence[int]) -> tuple[Fraction, ...]:
    """Share the cost of each piece of runway among those who need it (Littlechild and Owen 1973)."""
    ordered = sorted(lengths)
    steps = [(length - before, len(ordered) - k) for k, (before, length) in enumerate(pairwise([0, *ordered]))]
    shares = [sum((Fraction(*step) for step in steps[: k + 1]), Fraction(0)) for k in range(len(steps))]
    return tuple(shares[ordered.index(length)] for length in lengths)


def gloves(left: int, players: int) -> Utility:
    """Return the number of pairs, of which the first `left` players bring a left glove and the others a right one."""

    def utility(mask: Mask) -> float:
        lefts = int(mask[:left].sum())
        return float(min(lefts, int(mask.sum()) - lefts))

    assert 0 < left < players
    return utility


def additive(worth: Sequence[float]) -> Utility:
    """Return the sum of what each brings."""
    amounts = np.array(worth)
    return lambda mask: float(amounts[mask].sum())


def unanimity(carriers: Sequence[int]) -> Utility:
    """Return 1 if all carriers are in, else 0."""
    needed = np.array(carriers)
    return lambda mask: float(mask[needed].all())


def fractions(*pairs: tuple[int, int]) -> tuple[Fraction, ...]:
    return tuple(Fraction(*pair) for pair in pairs)


GAMES: tuple[KnownGame, ...] = (
    KnownGame("majority of three", 3, weighted_majority([1, 1, 1], 2), fractions((1, 3), (1, 3), (1, 3))),
    KnownGame("weighted vote", 4, weighted_majority([4, 3, 2, 1], 6), fractions((5, 12), (1, 4), (1, 4), (1, 12))),
    # Two of five have a veto, four votes are needed: who has none decides if it comes fourth, after both vetoes.
    KnownGame(
        "vote with vetoes",
        5,
        lambda mask: float(mask[:2].all() and mask.sum() >= 4),
        fractions((7, 20), (7, 20), (1, 10), (1, 10), (1, 10)),
    ),
    KnownGame("airport", 3, airport([1, 2, 4]), fractions((1, 3), (5, 6), (17, 6))),
    KnownGame("longer airport", 5, airport([3, 1, 7, 4, 9]), airport_answer([3, 1, 7, 4, 9])),
    KnownGame("one left glove", 3, gloves(1, 3), fractions((2, 3), (1, 6), (1, 6))),
    KnownGame("two left gloves", 4, gloves(2, 4), fractions((1, 2), (1, 2), (1, 2), (1, 2))),
    KnownGame("additive", 4, additive([3.0, -1.0, 0.5, 2.0]), fractions((3, 1), (-1, 1), (1, 2), (2, 1))),
    KnownGame("unanimity", 5, unanimity([1, 3, 4]), fractions((0, 1), (1, 3), (0, 1), (1, 3), (1, 3))),
    KnownGame("everybody is needed", 6, unanimity(range(6)), fractions(*[(1, 6)] * 6)),
    KnownGame("dictator", 3, unanimity([2]), fractions((0, 1), (0, 1), (1, 1))),
)
