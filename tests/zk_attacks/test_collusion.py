"""Two colluding trainers can lower their distances modulo r; the matrix betrays them."""

from __future__ import annotations

import random

from tests.zk.conftest import CONTEXT
from zk.definiteness import find_refutation, refutes
from zk.readable.group import SCALAR_ORDER, bytes_to_point, commit, point_to_bytes
from zk.readable.prover import Opening, prove
from zk.readable.verifier import bytes_to_matrix, verify

DIMENSION = 6
# The position that no honest update uses.
SPARE = 5


def square_root(value: int) -> int:
    """The root of a residue modulo r, by Cipolla's algorithm."""
    r = SCALAR_ORDER
    a = next(a for a in range(1, 1000) if pow(a * a - value, (r - 1) // 2, r) == r - 1)
    square = (a * a - value) % r
    result, base, exponent = (1, 0), (a, 1), (r + 1) // 2
    while exponent:
        if exponent & 1:
            result = (
                (result[0] * base[0] + result[1] * base[1] * square) % r,
                (result[0] * base[1] + result[1] * base[0]) % r,
            )
        base = ((base[0] ** 2 + base[1] ** 2 * square) % r, 2 * base[0] * base[1] % r)
        exponent >>= 1
    assert result[1] == 0
    assert result[0] ** 2 % r == value
    return result[0]


def collusion() -> tuple[list[list[int]], int]:
    """Three honest vectors, and two whose difference is one of them; returns them with the largest lie that hides."""
    rng = random.Random(11)
    honest = [[rng.randrange(-200, 200) for _ in range(SPARE)] + [0] for _ in range(3)]
    first = [3000, 0, 0, 0, 0, 0]
    second = [x - y for x, y in zip(first, honest[0], strict=True)]
    lie = next(y for y in range(100, 10**6) if pow(-y, (SCALAR_ORDER - 1) // 2, SCALAR_ORDER) == 1)
    root = square_root(-lie % SCALAR_ORDER)
    first[SPARE], second[SPARE] = root, SCALAR_ORDER - root
    return [*honest, first, second], lie


def centered(value: int) -> int:
    value %= SCALAR_ORDER
    return value - SCALAR_ORDER if value > SCALAR_ORDER // 2 else value


def test_the_lie_passes_the_equations_and_the_minors_and_is_refuted(setup):
    vectors, lie = collusion()
    matrix = [[centered(sum(x * y for x, y in zip(a, b, strict=True))) for b in vectors] for a in vectors]
    proven = prove_modulo(setup, vectors)
    verify(setup.key, CONTEXT, *proven)
    assert bytes_to_matrix(proven[1], len(vectors)) == matrix

    true = [[sum(x * y for x, y in zip(a[:SPARE], b[:SPARE], strict=True)) for b in vectors] for a in vectors]
    assert matrix[3][3] == true[3][3] - lie
    assert matrix[3][4] == true[3][4] + lie
    assert distance(matrix, 3, 0) == distance(true, 3, 0) - lie

    size = range(len(vectors))
    assert all(matrix[i][i] >= 0 for i in size)
    assert all(matrix[i][j] ** 2 <= matrix[i][i] * matrix[j][j] for i in size for j in size)
    assert all(abs(centered(x + y)) < 2**15 for x, y in zip(vectors[3], vectors[4], strict=True))

    x = find_refutation(matrix)
    assert x is not None
    assert refutes(matrix, x)
    assert find_refutation(true) is None


def distance(matrix: list[list[int]], i: int, j: int) -> int:
    return matrix[i][i] + matrix[j][j] - 2 * matrix[i][j]


def prove_modulo(setup, vectors):
    """The honest algorithm on vectors modulo r, with the entries of the matrix brought between -r/2 and r/2."""

    class Reduced(int):
        """An integer whose products and sums are encoded by the remainder of least size."""

        def __mul__(self, other):
            return Reduced(centered(int(self) * int(other)))

        def __add__(self, other):
            return Reduced(centered(int(self) + int(other)))

        __radd__ = __add__

    openings = [Opening([Reduced(x) for x in vector], 5 + i) for i, vector in enumerate(vectors)]
    proven = prove(setup.key, setup.powers, CONTEXT, openings)
    beta = bytes_to_point(setup.key.beta, "")
    points = [commit(vector, 5 + i, setup.powers, beta) for i, vector in enumerate(vectors)]
    assert proven[0] == b"".join(map(point_to_bytes, points))
    return proven
