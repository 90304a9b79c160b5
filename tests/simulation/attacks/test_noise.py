"""Gaussian noise and corrupted coordinates: sizes and frequencies."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS
from tests.simulation.attacks.views import cosine, make_view


@pytest.mark.parametrize(("name", "ratio"), [("gaussian-small", 1.0), ("gaussian-large", 100.0)])
def test_gaussian_noise_is_as_long_as_the_strength_says_and_points_nowhere(name, ratio) -> None:
    view = make_view(d=20_000, strength=ATTACKS[name].strength)
    for noise, own in zip(ATTACKS[name].craft(view), view.own, strict=True):
        assert np.linalg.norm(noise) == pytest.approx(ratio * np.linalg.norm(own), rel=0.03)
        assert abs(cosine(noise, own)) < 0.03
        assert abs(noise.mean()) < 0.03 * noise.std()


def test_silent_corruption_strikes_one_coordinate_in_a_hundred_in_one_round_of_twenty() -> None:
    struck = 0
    view = make_view(k=3, d=400, strength=1000.0)
    for _ in range(200):
        for crafted, own in zip(ATTACKS["silent-corruption"].craft(view), view.own, strict=True):
            changed = crafted != own
            if changed.any():
                struck += 1
                assert changed.sum() == 4
                assert (np.abs(crafted[changed]) == 1000.0).all()
    # 600 chances of 1/20: 30 expected, deviation 5.3.
    assert 14 <= struck <= 46


def test_one_coordinate_is_set_to_the_strength() -> None:
    view = make_view(strength=1e30)
    for crafted, own in zip(ATTACKS["single-coordinate"].craft(view), view.own, strict=True):
        assert (crafted != own).sum() == 1
        assert np.abs(crafted).max() == 1e30


def test_noise_differs_between_attackers_and_follows_the_generator() -> None:
    view = make_view()
    crafted = ATTACKS["gaussian-small"].craft(view)
    assert not np.array_equal(crafted[0], crafted[1])
    other = ATTACKS["gaussian-small"].craft(replace(make_view(), generator=np.random.default_rng(77)))
    assert not np.array_equal(crafted, other)
