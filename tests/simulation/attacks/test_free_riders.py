"""Free riders: what each sends, and how alike it is to what it copies."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS
from tests.simulation.attacks.views import cosine, make_view


def craft(name, **changes):
    view = replace(make_view(d=10_000, strength=ATTACKS[name].strength), **changes)
    return view, ATTACKS[name].craft(view)


def test_zero_sends_nothing() -> None:
    _, crafted = craft("free-rider-zero")
    assert not crafted.any()


def test_random_updates_are_as_long_as_the_last_step_and_point_nowhere() -> None:
    view, crafted = craft("free-rider-random")
    np.testing.assert_allclose(np.linalg.norm(crafted, axis=1), np.linalg.norm(view.last_aggregate))
    assert max(abs(cosine(row, view.last_aggregate)) for row in crafted) < 0.05


def test_the_stale_update_is_that_of_round_1_in_every_round() -> None:
    view, crafted = craft("free-rider-stale")
    assert np.array_equal(crafted, view.first_own)


def test_a_replay_has_cosine_1_with_the_last_step() -> None:
    view, crafted = craft("free-rider-replay")
    assert all(cosine(row, view.last_aggregate) > 1 - 1e-12 for row in crafted)


@pytest.mark.parametrize("noise", [0.05, 0.1, 1.0])
def test_noise_lowers_the_cosine_of_a_replay_as_it_says(noise) -> None:
    view, crafted = craft("free-rider-replay-noise", strength=noise)
    for row in crafted:
        assert cosine(row, view.last_aggregate) == pytest.approx(1 / np.sqrt(1 + noise**2), abs=0.02)


def test_the_forecast_is_the_mean_of_the_last_and_the_average_step() -> None:
    view, crafted = craft("free-rider-forecast", round=5)
    expected = (view.last_aggregate + (view.model - view.initial_model) / 4) / 2
    np.testing.assert_allclose(crafted.mean(axis=0), expected, atol=1e-12)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.5])
def test_a_copy_is_of_one_honest_trainer_each_and_as_close_as_its_noise_lets_it(noise) -> None:
    view, crafted = craft("free-rider-copy", strength=noise)
    for row, copied in zip(crafted, view.honest, strict=False):
        assert cosine(row, copied) == pytest.approx(1 / np.sqrt(1 + noise**2), abs=0.02)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_scaled_copy_is_a_multiple_of_one_honest_update(factor) -> None:
    view, crafted = craft("free-rider-scaled-copy", strength=factor)
    assert np.array_equal(crafted, factor * view.honest[:3])


def test_there_are_more_attackers_than_trainers_to_copy() -> None:
    view = make_view(k=3, h=2, strength=0.0)
    assert np.array_equal(ATTACKS["free-rider-copy"].craft(view), view.honest[[0, 1, 0]])
