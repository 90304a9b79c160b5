"""Matrices that no real vectors have are refuted, and others never."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zk.definiteness import find_refutation, find_short_refutation, refutes


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


def refuted_shortly(matrix) -> bool:
    x = find_short_refutation(matrix)
    if x is None:
        return False
    assert refutes(matrix, x)
    assert all(-(2**63) <= entry < 2**63 for entry in x)
    return True


def blocks(*parts):
    size = sum(map(len, parts))
    matrix, at = [[0] * size for _ in range(size)], 0
    for part in parts:
        for i, row in enumerate(part):
            matrix[at + i][at : at + len(part)] = row
        at += len(part)
    return matrix


@given(vectors)
def test_a_gram_matrix_is_never_refuted_shortly(found):
    assert find_short_refutation(gram_of(found)) is None


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.lists(st.integers(-(2**62), 2**62), min_size=n, max_size=n), min_size=n, max_size=n)
    )
)
def test_whatever_the_eigenvalues_show_has_a_short_refutation(square):
    matrix = [[square[min(i, j)][max(i, j)] for j in range(len(square))] for i in range(len(square))]
    least = np.linalg.eigvalsh(np.array(matrix, dtype=float))[0]
    if least < -1e-12 * 2**62:
        assert refuted_shortly(matrix)
    if find_refutation(matrix) is None:
        assert find_short_refutation(matrix) is None


@pytest.mark.parametrize(
    "matrix", [[[-1]], [[0, 1], [1, 2**62]], [[2**62, -1], [-1, 0]], [[0, 2**62], [2**62, 0]], [[1, 2], [2, 1]]]
)
def test_rows_that_contradict_each_other_are_refuted_shortly(matrix):
    assert refuted_shortly(matrix)


def test_nothing_refutes_nothing():
    assert find_short_refutation([]) is None
    assert find_short_refutation([[0, 0], [0, 0]]) is None


def lie_about(size: int):
    """Three vectors of a squared length, each nearly the opposite of both others."""
    return [[size if i == j else -(9 * size) // 10 for j in range(3)] for i in range(3)]


@pytest.mark.parametrize("bits", [30, 45, 50, 58])
@pytest.mark.parametrize("size", [10, 2**20, 2**55])
def test_a_lie_beside_a_decoy_is_refuted_shortly(bits, size):
    hard = decoy(bits)
    assert refuted_shortly(blocks(hard, lie_about(size)))
    assert refuted_shortly(blocks(lie_about(size), hard, hard))


def test_a_lie_beside_many_decoys_is_refuted_shortly():
    hard = [decoy(bits) for bits in range(40, 60)]
    assert refuted_shortly(blocks(*hard[:10], lie_about(10), *hard[10:]))


def test_a_lie_that_shares_its_rows_with_a_decoy_is_refuted_shortly():
    """The same unimodular change of the basis mixes both, so that no row belongs to one of them alone."""
    matrix = blocks(decoy(40), lie_about(2**30))
    size = len(matrix)
    rng = random.Random(6)
    for _ in range(12):
        i, j = rng.sample(range(size), 2)
        for k in range(size):
            matrix[i][k] += matrix[j][k]
        for k in range(size):
            matrix[k][i] += matrix[k][j]
    assert max(abs(entry) for row in matrix for entry in row) < 2**63
    assert refuted_shortly(matrix)


def test_a_row_of_huge_numbers_does_not_hide_a_small_lie():
    huge = [[2**62, 2**31, 0], [2**31, 3, -2], [0, -2, 3]]
    assert find_refutation(huge) is None
    lie = blocks([[2**62]], lie_about(10))
    for i in range(1, 4):
        lie[0][i] = lie[i][0] = 2**31
    assert refuted_shortly(lie)


def test_the_smallest_lie_beside_the_largest_entries_is_refuted_shortly():
    """One unit off a singular matrix with entries above 2^57, whose eigenvalues doubles can't tell from zero."""
    rng = random.Random(4)
    base = [[rng.randrange(-(2**29), 2**29) for _ in range(3)] for _ in range(12)]
    matrix = gram_of(base)
    for row in range(12):
        lied = [list(entries) for entries in matrix]
        lied[row][row] -= 1
        assert refuted_shortly(lied)


@pytest.mark.parametrize("bits", range(10, 41, 3))
def test_an_eigenvalue_below_the_bound_is_refuted_shortly(bits):
    """A determinant of -1 makes the least eigenvalue one over the sum of the 2 x 2 minors, less than doubles tell."""
    matrix = decoy(bits)
    (a, _, g), (_, b, h), (_, _, c) = matrix
    minors = a * b + a * c - g * g + b * c - h * h
    assert 3**2 * max(a, b, c) * minors < 2**126, "the bound of docs/gram-proof.md"
    assert refuted_shortly(matrix)


@pytest.mark.parametrize("bits", [50, 58])
def test_what_is_closer_than_the_bound_has_only_long_refutations(bits):
    assert find_short_refutation(decoy(bits)) is None
    assert find_refutation(decoy(bits)) is not None


def test_the_largest_matrix_is_decided_shortly():
    rng = random.Random(5)
    base = [[rng.randrange(-(2**15), 2**15) for _ in range(140)] for _ in range(132)]
    matrix = gram_of(base)
    assert find_short_refutation(matrix) is None
    matrix[7][7] //= 1000
    assert refuted_shortly(matrix)
