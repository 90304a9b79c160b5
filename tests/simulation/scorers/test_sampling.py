"""Truncated Monte Carlo, GTG-Shapley and leave-one-out: what they skip, when they stop, what they cost."""

import numpy as np
import pytest

from benchmarks.simulation.scorers import exact_shapley, gtg_shapley, leave_one_out, truncated_monte_carlo
from benchmarks.simulation.scorers.coalitions import number_of
from benchmarks.simulation.scorers.sampling import _guided_orders
from tests.simulation.scorers.games import additive, airport, unanimity

SAMPLERS = [truncated_monte_carlo, gtg_shapley]


def saturating(least: float = 1.0, most: float = 3.0):
    """Return a game of ten in which the first few who come bring nearly everything."""
    worth = np.linspace(least, most, 10)
    return lambda mask: float(1 - np.exp(-worth[mask].sum()))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_orders_are_cut_short_when_the_whole_is_nearly_reached(sampler) -> None:
    cut = sampler(saturating(), 10, np.random.default_rng(0), 0.01, most=50)
    full = sampler(saturating(), 10, np.random.default_rng(0), 0.0, most=50)
    assert cut.evaluations < full.evaluations / 2
    np.testing.assert_allclose(cut.values, full.values, atol=0.01)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_they_stop_early_where_every_order_says_the_same(sampler) -> None:
    walked = []

    def utility(mask):
        walked.append(number_of(mask))
        return additive([1.0, 2.0, 3.0, 4.0])(mask)

    valuation = sampler(utility, 4, np.random.default_rng(0))
    np.testing.assert_allclose(valuation.values, [1, 2, 3, 4])
    assert valuation.evaluations == len(set(walked) - {0}) <= 15


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_they_end_where_averages_never_settle(sampler) -> None:
    noise = np.random.default_rng(3)
    valuation = sampler(lambda mask: float(noise.standard_normal()), 3, np.random.default_rng(0), 0.0, most=40)
    assert valuation.evaluations == 7


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_generator_gives_the_same_values(sampler) -> None:
    game = airport([3, 1, 7, 4, 9, 2])
    first = sampler(game, 6, np.random.default_rng(4), 0.0, most=20)
    second = sampler(game, 6, np.random.default_rng(4), 0.0, most=20)
    assert np.array_equal(first.values, second.values)
    assert first.evaluations == second.evaluations


def test_guided_orders_let_everybody_lead_in_turn() -> None:
    orders = _guided_orders(4, np.random.default_rng(0))
    for leader in [0, 1, 2, 3, 0, 1]:
        order = next(orders)
        assert order[0] == leader
        assert sorted(order) == [0, 1, 2, 3]


def test_a_round_that_changes_nothing_is_worth_nothing_and_costs_one_evaluation() -> None:
    game = saturating()
    valuation = gtg_shapley(lambda mask: 1e-5 * game(mask), 10, np.random.default_rng(0))
    assert not valuation.values.any()
    assert valuation.evaluations == 1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_they_cost_less_than_the_exact_value_and_rank_alike(sampler) -> None:
    game = saturating(0.02, 0.8)
    exact = exact_shapley(game, 10)
    sampled = sampler(game, 10, np.random.default_rng(1))
    assert exact.evaluations == 1023
    assert sampled.evaluations < 1023
    assert np.corrcoef(exact.values, sampled.values)[0, 1] > 0.9


def test_leave_one_out_is_the_last_marginal_utility_and_costs_one_evaluation_more_than_trainers() -> None:
    valuation = leave_one_out(airport([3, 1, 7, 4, 9]), 5)
    assert valuation.values.tolist() == [0, 0, 0, 0, 2]
    assert valuation.evaluations == 6
    assert leave_one_out(unanimity([0, 2]), 4).values.tolist() == [1, 0, 1, 0]
    # Only where marginal utilities depend on nobody is it the Shapley value.
    assert leave_one_out(additive([3.0, -1.0]), 2).values.tolist() == [3.0, -1.0]
