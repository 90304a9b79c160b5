import numpy as np
import pytest
from torch import nn

from marketplace.training.baseline import federated_average
from marketplace.training.configuration import RoundConfiguration, TrainingConfiguration
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.evaluate import evaluate
from marketplace.training.local import fit
from marketplace.training.models import build_model, get_vector, set_vector
from marketplace.training.scenario import build_scenario


def add_number_of_samples(model: nn.Module, data: Dataset, config: RoundConfiguration) -> nn.Module:
    set_vector(model, get_vector(model) + len(data) + config.round)
    return model


def test_updates_are_weighted_by_number_of_samples(digits: Dataset) -> None:
    model = build_model("logistic-regression", {}, 64, 10)
    parts = [digits.subset(np.arange(n)) for n in (1, 3)]
    history = federated_average(model, np.zeros(650), parts, [0, 0], add_number_of_samples, TrainingConfiguration(), 2)
    np.testing.assert_allclose(history[0], 1 / 4 * 1 + 3 / 4 * 3)
    np.testing.assert_allclose(history[1], 2 * history[0] + 1)


def test_with_server_momentum_every_step_is_added_where_it_was_computed() -> None:
    """On `|theta|^2 / 2` with one full step of gradient descent of rate 0.1: the recursion of Nesterov's method."""

    def descend(model: nn.Module, data: Dataset, config: RoundConfiguration) -> nn.Module:
        set_vector(model, np.float32(0.9) * get_vector(model))
        return model

    model = build_model("logistic-regression", {}, 2, 2)
    data = [Dataset(np.zeros((4, 2), np.float32), np.zeros(4, np.int64), 2)]
    start = np.arange(1.0, 7.0)
    history = federated_average(model, start, data, [0], descend, TrainingConfiguration(), 6, 0.5)
    before, now = start, start
    for found in history:
        ahead = now + 0.5 * (now - before)
        before, now = now, 0.9 * ahead
        np.testing.assert_allclose(found, now, rtol=1e-5)


def test_honest_trainers_learn_the_digits(digits: Dataset) -> None:
    scenario = build_scenario(digits, seed=100)
    model = build_model("mlp", {"hidden": [32]}, 64, 10, seed=0)
    terms = TrainingConfiguration(epochs=5, batch_size=16, learning_rate=0.06, momentum=0.5)
    data = [party.data for party in scenario.honest]
    history = federated_average(model, get_vector(model), data, range(7), fit, terms, rounds=3)
    set_vector(model, history[-1])
    assert evaluate(model, scenario.test).accuracy > 0.75


@pytest.mark.parametrize("seeds", [[], [1, 2]])
def test_every_trainer_needs_a_seed(digits: Dataset, seeds: list[int]) -> None:
    model = build_model("logistic-regression", {}, 64, 10)
    with pytest.raises(TrainingError, match=f"1 data sets and {len(seeds)} seeds"):
        federated_average(model, get_vector(model), [digits], seeds, fit, TrainingConfiguration(), 1)
