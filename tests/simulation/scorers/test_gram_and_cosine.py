"""The closed forms on floats and the cosine: against enumeration, exact rationals and by hand."""

import numpy as np
import pytest

from benchmarks.simulation.scorers import cosine_to_aggregate, exact_shapley, linear_shapley, quadratic_shapley
from benchmarks.simulation.scorers.coalitions import ScorerError
from contribution.shapley import exact_shapley as rational_shapley


def quadratic(gains, curvature):
    def utility(mask):
        t = max(1, mask.sum())
        return float(2 * gains[mask].sum() / t - curvature[np.ix_(mask, mask)].sum() / t**2)

    return utility


def drawn(n, seed):
    generator = np.random.default_rng(seed)
    root = generator.integers(-50, 50, (n, n))
    return generator.integers(-1000, 1000, n), root @ root.T


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("seed", range(3))
def test_the_closed_form_is_the_shapley_value_of_the_game_and_the_contracts(n, seed) -> None:
    gains, curvature = drawn(n, seed)
    values = quadratic_shapley(gains.astype(float), curvature.astype(float)).values
    enumerated = exact_shapley(quadratic(gains.astype(float), curvature.astype(float)), n).values
    rational = [float(value) for value in rational_shapley(gains.tolist(), curvature.tolist())]
    np.testing.assert_allclose(values, enumerated, rtol=1e-10, atol=1e-7)
    np.testing.assert_allclose(values, rational, rtol=1e-10, atol=1e-7)


def test_without_curvature_only_gains_count_and_no_model_is_evaluated() -> None:
    gains = np.array([9.0, 0.0, 0.0])
    valuation = linear_shapley(gains)
    np.testing.assert_allclose(valuation.values, [11.0, -2.5, -2.5])
    assert valuation.evaluations == 0
    assert np.array_equal(valuation.values, quadratic_shapley(gains, np.zeros((3, 3))).values)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ScorerError, match=r"3 gains need a curvature of shape \(3, 3\)"):
        quadratic_shapley(np.zeros(3), np.zeros((2, 2)))


def test_cosines_to_the_sum_of_normalised_updates() -> None:
    updates = np.array([[1.0, 0.0], [0.0, 5.0], [0.0, 0.0]])
    valuation = cosine_to_aggregate(updates)
    np.testing.assert_allclose(valuation.values, [np.sqrt(0.5), np.sqrt(0.5), 0.0])
    assert valuation.evaluations == 0


def test_cosines_do_not_depend_on_lengths_and_are_negative_for_who_opposes() -> None:
    generator = np.random.default_rng(0)
    updates = np.ones(50) + generator.standard_normal((6, 50))
    updates[5] *= -1
    values = cosine_to_aggregate(updates).values
    np.testing.assert_allclose(values, cosine_to_aggregate(updates * generator.uniform(0.1, 9, (6, 1))).values)
    assert values[5] < 0 < values[:5].min()


def test_updates_that_cancel_out_have_no_direction() -> None:
    assert not cosine_to_aggregate(np.array([[1.0, 2.0], [-1.0, -2.0]])).values.any()
