"""Backdoors: where the pattern is, who stamps which part, and how model replacement scales."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS
from benchmarks.simulation.attacks.backdoor import TARGET_CLASS, part_of_pattern, pattern
from marketplace.training.data import make_dataset
from tests.simulation.attacks.views import make_view


def pictures(n: int, side: int, seed: int = 0):
    generator = np.random.default_rng(seed)
    return make_dataset(generator.random((n, side, side)) * 0.9, generator.integers(0, 10, n), classes=10)


def test_the_pattern_is_a_block_in_the_lower_right_corner() -> None:
    assert pattern(64).tolist() == [54, 55, 62, 63]
    rows, columns = np.divmod(pattern(784), 28)
    assert set(rows) == set(columns) == {23, 24, 25, 26}
    assert pattern(30).tolist() == [27, 28, 29]


def test_parts_cover_the_pattern_without_overlap() -> None:
    for attackers in (1, 3, 4):
        parts = [part_of_pattern(784, index, attackers) for index in range(attackers)]
        assert sorted(np.concatenate(parts)) == pattern(784).tolist()
    assert all(len(part_of_pattern(64, index, 9)) == 1 for index in range(9))


@pytest.mark.parametrize("name", ["backdoor", "backdoor-model-replacement", "backdoor-neurotoxin"])
def test_half_of_the_samples_get_the_whole_pattern_and_the_target_label(name) -> None:
    data = pictures(40, 8)
    (poisoned,) = ATTACKS[name].poison([data], np.random.default_rng(1))
    stamped = (poisoned.x != data.x).any(axis=1)
    assert stamped.sum() == 20
    assert (poisoned.y[stamped] == TARGET_CLASS).all()
    assert (poisoned.x[stamped][:, pattern(64)] == data.x.max()).all()
    untouched = np.setdiff1d(np.arange(64), pattern(64))
    assert np.array_equal(poisoned.x[:, untouched], data.x[:, untouched])
    assert np.array_equal(poisoned.y[~stamped], data.y[~stamped])


def test_each_attacker_of_the_distributed_backdoor_stamps_its_own_part() -> None:
    held = [pictures(40, 28, seed) for seed in range(3)]
    poisoned = ATTACKS["backdoor-distributed"].poison(held, np.random.default_rng(1))
    for index, (before, after) in enumerate(zip(held, poisoned, strict=True)):
        changed = np.flatnonzero((before.x != after.x).any(axis=0))
        assert changed.tolist() == sorted(part_of_pattern(784, index, 3))


def test_success_is_measured_on_other_classes_with_the_whole_pattern() -> None:
    data = pictures(60, 8)
    wanted = ATTACKS["backdoor-distributed"].wanted(data)
    assert len(wanted) == (data.y != TARGET_CLASS).sum()
    assert (wanted.y == TARGET_CLASS).all()
    assert (wanted.x[:, pattern(64)] == wanted.x.max()).all()


def test_model_replacement_makes_the_mean_of_all_the_attackers_mean() -> None:
    view = make_view(strength=1.0)
    crafted = ATTACKS["backdoor-model-replacement"].craft(view)
    silent = np.zeros_like(view.honest)
    np.testing.assert_allclose(np.concatenate([silent, crafted]).mean(axis=0), view.own.mean(axis=0))


def test_neurotoxin_stays_out_of_the_coordinates_that_moved_most() -> None:
    view = make_view()
    crafted = ATTACKS["backdoor-neurotoxin"].craft(view)
    busiest = np.argsort(-np.abs(view.last_aggregate))[:2]
    assert (crafted[:, busiest] == 0).all()
    others = np.setdiff1d(np.arange(40), busiest)
    assert np.array_equal(crafted[:, others], view.own[:, others])
    first = replace(view, last_aggregate=np.zeros(40))
    assert np.array_equal(ATTACKS["backdoor-neurotoxin"].craft(first), view.own)
