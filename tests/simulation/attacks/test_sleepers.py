"""Sleepers: honest before they strike."""

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS
from tests.simulation.attacks.views import make_view


@pytest.mark.parametrize(
    ("name", "rounds", "strikes"),
    [
        ("sleeper", 8, {5, 6, 7, 8}),
        ("sleeper", 5, {3, 4, 5}),
        ("sleeper-quarter", 8, {5, 6}),
        ("sleeper-quarter", 20, {11, 12, 13, 14, 15}),
        ("one-shot", 8, {8}),
    ],
)
def test_updates_are_honest_but_for_the_rounds_of_the_strike(name, rounds, strikes) -> None:
    for round in range(1, rounds + 1):
        view = make_view(round=round, rounds=rounds, strength=4.0)
        expected = -4.0 * view.own if round in strikes else view.own
        assert np.array_equal(ATTACKS[name].craft(view), expected), round
