import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn

from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.evaluate import evaluate
from marketplace.training.models import build_model, get_vector, set_vector
from marketplace.training.reference import integer_reference, reference_gradient


@pytest.fixture
def model() -> nn.Module:
    return build_model("mlp", {"hidden": [6]}, 64, 10, seed=2)


def test_reference_of_logistic_regression_is_the_known_formula(digits: Dataset) -> None:
    model = build_model("logistic-regression", {}, 64, 10, seed=1)
    data = digits.subset(np.arange(50))
    weights = get_vector(model).astype(np.float64)
    logits = data.x.astype(np.float64) @ weights[:640].reshape(10, 64).T + weights[640:]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    residual = (np.eye(10)[data.y] - chances) / len(data)
    expected = np.concatenate([(residual.T @ data.x).ravel(), residual.sum(axis=0)])
    np.testing.assert_allclose(reference_gradient(model, data), expected, atol=1e-12)


def test_a_step_along_the_reference_lowers_the_loss(model: nn.Module, digits: Dataset) -> None:
    data = digits.subset(np.arange(200))
    start, gradient = get_vector(model), reference_gradient(model, data)
    before = evaluate(model, data).loss
    set_vector(model, start + 0.01 * gradient)
    fall = before - evaluate(model, data).loss
    assert fall == pytest.approx(0.01 * float(gradient @ gradient), rel=0.05)


def test_the_model_is_left_alone(model: nn.Module, digits: Dataset) -> None:
    before = get_vector(model)
    reference_gradient(model, digits.subset(np.arange(10)))
    np.testing.assert_array_equal(get_vector(model), before)
    assert all(p.grad is None and p.dtype.is_floating_point for p in model.parameters())


def test_a_diverged_model_has_no_reference(digits: Dataset) -> None:
    model = build_model("logistic-regression", {}, 64, 10)
    data = Dataset(np.full((1, 64), 3e38, dtype=np.float32), np.array([0]), 10)
    # float64 holds what float32 would not: large features alone are no divergence.
    assert np.isfinite(reference_gradient(model, data)).all()
    with pytest.raises(TrainingError, match="diverged"):
        integer_reference(np.array([1.0, np.nan]))


finite = hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(allow_nan=False, allow_infinity=False))


@given(gradient=finite, bits=st.integers(2, 16))
def test_the_whole_range_is_used_and_never_left(gradient: np.ndarray, bits: int) -> None:
    integers = integer_reference(gradient, bits).astype(np.int64)
    largest = 2 ** (bits - 1) - 1
    if np.abs(gradient).max() == 0:
        assert not integers.any()
        return
    assert np.abs(integers).max() == largest
    exact = gradient / np.abs(gradient).max() * largest
    assert np.abs(integers - exact).max() <= 0.5


@given(gradient=finite, exponent=st.integers(-40, 40))
def test_scale_makes_no_difference(gradient: np.ndarray, exponent: int) -> None:
    gradient = np.where(np.abs(gradient) < 1e-200, 0.0, np.clip(gradient, -1e200, 1e200))
    np.testing.assert_array_equal(integer_reference(gradient), integer_reference(np.ldexp(gradient, exponent)))


@pytest.mark.parametrize("bits", [1, 17])
def test_other_widths_are_refused(bits: int) -> None:
    with pytest.raises(TrainingError, match=f"{bits} bits is not supported; use 2 to 16"):
        integer_reference(np.ones(2), bits)
