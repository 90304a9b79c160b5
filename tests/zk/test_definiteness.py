"""Matrices that no real vectors have are refuted, and others never."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zk.definiteness import find_refutation, refutes


def gram_of(vectors):
    return [[int(sum(a * b for a, b in zip(x, y, strict=True))) for y in vectors] for x in vectors]


coordinates = st.integers(-32768, 32767)
vectors = st.integers(1, 5).flatmap(
    lambda d: st.lists(st.lists(coordinates, min_size=d, max_size=d), min_size=1, max_size=7)
)


@given(vectors)
def test_a_gram_matrix_is_never_refuted(found):
    assert find_refutation(gram_of(found)) is None


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.lists(st.integers(-9, 9), min_size=n, max_size=n), min_size=n, max_size=n)
    )
)
def test_it_agrees_with_the_eigenvalues_of_any_symmetric_matrix(square):
    matrix = [[square[min(i, j)][max(i, j)] for j in range(len(square))] for i in range(len(square))]
    least = np.linalg.eigvalsh(np.array(matrix, dtype=float))[0]
    x = find_refutation(matrix)
    if least < -1e-6:
        assert x is not None
        assert refutes(matrix, x)
        assert max(map(abs, x)) < 2**51
    if least > -1e-12:
        assert x is None or least < 0


@pytest.mark.parametrize("matrix", [[[-1]], [[0, 1], [1, 0]], [[0, -1], [-1, 0]], [[1, 2], [2, 1]], [[0, 1], [1, 5]]])
def test_small_indefinite_matrices_are_refuted(matrix):
    assert refutes(matrix, find_refutation(matrix))


def test_the_smallest_lie_in_a_singular_matrix_of_the_largest_entries_is_refuted():
    rng = random.Random(4)
    base = [[rng.randrange(-(2**29), 2**29) for _ in range(3)] for _ in range(12)]
    matrix = gram_of(base)
    assert max(abs(entry) for row in matrix for entry in row) > 2**57
    matrix[4][4] -= 1
    x = find_refutation(matrix)
    assert x is not None
    assert refutes(matrix, x)


def test_the_largest_matrix_is_decided():
    rng = random.Random(5)
    base = [[rng.randrange(-(2**15), 2**15) for _ in range(140)] for _ in range(40)]
    matrix = gram_of(base)
    assert find_refutation(matrix) is None
    matrix[7][7] = 0
    assert refutes(matrix, find_refutation(matrix))


def next_prime(start: int, residue: int, modulus: int) -> int:
    """The next prime of a residue class, by two Fermat tests."""
    candidate = start + (residue - start) % modulus
    while pow(2, candidate - 1, candidate) != 1 or pow(3, candidate - 1, candidate) != 1:
        candidate += modulus
    return candidate


def decoy(bits: int) -> list[list[int]]:
    """Three vectors' matrix with determinant -1 and good minors: its certificate has about twice so many bits."""
    a, b = next_prime(2**bits, 3, 4), next_prime(2**bits, 5, 8)
    while pow(b, (a - 1) // 2, a) != 1:
        b = next_prime(b + 1, 5, 8)
    # Roots of 1/b modulo a = 3 (mod 4) and of 1/a modulo b = 5 (mod 8), which exists by quadratic reciprocity.
    g = pow(pow(b, -1, a), (a + 1) // 4, a)
    inverse = pow(a, -1, b)
    v = pow(2 * inverse, (b - 5) // 8, b)
    h = inverse * v * (2 * inverse * v * v - 1) % b
    c, rest = divmod(b * g * g + a * h * h - 1, a * b)
    assert rest == 0
    return [[a, 0, g], [0, b, h], [g, h, c]]


@pytest.mark.parametrize("bits", [30, 45, 50, 58])
def test_a_decoy_whose_certificate_is_long_hides_nothing(bits):
    """Beside a block that only a long certificate refutes, a plain lie is found, and the block alone is too."""
    hard = decoy(bits)
    lie = [[1000 if i == j else -900 for j in range(3)] for i in range(3)]
    matrix = [[*row, 0, 0, 0] for row in hard] + [[0, 0, 0, *row] for row in lie]
    for indefinite in (matrix, hard):
        x = find_refutation(indefinite)
        assert x is not None
        assert refutes(indefinite, x)


def test_a_vector_refutes_only_if_the_form_is_negative():
    assert not refutes([[1, 0], [0, -1]], [1, 1])
    assert refutes([[1, 0], [0, -1]], [1, 2])
    assert not refutes([[0]], [5])
