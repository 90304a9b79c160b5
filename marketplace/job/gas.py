"""What each step costs in gas, for telling people beforehand; measured on the embedded chain.

Each figure is the most of three rounds with every trainer honest and present. Steps whose gas grows with the number of
trainers have a figure for each size that was measured.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

# Steps whose gas does not depend on the number of trainers. A trainer's later submissions cost
# a third less than its first, which is the one here.
FIXED: Final[dict[str, int]] = {
    "create": 441_489,
    "accept": 74_849,
    "join": 127_745,
    "submit": 99_562,
    "submitReference": 77_383,
    "complete": 103_410,
    "withdraw": 65_136,
}

# Step -> gas by number of trainers.
GROWING: Final[dict[str, dict[int, int]]] = {
    "start": {5: 82_279, 8: 82_561, 16: 83_313, 32: 84_817, 64: 87_825, 96: 90_833},
    "closeSubmissions": {5: 56_901, 8: 57_465, 16: 58_969, 32: 61_977, 64: 67_993, 96: 74_009},
    "settle": {5: 285_371, 8: 415_671, 16: 742_369, 32: 1_615_782, 64: 4_207_234, 96: 7_879_839},
}


def gas_of(step: str, trainers: int) -> int:
    """Return what a step costs in gas with so many trainers, between two measured sizes by a straight line.

    The true curve bends upward, so that the line lies above it.
    """
    if step in FIXED:
        return FIXED[step]
    measured = sorted(GROWING[step].items())
    if trainers <= measured[0][0]:
        return measured[0][1]
    for (fewer, less), (more, most) in pairwise(measured):
        if trainers <= more:
            return less + (most - less) * (trainers - fewer) // (more - fewer)
    return measured[-1][1]
