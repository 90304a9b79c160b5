"""Attackers without data: their vectors follow from what is public, and alike in all rounds."""

from dataclasses import replace

import numpy as np

from benchmarks.simulation.attacks import ATTACKS
from tests.simulation.attacks.views import cosine, make_view


def test_mpaf_leads_from_any_model_to_one_fixed_model() -> None:
    view = make_view()
    base = view.model + ATTACKS["mpaf"].craft(view).mean(axis=0)
    later = replace(make_view(round=7), model=view.model * 0.3 + 1)
    np.testing.assert_allclose(later.model + ATTACKS["mpaf"].craft(later).mean(axis=0), base, atol=1e-10)
    np.testing.assert_allclose(np.sort(base), np.sort(view.initial_model), atol=1e-10)
    assert abs(cosine(base, view.initial_model)) < 0.5


def test_signs_stay_the_same_over_rounds_and_the_length_follows_the_last_step() -> None:
    first = make_view(strength=2.0)
    later = replace(make_view(seed=5, round=6, strength=2.0), initial_model=first.initial_model)
    one, two = (ATTACKS["consistent-direction"].craft(view).mean(axis=0) for view in (first, later))
    assert np.array_equal(np.sign(one), np.sign(two))
    for crafted, view in ((one, first), (two, later)):
        np.testing.assert_allclose(np.linalg.norm(crafted), 2.0 * np.linalg.norm(view.last_aggregate))


def test_magnitudes_are_those_of_the_step_without_its_part_along_the_signs() -> None:
    view = make_view()
    crafted = ATTACKS["consistent-direction"].craft(view).mean(axis=0)
    signs = np.sign(crafted)
    rest = np.abs(view.last_aggregate - signs * (view.last_aggregate @ signs) / view.dimension)
    assert cosine(np.abs(crafted), rest) > 1 - 1e-12


def test_before_the_first_step_all_coordinates_move_alike() -> None:
    view = replace(make_view(strength=1.0), last_aggregate=np.zeros(40))
    crafted = np.abs(ATTACKS["consistent-direction"].craft(view).mean(axis=0))
    np.testing.assert_allclose(crafted, crafted[0])
    np.testing.assert_allclose(np.linalg.norm(crafted), 0.01 * np.linalg.norm(view.initial_model))
