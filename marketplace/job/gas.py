"""What each step costs in gas, for telling people beforehand; measured on the embedded chain.

Each figure is the most of several rounds with every trainer honest and present. Steps whose gas grows with the number
of trainers have a figure for each size that was measured.
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

# Step -> gas by number of trainers.
GROWING: Final[dict[str, dict[int, int]]] = {
    "start": {5: 79_809, 128: 79_809},
    "closeSubmissions": {5: 54_025, 128: 54_025},
}

# Gas of a settlement by the referee's vectors and the number of trainers. With one vector, or none, the default rule
# decides as multi-Krum does, which at many trainers costs more than deciding with curvature.
SETTLE: Final[dict[int, dict[int, int]]] = {
    1: {5: 541_583, 8: 655_000, 16: 961_761, 32: 1_850_000, 64: 4_310_000, 128: 12_071_168},
    2: {5: 608_268, 8: 657_659, 16: 961_761, 32: 1_715_973, 64: 3_987_853, 128: 11_695_829},
    9: {5: 664_782, 8: 779_005, 16: 1_091_412, 32: 1_889_591, 64: 4_197_674, 128: 12_038_134},
}


def gas_of(step: str, trainers: int, references: int = 1) -> int:
    """Return what a step costs in gas with so many trainers, and so many vectors of the referee in a round.

    Between two measured sizes it is a straight line. The true curve bends upward, so that the line lies above it.
    """
    if step in FIXED:
        return FIXED[step]
    if step != "settle":
        return _between(GROWING[step], trainers)
    return _between({vectors: _between(figures, trainers) for vectors, figures in SETTLE.items()}, references)


def _between(figures: Mapping[int, int], number: int) -> int:
    """Return the value at a number of something, on straight lines between what was measured."""
    measured = sorted(figures.items())
    if number <= measured[0][0]:
        return measured[0][1]
    for (fewer, less), (more, most) in pairwise(measured):
        if number <= more:
            return less + (most - less) * (number - fewer) // (more - fewer)
    return measured[-1][1]
