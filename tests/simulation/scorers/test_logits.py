"""The logit-change scorer: against enumeration of its game, and against the loss where logits are linear."""

import numpy as np
import pytest

from benchmarks.simulation.scorers import (
    LogitChanges,
    coalition_utilities,
    exact_shapley,
    logit_changes,
    logit_shapley,
    logit_utility,
    shapley_of_table,
)
from benchmarks.simulation.scorers import logits as logits_module
from benchmarks.simulation.scorers.logits import cross_entropies
from marketplace.training.data import make_dataset
from marketplace.training.models import build_model, get_vector


def drawn(n=5, samples=20, classes=4, seed=0):
    generator = np.random.default_rng(seed)
    return LogitChanges(
        base=generator.standard_normal((samples, classes)),
        changes=generator.standard_normal((n, samples, classes)),
        labels=generator.integers(0, classes, samples),
    )


def trained(name, parameters):
    generator = np.random.default_rng(0)
    model = build_model(name, parameters, 64, 10)
    data = make_dataset(generator.standard_normal((30, 64)), generator.integers(0, 10, 30), classes=10)
    theta = get_vector(model).astype(np.float64)
    return model, theta, 0.05 * generator.standard_normal((5, theta.size)), data


@pytest.mark.parametrize("n", [1, 2, 6])
def test_it_is_the_shapley_value_of_its_game(n) -> None:
    round_ = drawn(n)
    valuation = logit_shapley(round_)
    np.testing.assert_allclose(valuation.values, exact_shapley(logit_utility(round_), n).values, atol=1e-12)
    assert valuation.evaluations == n


def test_batches_do_not_matter(monkeypatch) -> None:
    whole = logit_shapley(drawn()).values
    monkeypatch.setattr(logits_module, "_BATCH_VALUES", 200)
    np.testing.assert_allclose(logit_shapley(drawn()).values, whole, atol=1e-14)


def test_values_add_up_and_who_changes_nothing_only_dilutes() -> None:
    round_ = drawn()
    utility = logit_utility(round_)
    assert logit_shapley(round_).values.sum() == pytest.approx(utility(np.ones(5, dtype=bool)))
    idle = LogitChanges(round_.base, np.concatenate([round_.changes, 0 * round_.changes[:2]]), round_.labels)
    values = logit_shapley(idle).values
    assert values[5] == pytest.approx(values[6])


def test_cross_entropy_by_hand() -> None:
    even = np.zeros((1, 2, 4))
    assert cross_entropies(even, np.array([0, 3]))[0] == pytest.approx(np.log(4))
    sure = np.array([[[1000.0, 0.0]]])
    assert cross_entropies(sure, np.array([0]))[0] == 0.0
    assert cross_entropies(sure, np.array([1]))[0] == 1000.0


def test_two_equal_trainers_share_equally_what_one_would_bring() -> None:
    round_ = drawn(1)
    twice = LogitChanges(round_.base, np.concatenate([round_.changes] * 2), round_.labels)
    one = logit_shapley(round_).values[0]
    np.testing.assert_allclose(logit_shapley(twice).values, [one / 2, one / 2])


def test_it_is_the_exact_value_for_a_model_whose_logits_are_linear() -> None:
    model, theta, updates, data = trained("logistic-regression", {})
    exact = shapley_of_table(coalition_utilities(model, theta, updates, data))
    np.testing.assert_allclose(logit_shapley(logit_changes(model, theta, updates, data)).values, exact, atol=1e-6)


def test_it_is_close_to_the_exact_value_for_one_whose_logits_are_not() -> None:
    model, theta, updates, data = trained("mlp", {"hidden": [32]})
    exact = shapley_of_table(coalition_utilities(model, theta, updates, data))
    close = logit_shapley(logit_changes(model, theta, updates, data)).values
    assert np.corrcoef(exact, close)[0, 1] > 0.95
    assert np.array_equal(get_vector(model), theta.astype(np.float32))
