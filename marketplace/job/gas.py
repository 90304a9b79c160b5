"""What each step costs in gas, for telling people beforehand; measured on the embedded chain.

Each figure is the most of three rounds with every trainer honest and present. Steps whose gas grows with the number of
trainers have a figure for each size that was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

# Steps whose gas does not depend on the number of trainers. A trainer's later submissions cost
# a third less than its first, which is the one here.
FIXED: Final[dict[str, int]] = {
    "create": 444_886,
    "accept": 72_774,
    "join": 125_583,
    "submit": 97_496,
    "submitReference": 75_295,
    "complete": 103_410,
    "withdraw": 65_136,
}

# Step -> gas by number of trainers, with one vector of the referee.
GROWING: Final[dict[str, dict[int, int]]] = {
    "start": {5: 79_809, 128: 79_809},
    "closeSubmissions": {5: 54_025, 128: 54_025},
    "settle": {5: 526_866, 8: 660_276, 16: 976_441, 32: 1_850_879, 64: 4_403_048, 128: 12_440_865},
}

# What each further vector of the referee adds to a settlement, by number of trainers: the mean from five to nine.
FURTHER_REFERENCE: Final[dict[int, int]] = {5: 20_000, 8: 23_200, 16: 31_600, 32: 49_800, 64: 71_600, 128: 193_100}


def gas_of(step: str, trainers: int, references: int = 1) -> int:
    """Return what a step costs in gas with so many trainers, and so many vectors of the referee in a round.

    Between two measured sizes it is a straight line. The true curve bends upward, so that the line lies above it.
    """
    if step in FIXED:
        return FIXED[step]
    further = (references - 1) * _between(FURTHER_REFERENCE, trainers) if step == "settle" and references > 1 else 0
    return _between(GROWING[step], trainers) + further


def _between(figures: Mapping[int, int], trainers: int) -> int:
    measured = sorted(figures.items())
    if trainers <= measured[0][0]:
        return measured[0][1]
    for (fewer, less), (more, most) in pairwise(measured):
        if trainers <= more:
            return less + (most - less) * (trainers - fewer) // (more - fewer)
    return measured[-1][1]
