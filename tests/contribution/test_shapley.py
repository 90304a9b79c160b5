"""The closed form of the Shapley value: against enumeration, axioms, games with known answers, and in fixed point."""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from math import factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contribution.errors import RuleInputError
from contribution.shapley import (
    CONTRIBUTION_BITS,
    PublicSums,
    exact_coefficients,
    exact_shapley,
    fixed_coefficients,
    fixed_point_error,
    fixed_shapley,
)

Utility = Callable[[tuple[int, ...]], Fraction]


def enumerate_shapley(n: int, utility: Utility) -> list[Fraction]:
    """Return the Shapley values of any game, by its definition over all 2^n coalitions."""
    values = []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        value = Fraction(0)
        for size in range(n):
            weight = Fraction(factorial(size) * factorial(n - size - 1), factorial(n))
            for coalition in combinations(others, size):
                value += weight * (utility((*coalition, i)) - utility(coalition))
        values.append(value)
    return values


def utility_of(gains, curvature) -> Utility:
    """Return `U(T) = 2 b(T) / |T| - K(T, T) / |T|^2`."""

    def utility(coalition: tuple[int, ...]) -> Fraction:
        size = len(coalition)
        if size == 0:
            return Fraction(0)
        pairs = sum(curvature[i][j] for i in coalition for j in coalition)
        return Fraction(2 * sum(gains[i] for i in coalition), size) - Fraction(pairs, size**2)

    return utility


@st.composite
def games(draw, largest: int = 7, size: int = 10**6):
    n = draw(st.integers(1, largest))
    entry = st.integers(-size, size)
    gains = draw(st.lists(entry, min_size=n, max_size=n))
    curvature = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            curvature[i][j] = curvature[j][i] = draw(entry)
    return gains, curvature


def fixed(gains, curvature) -> list[int]:
    return fixed_shapley(gains, [curvature[i][i] for i in range(len(gains))], [sum(row) for row in curvature])


@settings(deadline=None, max_examples=60)
@given(games())
def test_it_equals_the_enumeration_of_all_coalitions(game) -> None:
    gains, curvature = game
    assert exact_shapley(gains, curvature) == enumerate_shapley(len(gains), utility_of(gains, curvature))


def test_the_enumeration_itself_knows_games_with_known_answers() -> None:
    airport = [1, 2, 4]  # each plane pays for the strip up to its own length, shared with those that need it too
    costs = enumerate_shapley(3, lambda t: Fraction(max((airport[i] for i in t), default=0)))
    assert costs == [Fraction(1, 3), Fraction(5, 6), Fraction(17, 6)]
    shoes = enumerate_shapley(3, lambda t: Fraction(min(1, sum(i == 0 for i in t), sum(i > 0 for i in t))))
    assert shoes == [Fraction(2, 3), Fraction(1, 6), Fraction(1, 6)]
    votes = [4, 3, 2, 1]  # majority is 6 of 10
    power = enumerate_shapley(4, lambda t: Fraction(sum(votes[i] for i in t) >= 6))
    assert power == [Fraction(5, 12), Fraction(1, 4), Fraction(1, 4), Fraction(1, 12)]


def test_games_with_answers_by_hand() -> None:
    assert exact_shapley([7], [[3]]) == [11]
    # Gains alone, two players: v({i}) = 2 b_i, v(both) = b_1 + b_2.
    assert exact_shapley([5, 1], [[0, 0], [0, 0]]) == [7, -1]
    # One helps, the others neither help nor harm but dilute: 2 b H1 / n, and the rest is lost to them alike.
    zero = [[0] * 3 for _ in range(3)]
    assert exact_shapley([9, 0, 0], zero) == [11, Fraction(-5, 2), Fraction(-5, 2)]


@given(games(12))
def test_efficiency_the_values_add_up_to_the_utility_of_all(game) -> None:
    gains, curvature = game
    everyone = tuple(range(len(gains)))
    assert sum(exact_shapley(gains, curvature)) == utility_of(gains, curvature)(everyone)


@given(games(9), st.randoms())
def test_symmetry_equals_are_valued_equally_and_order_does_not_matter(game, random) -> None:
    gains, curvature = game
    gains = [*gains, gains[0]]
    curvature = [[*row, row[0]] for row in curvature]
    curvature.append([*curvature[0]])
    values = exact_shapley(gains, curvature)
    assert values[0] == values[-1]
    order = list(range(len(gains)))
    random.shuffle(order)
    permuted = exact_shapley([gains[i] for i in order], [[curvature[i][j] for j in order] for i in order])
    assert permuted == [values[i] for i in order]


@given(games(8), st.integers(-5, 5), st.integers(-5, 5), st.randoms())
def test_additivity_values_are_linear_in_the_game(game, factor, other_factor, random) -> None:
    gains, curvature = game
    n = len(gains)
    other = [random.randint(-99, 99) for _ in range(n)]
    combined = [factor * b + other_factor * o for b, o in zip(gains, other, strict=True)]
    zero = [[0] * n for _ in range(n)]
    scaled = [[factor * entry for entry in row] for row in curvature]
    expected = [
        factor * first + other_factor * second
        for first, second in zip(exact_shapley(gains, curvature), exact_shapley(other, zero), strict=True)
    ]
    assert exact_shapley(combined, scaled) == expected


def test_a_null_player_in_a_mean_is_one_whom_nobody_notices() -> None:
    # A mean notices everyone who joins, so that a player is null only where all marginals vanish: in the empty game.
    assert exact_shapley([0, 0, 0, 0], [[0] * 4 for _ in range(4)]) == [0, 0, 0, 0]
    # Somebody with the mean's own gain adds it once, alone, and nothing later: 2 b / n.
    assert exact_shapley([6, 6, 6], [[0] * 3 for _ in range(3)]) == [4, 4, 4]


@given(games(12, 2**63 - 1))
def test_fixed_point_stays_within_its_bound(game) -> None:
    gains, curvature = game
    n = len(gains)
    sums = PublicSums(
        gain=sum(gains), trace=sum(curvature[i][i] for i in range(n)), total=sum(sum(row) for row in curvature)
    )
    for i, (exact, rounded) in enumerate(zip(exact_shapley(gains, curvature), fixed(gains, curvature), strict=True)):
        bound = fixed_point_error(gains[i], curvature[i][i], sum(curvature[i]) - curvature[i][i], sums)
        assert abs(Fraction(rounded, 2**CONTRIBUTION_BITS) - exact) <= bound


@pytest.mark.parametrize("n", [3, 10, 64, 255])
def test_the_bound_is_below_a_millionth_of_the_unit_for_entries_of_sixty_bits(n) -> None:
    entry = 2**60
    sums = PublicSums(gain=n * entry, trace=n * entry, total=n * n * entry)
    assert fixed_point_error(entry, entry, (n - 1) * entry, sums) < Fraction(1, 10**6)


@pytest.mark.parametrize("n", [1, 2, 3, 17, 255])
def test_fixed_coefficients_are_the_rational_ones_rounded_down(n) -> None:
    exact, rounded = exact_coefficients(n), fixed_coefficients(n)
    for name in vars(exact):
        rational, integer = getattr(exact, name), getattr(rounded, name)
        assert integer <= rational * 2**96 < integer + 1
        assert integer >= 0


def test_a_game_without_trainers_is_refused() -> None:
    with pytest.raises(RuleInputError, match="at least 1 trainer, not 0"):
        exact_coefficients(0)
