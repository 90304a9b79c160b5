"""Collusion: the colluders' mean is what they agreed on, and they lie nearer to each other than honest trainers do."""

import numpy as np

from benchmarks.simulation.attacks import ATTACKS
from benchmarks.simulation.attacks.reference_point import orthogonal_to_reference
from tests.simulation.attacks.views import cosine, cosines, make_view


def test_the_mean_is_the_agreed_vector_and_the_spread_is_half_their_own() -> None:
    view = make_view(strength=0.5)
    crafted = ATTACKS["collusion"].craft(view)
    agreed = view.honest.mean(axis=0) - 0.5 * view.honest.std(axis=0)
    np.testing.assert_allclose(crafted.mean(axis=0), agreed, atol=1e-12)
    differences = view.own - view.own.mean(axis=0)
    np.testing.assert_allclose(crafted - crafted.mean(axis=0), 0.5 * differences, atol=1e-12)
    assert cosines(crafted).max() < 0.999


def test_evictors_mirror_the_rival_at_the_mean() -> None:
    view = make_view(strength=1.0)
    crafted = ATTACKS["eviction"].craft(view).mean(axis=0)
    mean = view.honest.mean(axis=0)
    np.testing.assert_allclose((crafted + view.honest[0]) / 2, mean, atol=1e-12)


def test_the_reference_point_attack_steps_aside_at_a_right_angle() -> None:
    view = make_view(strength=2.0)
    mean = view.honest.mean(axis=0)
    reference = 0.9 * mean + 0.1 * view.last_aggregate
    aside = orthogonal_to_reference(view).mean(axis=0) - reference
    assert abs(cosine(aside, reference)) < 1e-9
    np.testing.assert_allclose(np.linalg.norm(aside), 2.0 * np.linalg.norm(mean))
    assert aside @ view.honest.std(axis=0) < 0
