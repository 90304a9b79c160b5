"""Sybils: copies of one update, one data set dealt out or used by all, and longer updates."""

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS
from marketplace.training.data import make_dataset
from tests.simulation.attacks.views import cosine, make_view


def holdings():
    return [make_dataset(np.arange(20.0).reshape(10, 2) + 100 * k, np.arange(10), classes=10) for k in range(3)]


def test_the_baseline_is_one_identity_that_works_and_others_that_do_nothing() -> None:
    view = make_view()
    crafted = ATTACKS["sybil-alone"].craft(view)
    assert np.array_equal(crafted[0], view.own[0])
    assert not crafted[1:].any()


def test_copies_are_exact_without_noise() -> None:
    view = make_view(strength=0.0)
    assert np.array_equal(ATTACKS["sybil-copies"].craft(view), np.tile(view.own[0], (3, 1)))


@pytest.mark.parametrize("noise", [0.03, 0.3])
def test_noise_makes_copies_as_unlike_as_it_says_and_leaves_the_original(noise) -> None:
    view = make_view(d=10_000, strength=noise)
    crafted = ATTACKS["sybil-copies"].craft(view)
    assert np.array_equal(crafted[0], view.own[0])
    for row in crafted[1:]:
        assert cosine(row, view.own[0]) == pytest.approx(1 / np.sqrt(1 + noise**2), abs=0.01)


def test_a_split_deals_out_the_first_attackers_samples_once_each() -> None:
    held = holdings()
    parts = ATTACKS["sybil-split"].poison(held, np.random.default_rng(0))
    assert [len(part) for part in parts] == [4, 3, 3]
    assert sorted(np.concatenate([part.x[:, 0] for part in parts])) == held[0].x[:, 0].tolist()
    for part in parts:
        assert np.array_equal(part.x[:, 0], 2 * part.y)


def test_identities_may_all_train_on_the_same_samples() -> None:
    held = holdings()
    for part in ATTACKS["sybil-same-data"].poison(held, np.random.default_rng(0)):
        assert np.array_equal(part.x, held[0].x)


@pytest.mark.parametrize("name", ["sybil-split", "sybil-same-data"])
def test_identities_with_data_train_honestly(name) -> None:
    view = make_view(strength=ATTACKS[name].strength)
    assert np.array_equal(ATTACKS[name].craft(view), view.own)


def test_an_inflated_norm_is_the_honest_update_made_longer() -> None:
    view = make_view(strength=10.0)
    assert np.array_equal(ATTACKS["inflated-norm"].craft(view), 10.0 * view.own)
