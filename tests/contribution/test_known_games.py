"""The closed form on games with known answers, as far as such games are of its form.

With `b = 0` the game is `U(T) = -K(T, T) / t^2`. Its values of coalitions of one and two players are free:
`K_ii = -v_i` and `K_ij = (v_i + v_j)/2 - 2 v_ij`. So every game of two is of its form, and of three those with
`9 v_123 = 4 (v_12 + v_13 + v_23) - (v_1 + v_2 + v_3)`.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations

import pytest

from contribution.shapley import CONTRIBUTION_BITS, exact_shapley, fixed_shapley

Game = Callable[[tuple[int, ...]], int]


def airport(*lengths: int) -> Game:
    return lambda coalition: max((lengths[i] for i in coalition), default=0)


def votes(weights: tuple[int, ...], quota: int) -> Game:
    return lambda coalition: int(sum(weights[i] for i in coalition) >= quota)


def gloves(left: int) -> Game:
    return lambda coalition: min(sum(i < left for i in coalition), sum(i >= left for i in coalition))


def additive(*worth: int) -> Game:
    return lambda coalition: sum(worth[i] for i in coalition)


def with_a_null_player(coalition: tuple[int, ...]) -> int:
    """Return 2, 3 and 3 for the first, the second and both; the third never matters."""
    return {(): 0, (0,): 2, (1,): 3, (0, 1): 3}[tuple(i for i in coalition if i < 2)]


def curvature_of(game: Game, n: int) -> list[list[int]]:
    """Return 2 K for the game, in integers."""
    single = [game((i,)) for i in range(n)]
    matrix = [[-2 * single[i] if i == j else 0 for j in range(n)] for i in range(n)]
    for i, j in combinations(range(n), 2):
        matrix[i][j] = matrix[j][i] = single[i] + single[j] - 4 * game((i, j))
    return matrix


GAMES = {
    "one left and one right glove": (gloves(1), [Fraction(1, 2), Fraction(1, 2)]),
    "unanimity of two": (votes((1, 1), 2), [Fraction(1, 2), Fraction(1, 2)]),
    "dictator": (votes((3, 1), 3), [Fraction(1), Fraction(0)]),
    "airport of two": (airport(1, 3), [Fraction(1, 2), Fraction(5, 2)]),
    "additive of two": (additive(5, -2), [Fraction(5), Fraction(-2)]),
    "airport of three": (airport(1, 3, 4), [Fraction(1, 3), Fraction(4, 3), Fraction(7, 3)]),
    "additive of three": (additive(3, -1, -2), [Fraction(3), Fraction(-1), Fraction(-2)]),
    "null player": (with_a_null_player, [Fraction(1), Fraction(2), Fraction(0)]),
}


@pytest.mark.parametrize(("game", "answer"), GAMES.values(), ids=GAMES)
def test_the_matrix_stands_for_the_game(game, answer) -> None:
    n = len(answer)
    matrix = curvature_of(game, n)
    for size in range(1, n + 1):
        for coalition in combinations(range(n), size):
            total = sum(matrix[i][j] for i in coalition for j in coalition)
            assert Fraction(-total, 2 * size**2) == game(coalition), coalition


@pytest.mark.parametrize(("game", "answer"), GAMES.values(), ids=GAMES)
def test_values_are_the_known_ones_exactly_and_in_the_contracts_integers(game, answer) -> None:
    n = len(answer)
    matrix = curvature_of(game, n)
    assert exact_shapley([0] * n, matrix) == [2 * value for value in answer]
    rounded = fixed_shapley([0] * n, [matrix[i][i] for i in range(n)], [sum(row) for row in matrix])
    for value, known in zip(rounded, answer, strict=True):
        assert abs(Fraction(value, 2**CONTRIBUTION_BITS) - 2 * known) <= Fraction(2, 2**CONTRIBUTION_BITS)
