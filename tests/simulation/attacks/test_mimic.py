"""Mimic: copies of the honest trainer that lies furthest out where honest trainers differ most."""

from dataclasses import replace

import numpy as np

from benchmarks.simulation.attacks import ATTACKS
from tests.simulation.attacks.views import cosine, make_view


def stretched():
    view = make_view(d=2_000)
    honest = view.honest.copy()
    honest[4] += 5 * np.random.default_rng(0).standard_normal(2_000)
    return replace(view, honest=honest)


def test_at_strength_0_the_outermost_trainer_is_sent_k_times() -> None:
    view = replace(stretched(), strength=0.0)
    assert np.array_equal(ATTACKS["mimic"].craft(view), np.tile(view.honest[4], (3, 1)))


def test_noise_keeps_the_attackers_from_being_copies() -> None:
    view = replace(stretched(), strength=0.05)
    for crafted in ATTACKS["mimic"].craft(view):
        assert 0.995 < cosine(crafted, view.honest[4]) < 0.999
