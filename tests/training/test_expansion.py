import numpy as np
import pytest
from torch import nn

from marketplace.training.configuration import RoundConfiguration, TrainingConfiguration
from marketplace.training.curvature import leading_curvature
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.evaluate import evaluate
from marketplace.training.expansion import Expansion, expand
from marketplace.training.gradient import reference_gradient
from marketplace.training.local import fit, local_update
from marketplace.training.models import build_model, get_vector, set_vector

TRAINING = TrainingConfiguration(epochs=2, batch_size=16, learning_rate=0.1).at_round(0, 0)


@pytest.fixture
def model() -> nn.Module:
    return build_model("logistic-regression", {}, 64, 10, seed=2)


@pytest.fixture
def held_out(digits: Dataset) -> Dataset:
    return digits.subset(np.arange(60))


def fall(model: nn.Module, data: Dataset, delta: np.ndarray) -> float:
    """Return how far an update lowers the loss in truth."""
    start = get_vector(model)
    before = evaluate(model, data).loss
    set_vector(model, (start + delta).astype(np.float32))
    after = evaluate(model, data).loss
    set_vector(model, start)
    return before - after


def predicted(expansion: Expansion, delta: np.ndarray) -> float:
    return float(expansion.slope @ delta - (expansion.eigenvectors @ delta) ** 2 @ expansion.eigenvalues / 2)


def test_the_slope_is_that_of_the_expansion_in_the_middle_of_the_step(model: nn.Module, held_out: Dataset) -> None:
    before = get_vector(model)
    found = expand(model, held_out, 3, TRAINING)
    np.testing.assert_array_equal(get_vector(model), before)
    step = local_update(model, before, fit, held_out, TRAINING) / 2
    set_vector(model, (before + step).astype(np.float32))
    values, vectors = leading_curvature(model, held_out, 3)
    np.testing.assert_array_equal(found.eigenvalues, values)
    np.testing.assert_array_equal(found.eigenvectors, vectors)
    matrix = vectors.T @ np.diag(values) @ vectors
    np.testing.assert_allclose(found.slope, reference_gradient(model, held_out) + matrix @ step)


def test_it_foretells_a_rounds_step_better_than_an_expansion_at_the_model(model: nn.Module, held_out: Dataset) -> None:
    step = local_update(model, get_vector(model), fit, held_out, TRAINING)
    truth = fall(model, held_out, step)
    ahead, (values, vectors) = expand(model, held_out, 8, TRAINING), leading_curvature(model, held_out, 8)
    here = Expansion(reference_gradient(model, held_out), values, vectors)
    assert abs(predicted(ahead, step) - truth) < abs(predicted(here, step) - truth) / 3


def test_training_that_diverges_is_refused(model: nn.Module, held_out: Dataset) -> None:
    wild = RoundConfiguration(
        round=0, epochs=40, batch_size=1, learning_rate=1e30, momentum=0.9, weight_decay=1.0, seed=0
    )
    with pytest.raises(TrainingError, match="NaN or infinite"):
        expand(model, held_out, 1, wild)
