import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn

from contribution.curvature import CURVATURE_BITS
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.evaluate import evaluate
from marketplace.training.gradient import reference_gradient
from marketplace.training.models import build_model, get_vector, set_vector
from marketplace.training.reference import integer_reference, integer_references


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


def test_without_curvature_the_references_are_the_reference() -> None:
    gradient = np.random.default_rng(1).normal(size=50)
    for values, vectors in ((np.zeros(0), np.zeros((0, 50))), (np.zeros(2), np.zeros((2, 50)))):
        first, *rest = integer_references(gradient, values, vectors, 12, 10)
        np.testing.assert_array_equal(first, integer_reference(gradient, 12))
        assert len(rest) == len(values)
        assert all(vector.dtype == np.int16 and not vector.any() for vector in rest)


@pytest.mark.parametrize("curvature", [1e-2, 1.0, 1e2])
def test_integers_rank_updates_by_the_quadratic_model(curvature: float) -> None:
    rng, scale = np.random.default_rng(2), 12
    gradient = rng.normal(size=400)
    values, vectors = curvature * np.array([9.0, 4, 1]), np.linalg.qr(rng.normal(size=(400, 3)))[0].T
    reference, *curved = [v.astype(np.int64) for v in integer_references(gradient, values, vectors, 16, scale)]
    # Updates within the curved space and of a length for which both parts matter.
    along = rng.normal(size=(6, 3)) @ vectors + 0.1 * rng.normal(size=(6, 400))
    updates = np.rint(along / curvature * 2**scale).astype(np.int64)
    deltas = updates / 2**scale
    expected = 2 * deltas @ gradient - (deltas @ vectors.T) ** 2 @ values
    squares = sum((updates @ c).astype(np.float64) ** 2 for c in curved)
    found = 2 * (updates @ reference).astype(np.float64) - np.ldexp(squares, -CURVATURE_BITS)
    alpha = found @ expected / (expected @ expected)
    np.testing.assert_allclose(found, alpha * expected, atol=0.01 * alpha * np.abs(expected).max())
    assert max(np.abs(vector).max() for vector in (reference, *curved)) == 2**15 - 1


wild = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


@given(
    gradient=hnp.arrays(np.float64, 4, elements=wild),
    values=hnp.arrays(np.float64, 2, elements=st.floats(0, 1e300)),
    vectors=hnp.arrays(np.float64, (2, 4), elements=st.floats(-1, 1)),
    bits=st.integers(2, 16),
)
def test_all_references_together_use_the_whole_range_and_never_leave_it(
    gradient: np.ndarray, values: np.ndarray, vectors: np.ndarray, bits: int
) -> None:
    found = integer_references(gradient, values, vectors, bits, 12)
    roots = np.sqrt(np.ldexp(values, -12))[:, np.newaxis] * vectors
    assert len(found) == 3
    assert max(np.abs(v.astype(np.int64)).max() for v in found) == (
        2 ** (bits - 1) - 1 if gradient.any() or roots.any() else 0
    )


@pytest.mark.parametrize("bad", [np.array([-1.0]), np.array([np.nan]), np.array([np.inf])])
def test_impossible_eigenvalues_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(TrainingError, match="An eigenvalue is negative, or"):
        integer_references(np.ones(2), bad, np.ones((1, 2)), 16, 12)
