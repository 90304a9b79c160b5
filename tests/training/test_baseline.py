import numpy as np
import pytest
from torch import nn

from marketplace.training.baseline import federated_average
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.evaluate import evaluate
from marketplace.training.local import RoundConfiguration, TrainingConfiguration, fit
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
