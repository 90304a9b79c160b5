"""Sign flips and inner product manipulation by their equations; colluders are no copies of each other."""

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS
from tests.simulation.attacks.views import cosines, make_view


@pytest.mark.parametrize(("name", "factor"), [("sign-flip", 1.0), ("sign-flip-4", 4.0), ("sign-flip-100", 100.0)])
def test_own_updates_are_turned_round_and_scaled(name, factor) -> None:
    attack = ATTACKS[name]
    view = make_view(strength=attack.strength)
    assert np.array_equal(attack.craft(view), -factor * view.own)


@pytest.mark.parametrize(
    ("name", "sample"),
    [("sign-flip-of-mean", "honest"), ("ipm", "own"), ("ipm-omniscient", "honest")],
)
@pytest.mark.parametrize("strength", [0.1, 3.0])
def test_the_crafted_updates_average_to_minus_the_strength_times_the_mean(name, sample, strength) -> None:
    view = make_view(strength=strength)
    crafted = ATTACKS[name].craft(view)
    np.testing.assert_allclose(crafted.mean(axis=0), -strength * getattr(view, sample).mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("name", ["sign-flip-of-mean", "ipm", "ipm-omniscient", "alie", "fang-krum", "mpaf"])
def test_colluders_are_close_to_each_other_but_below_the_cosine_of_copies(name) -> None:
    crafted = ATTACKS[name].craft(make_view(d=5_000, strength=ATTACKS[name].strength))
    assert cosines(crafted).max() < 0.999
    assert cosines(crafted).min() > 0.99


def test_a_lone_attacker_adds_no_noise() -> None:
    view = make_view(k=1, strength=2.0)
    assert np.array_equal(ATTACKS["ipm-omniscient"].craft(view)[0], -2.0 * view.honest.mean(axis=0))
