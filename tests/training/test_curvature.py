import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from marketplace.training.curvature import leading_curvature
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.gradient import reference_gradient
from marketplace.training.models import build_model, get_vector, parameter_count

# Enough for every space of these tests to converge.
_MANY = 40

MODELS: dict[str, Callable[[], nn.Module]] = {
    "logistic-regression": lambda: build_model("logistic-regression", {}, 64, 4, seed=3),
    "mlp": lambda: build_model("mlp", {"hidden": [5, 4]}, 64, 4, seed=3),
    "cnn": lambda: build_model("cnn", {"height": 8, "width": 8, "channels": [2, 3]}, 64, 4, seed=3),
}


def _images(count: int) -> Dataset:
    rng = np.random.default_rng(count)
    return Dataset(rng.normal(size=(count, 64)).astype(np.float32), rng.integers(0, 4, count), 4)


def _dense(model: nn.Module, data: Dataset) -> np.ndarray:
    """Return the matrix as it is defined, in float64: a Jacobian a sample, by one backward pass a logit."""
    double = copy.deepcopy(model).double()
    parameters = list(double.parameters())
    matrix = np.zeros((parameter_count(model),) * 2)
    for x in torch.tensor(data.x, dtype=torch.float64):
        logits = double(x[None])[0]
        rows = [torch.autograd.grad(logit, parameters, retain_graph=True) for logit in logits]
        jacobian = np.stack([torch.cat([part.reshape(-1) for part in row]).numpy() for row in rows])
        chances = logits.detach().softmax(0).numpy()
        matrix += jacobian.T @ (np.diag(chances) - np.outer(chances, chances)) @ jacobian
    return matrix / len(data)


# 300 samples are more than are held at a time.
@pytest.mark.parametrize(("name", "samples"), [*((name, 30) for name in MODELS), ("mlp", 300)])
def test_eigenpairs_are_those_of_the_dense_matrix(name: str, samples: int) -> None:
    model, data = MODELS[name](), _images(samples)
    values, vectors = np.linalg.eigh(_dense(model, data))
    found, rows = leading_curvature(model, data, 5, iterations=_MANY)
    np.testing.assert_allclose(found, values[::-1][:5], rtol=1e-4)
    assert rows.shape == (5, len(values))
    np.testing.assert_allclose(rows @ rows.T, np.eye(5), atol=1e-10)
    for row, expected in zip(rows, vectors.T[::-1], strict=False):
        assert abs(row @ expected) == pytest.approx(1, abs=1e-2)
        assert row[np.abs(row).argmax()] > 0


def test_few_iterations_give_the_quadratic_form_to_a_percent(digits: Dataset) -> None:
    model, data = build_model("mlp", {"hidden": [8]}, 64, 10, seed=3), digits.subset(np.arange(200))
    values, vectors = np.linalg.eigh(_dense(model, data))
    found, rows = leading_curvature(model, data, 8)
    # Which way trainers with one sample each would go.
    steps = np.stack([reference_gradient(model, data.subset(np.array([k]))) for k in range(20)])
    expected = (steps @ vectors[:, -8:]) ** 2 @ values[-8:]
    np.testing.assert_allclose((steps @ rows.T) ** 2 @ found, expected, rtol=0.02, atol=0.01 * expected.max())


def test_one_logit_difference_has_the_curvature_of_the_known_formula() -> None:
    # Two classes, one sample: H = p (1 - p) (e, -e)(e, -e)' over weights and bias, of rank 1.
    model = build_model("logistic-regression", {}, 3, 2, seed=1)
    x = np.array([[1.0, -2.0, 0.5]], dtype=np.float32)
    weights = get_vector(model).astype(np.float64)
    logit = weights[:6].reshape(2, 3) @ x[0]
    chance = 1 / (1 + np.exp(logit[1] - logit[0]))
    values, vectors = leading_curvature(model, Dataset(x, np.array([0]), 2), 2)
    assert values[0] == pytest.approx(chance * (1 - chance) * 2 * (x[0] @ x[0] + 1), rel=1e-5)
    across = np.concatenate([x[0], -x[0], [1, -1]])
    np.testing.assert_allclose(vectors[0], -across / np.linalg.norm(across), atol=1e-6)


@pytest.mark.parametrize("count", [4, 9, 14, 400])
def test_beyond_the_rank_there_are_zeros(count: int) -> None:
    model, data = MODELS["logistic-regression"](), _images(3)
    # Three samples with four classes: nine directions at most.
    found, rows = leading_curvature(model, data, count)
    assert found.shape == (count,)
    assert rows.shape == (count, 260)
    positive = min(count, 9)
    assert (found[:positive] > 1e-3).all()
    assert not found[positive:].any()
    assert not rows[positive:].any()


def test_a_flat_loss_has_none() -> None:
    # A softmax that is certain in float32 has no curvature.
    model = build_model("logistic-regression", {}, 1, 2, seed=0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.tensor([[1.0], [-1.0]]) if parameter.ndim == 2 else torch.zeros(2))
    values, vectors = leading_curvature(model, Dataset(np.array([[500]], np.float32), np.array([0]), 2), 2)
    assert not values.any()
    assert not vectors.any()


def test_equal_calls_give_equal_bits_and_leave_the_model_alone() -> None:
    model, data = MODELS["cnn"](), _images(40)
    before = get_vector(model)
    first, second = leading_curvature(model, data, 3), leading_curvature(model, data, 3)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(get_vector(model), before)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_unconverged_eigenvalues_are_lower_bounds() -> None:
    model, data = MODELS["mlp"](), _images(100)
    exact = np.linalg.eigvalsh(_dense(model, data))[::-1][:6]
    for iterations in (1, 2, 4):
        assert (leading_curvature(model, data, 6, iterations)[0] <= exact * (1 + 1e-5)).all()


def test_a_diverged_model_has_no_curvature() -> None:
    model = build_model("logistic-regression", {}, 64, 4)
    with torch.no_grad():
        next(model.parameters())[0, 0] = float("nan")
    with pytest.raises(TrainingError, match="of 260 coordinates: the round's model has diverged"):
        leading_curvature(model, _images(5), 2)


@pytest.mark.parametrize(("count", "iterations"), [(0, 4), (1, 0)])
def test_nothing_can_not_be_asked_for(count: int, iterations: int) -> None:
    with pytest.raises(TrainingError, match=f"{count} eigenvectors by {iterations} iterations"):
        leading_curvature(MODELS["mlp"](), _images(5), count, iterations)
