"""All coalitions at once against one at a time, for every architecture of the zoo."""

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.simulation.scorers import coalition_utilities, model_game, model_utility
from benchmarks.simulation.scorers.coalitions import ScorerError, all_masks
from benchmarks.simulation.scorers.model_game import SlicePooling, split_model
from marketplace.training.data import make_dataset
from marketplace.training.models import build_model, get_vector

ZOO = [
    ("logistic-regression", {}, 64),
    ("mlp", {"hidden": [16]}, 64),
    ("mlp", {"hidden": [12, 9]}, 64),
    ("cnn", {"height": 8, "width": 8, "channels": [3]}, 64),
    ("cnn", {"height": 9, "width": 7, "channels": [3, 4]}, 63),
]


class Residual(nn.Module):
    """A model that is no sequence of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(64, 64)
        self.outer = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.outer(x + torch.relu(self.inner(x)))


def game(model, inputs, n=5, samples=40, size=0.1):
    generator = np.random.default_rng(0)
    data = make_dataset(generator.standard_normal((samples, inputs)), generator.integers(0, 10, samples), classes=10)
    parameters = get_vector(model).astype(np.float64)
    return parameters, size * generator.standard_normal((n, parameters.size)), data


def both(model, inputs, **sizes):
    parameters, updates, data = game(model, inputs, **sizes)
    utility = model_utility(model, parameters, updates, data)
    plain = np.array([utility(mask) for mask in all_masks(len(updates))])
    return coalition_utilities(model, parameters, updates, data), plain


@pytest.mark.parametrize(("name", "parameters", "inputs"), ZOO)
def test_all_at_once_equals_one_at_a_time(name, parameters, inputs) -> None:
    quick, plain = both(build_model(name, parameters, inputs, 10), inputs)
    assert np.ptp(plain) > 0.01
    np.testing.assert_allclose(quick, plain, atol=1e-5)


def test_a_model_that_is_no_sequence_of_layers_is_evaluated_whole() -> None:
    torch.manual_seed(0)
    model = Residual()
    assert split_model(model).linear is None
    quick, plain = both(model, 64)
    np.testing.assert_allclose(quick, plain, atol=1e-5)


def test_the_parts_in_which_samples_and_coalitions_are_evaluated_do_not_matter(monkeypatch) -> None:
    model = build_model("mlp", {"hidden": [16]}, 64, 10)
    whole, plain = both(model, 64)
    monkeypatch.setattr(model_game, "_SAMPLE_VALUES", 7 * 16)
    monkeypatch.setattr(model_game, "_BATCH_VALUES", 3 * 7 * 16)
    parts, _ = both(model, 64)
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    np.testing.assert_allclose(parts, plain, atol=1e-5)


def test_neither_changes_the_model() -> None:
    model = build_model("cnn", {"height": 8, "width": 8, "channels": [3]}, 64, 10)
    before = get_vector(model)
    both(model, 64)
    assert np.array_equal(get_vector(model), before)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_the_empty_coalition_is_worth_nothing_and_a_step_down_the_gradient_something() -> None:
    model = build_model("mlp", {"hidden": [16]}, 64, 10)
    parameters, _, data = game(model, 64)
    loss = nn.functional.cross_entropy(model(torch.tensor(data.x)), torch.tensor(data.y))
    gradient = torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, list(model.parameters()))]).numpy()
    utilities = coalition_utilities(model, parameters, np.array([-0.1 * gradient, 0.1 * gradient]), data)
    assert utilities[0] == 0.0
    assert utilities[1] > 0 > utilities[2]
    assert utilities[3] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (1, 2, 9, 7), (1, 1, 2, 2)])
def test_pooling_by_slices_is_pooling_bit_for_bit(shape) -> None:
    images = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(SlicePooling()(images), nn.MaxPool2d(2)(images))


def test_other_poolings_are_left_as_they_are() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(3), nn.MaxPool2d(2, stride=1), nn.MaxPool2d(2))
    kinds = [type(layer) for layer in split_model(model).after]
    assert kinds == [nn.MaxPool2d, nn.MaxPool2d, SlicePooling]


def test_vectors_of_another_model_are_refused() -> None:
    model = build_model("logistic-regression", {}, 64, 10)
    parameters, updates, data = game(model, 64)
    with pytest.raises(ScorerError, match="650 parameters"):
        coalition_utilities(model, parameters, updates[:, 1:], data)
    with pytest.raises(ScorerError, match="650 parameters"):
        model_utility(model, parameters[1:], updates, data)
