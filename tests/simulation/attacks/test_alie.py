"""ALIE: the deviation from the normal quantile, and mean minus z standard deviations."""

import math

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS, AttackError
from benchmarks.simulation.attacks.alie import supported_deviation
from tests.simulation.attacks.views import make_view


def phi(z: float) -> float:
    return (1 + math.erf(z / math.sqrt(2))) / 2


@pytest.mark.parametrize(("n", "m", "share"), [(50, 24, 24 / 26), (50, 12, 24 / 38), (10, 3, 4 / 7), (20, 6, 9 / 14)])
def test_z_leaves_as_many_honest_trainers_further_out_as_a_majority_needs(n, m, share) -> None:
    supporters = n // 2 + 1 - m
    assert share == (n - m - supporters) / (n - m)
    assert phi(supported_deviation(n, m)) == pytest.approx(share, abs=1e-9)


def test_the_papers_example() -> None:
    # n = 50 and m = 24: two supporters are needed, 24 of 26 may be nearer, Phi(1.43) = 0.9236 > 0.9231 = 24/26.
    assert 1.42 < supported_deviation(50, 24) < 1.43


def test_a_majority_of_attackers_needs_nobody() -> None:
    assert phi(supported_deviation(10, 7)) == pytest.approx(0.999)


def test_without_honest_trainers_there_is_nothing_to_hide_among() -> None:
    with pytest.raises(AttackError, match="10 attackers among 10 trainers leave 0"):
        supported_deviation(10, 10)


@pytest.mark.parametrize(("name", "sample"), [("alie", "own"), ("alie-omniscient", "honest")])
def test_the_crafted_mean_is_z_deviations_below_the_mean(name, sample) -> None:
    view = make_view(strength=2.0)
    z = 2.0 * supported_deviation(10, 3)
    updates = getattr(view, sample)
    expected = updates.mean(axis=0) - z * updates.std(axis=0)
    np.testing.assert_allclose(ATTACKS[name].craft(view).mean(axis=0), expected, atol=1e-12)


def test_the_tuned_attack_takes_the_strength_for_z() -> None:
    view = make_view(strength=1.5)
    expected = view.honest.mean(axis=0) - 1.5 * view.honest.std(axis=0)
    np.testing.assert_allclose(ATTACKS["alie-tuned"].craft(view).mean(axis=0), expected, atol=1e-12)
