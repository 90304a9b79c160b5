"""Every Shapley implementation on games with known answers, and the axioms on random ones."""

import numpy as np
import pytest

from benchmarks.simulation.scorers import exact_shapley, gtg_shapley, shapley_of_table, tabulated, truncated_monte_carlo
from benchmarks.simulation.scorers.coalitions import ScorerError, all_masks, number_of
from tests.simulation.scorers.games import GAMES

ORDERS = 4_000


def table_solver(utility, n):
    return shapley_of_table(np.array([utility(mask) for mask in all_masks(n)]))


def exact_solver(utility, n):
    return exact_shapley(utility, n).values


def monte_carlo_solver(utility, n):
    return long_run(truncated_monte_carlo, utility, n)


def gtg_solver(utility, n):
    return long_run(gtg_shapley, utility, n)


def long_run(sampler, utility, n):
    """Average runs of few orders, without truncation: the estimate before it is cut short, to a known error."""
    runs = [
        sampler(utility, n, np.random.default_rng(seed), 0.0, most=4 * n).values for seed in range(ORDERS // (4 * n))
    ]
    return np.mean(runs, axis=0)


EXACT = [table_solver, exact_solver]
SAMPLED = [monte_carlo_solver, gtg_solver]


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
@pytest.mark.parametrize("solve", EXACT)
def test_exact_values_of_games_with_known_answers(game, solve) -> None:
    np.testing.assert_allclose(solve(game.utility, game.players), game.answer, atol=1e-12)


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
@pytest.mark.parametrize("solve", SAMPLED)
def test_sampled_values_of_games_with_known_answers(game, solve) -> None:
    # A marginal utility lies within the game's range r, so that the error's deviation is at most
    # r / (2 sqrt(orders)).
    table = np.array([game.utility(mask) for mask in all_masks(game.players)])
    bound = 5 * np.ptp(table) / (2 * np.sqrt(0.9 * ORDERS))
    np.testing.assert_allclose(solve(game.utility, game.players), game.answer, atol=bound)


@pytest.mark.parametrize("solve", EXACT + SAMPLED)
def test_values_add_up_to_the_utility_of_all(solve) -> None:
    for seed in range(3):
        table = np.random.default_rng(seed).standard_normal(32)
        table[0] = 0.0
        assert solve(tabulated(table), 5).sum() == pytest.approx(table[-1], abs=1e-9)


@pytest.mark.parametrize("solve", EXACT + SAMPLED)
def test_who_never_changes_anything_gets_nothing(solve) -> None:
    table = np.random.default_rng(0).standard_normal(32)
    table[0] = 0.0
    without = np.arange(32) & ~4
    assert solve(tabulated(table[without]), 5)[2] == 0.0


@pytest.mark.parametrize("solve", EXACT)
def test_equals_get_the_same_and_names_do_not_matter(solve) -> None:
    values = np.random.default_rng(1).standard_normal(6)
    values[4] = values[1]

    def utility(mask):
        return float(np.tanh(values[mask].sum()) * mask.sum())

    solved = solve(utility, 6)
    assert solved[1] == pytest.approx(solved[4], abs=1e-12)
    order = np.array([3, 0, 5, 1, 4, 2])

    def renamed(mask):
        original = np.zeros(6, dtype=bool)
        original[order[mask]] = True
        return utility(original)

    np.testing.assert_allclose(solve(renamed, 6), solved[order], atol=1e-12)


@pytest.mark.parametrize("solve", EXACT)
def test_values_of_a_sum_of_games_are_sums_of_values(solve) -> None:
    first, second = np.random.default_rng(2).standard_normal((2, 64))
    combined = solve(tabulated(2 * first - 3 * second), 6)
    np.testing.assert_allclose(combined, 2 * solve(tabulated(first), 6) - 3 * solve(tabulated(second), 6), atol=1e-12)


def test_coalitions_are_numbered_by_their_members_bits() -> None:
    masks = all_masks(4)
    assert [number_of(mask) for mask in masks] == list(range(16))
    assert masks[0b0101].tolist() == [True, False, True, False]


def test_each_coalition_is_evaluated_once_and_the_empty_one_is_not_counted() -> None:
    asked = []

    def utility(mask):
        asked.append(number_of(mask))
        return float(mask.sum())

    assert exact_shapley(utility, 5).evaluations == 31
    assert sorted(asked) == list(range(32))


@pytest.mark.parametrize("n", [0, 25])
def test_games_that_cannot_be_enumerated_are_refused(n) -> None:
    with pytest.raises(ScorerError, match=f"{n} trainers"):
        exact_shapley(lambda mask: 0.0, n)


def test_a_table_of_a_wrong_length_is_no_game() -> None:
    with pytest.raises(ScorerError, match="12 utilities"):
        shapley_of_table(np.zeros(12))
