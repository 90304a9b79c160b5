"""Whether a matrix of integers can be the Gram matrix of real vectors, and a certificate where it can't.

The Gram proof holds modulo r. Colluding provers can commit to coordinates near sqrt(-Y) mod r, and lower squared
distances by multiples of Y. Such a matrix is not positive semidefinite over the integers, which an honest one always
is; integers x with `x' G x < 0` show it to anyone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

Matrix = Sequence[Sequence[int]]

# Scales at which the eigenvector of the least eigenvalue is rounded, in bits: coarse ones give small certificates.
_EIGENVECTOR_BITS: Final = (4, 8, 16, 32, 50)

# What a contract takes: integers of 64 bits with their sign. One bit is left for the rounding.
_SHORT_BITS: Final = 62
_SHORT_LIMIT: Final = 2**63
# Eigenvectors that are tried: lies that hide each other lie in different ones.
_EIGENVECTORS: Final = 16


def refutes(gram: Matrix, x: Sequence[int]) -> bool:
    """Whether `x' G x < 0`, in exact integers.

    Parameters
    ----------
    gram
        Symmetric, n x n.
    x
        n integers.
    """
    return sum(a * b * entry for a, row in zip(x, gram, strict=True) for b, entry in zip(x, row, strict=True)) < 0


def find_refutation(gram: Matrix) -> list[int] | None:
    """Return integers x with `x' G x < 0` if there are any.

    A matrix that is far from definite is refuted by its rounded eigenvector, with entries of 50 bits or fewer;
    otherwise symmetric elimination without fractions (Bareiss 1968) decides exactly, with entries of up to n times 64
    bits.

    Parameters
    ----------
    gram
        Symmetric, n x n, entries of 64 bits.

    Returns
    -------
    list of int or None
        None exactly if the matrix is positive semidefinite.
    """
    if not gram:
        return None
    rounded = np.array(gram, dtype=np.float64)
    values, vectors = np.linalg.eigh(rounded)
    if float(values[0]) > _eigenvalue_error(rounded):
        return None
    for bits in _EIGENVECTOR_BITS:
        x = [round(float(entry) * 2**bits) for entry in vectors[:, 0]]
        if refutes(gram, x):
            return x
    certificate = next(_exact_certificates(gram), None)
    if certificate is None:
        return None
    size = max(map(abs, certificate)).bit_length()
    return next(x for x in _roundings(certificate, size) if refutes(gram, x))


def find_short_refutation(gram: Matrix) -> list[int] | None:
    """Return integers of 64 bits with `x' G x < 0`, as the market takes them, or None if none were found.

    Tried are rows that contradict each other by themselves; the least eigenvectors of `D^(-1/2) G D^(-1/2)`, with D the
    diagonal of G, so that one row of huge numbers does not hide a lie about small ones; and every certificate of the
    exact elimination, rounded. Whatever is returned was checked exactly.

    There are such integers if the least eigenvalue of G is below `-n^2 M / 2^126`, M being the size of the largest
    entry; docs/gram-proof.md shows it, and why a matrix closer to a Gram matrix gains nothing.

    Parameters
    ----------
    gram
        Symmetric, n x n, entries of 64 bits.

    Returns
    -------
    list of int or None
        n integers from `-2^63` to `2^63 - 1`. None if the matrix is positive semidefinite, or too close to it.
    """
    if not gram:
        return None
    for x in _short_candidates(gram):
        if max(map(abs, x)) < _SHORT_LIMIT and refutes(gram, x):
            return x
    return None


def _short_candidates(gram: Matrix) -> Iterator[list[int]]:
    """List what may refute the matrix, the likely first; nothing if its eigenvalues show that nothing does."""
    yield from _row_candidates(gram)
    diagonal = np.array([max(int(row[i]), 1) for i, row in enumerate(gram)], dtype=np.float64)
    scale = 1 / np.sqrt(diagonal)
    scaled = np.array(gram, dtype=np.float64) * scale[:, None] * scale[None, :]
    values, vectors = np.linalg.eigh(scaled)
    doubtful = int(np.count_nonzero(values <= _eigenvalue_error(scaled)))
    if doubtful == 0:
        return
    for k in range(min(doubtful, _EIGENVECTORS)):
        direction = vectors[:, k] * scale
        direction /= np.max(np.abs(direction))
        for bits in (*_EIGENVECTOR_BITS, _SHORT_BITS):
            yield [round(float(entry) * 2**bits) for entry in direction]
    for certificate in _exact_certificates(gram):
        yield from _roundings(certificate, _SHORT_BITS)


def _row_candidates(gram: Matrix) -> Iterator[list[int]]:
    """List what refutes a negative square, and a zero square with a product that is not zero."""
    n = len(gram)
    for i, row in enumerate(gram):
        if row[i] < 0:
            yield [int(k == i) for k in range(n)]
        for j, entry in enumerate(row):
            if row[i] == 0 and entry != 0:
                # -2 a |G_ij| + G_jj < 0
                a = gram[j][j] // (2 * abs(entry)) + 1
                sign = -1 if entry > 0 else 1
                yield [a if k == i else sign * int(k == j) for k in range(n)]


def _eigenvalue_error(matrix: npt.NDArray[np.float64]) -> float:
    """Return what the computed eigenvalues of a symmetric matrix are wrong by at most."""
    return 16 * len(matrix) ** 2 * float(np.finfo(np.float64).eps) * float(np.linalg.norm(matrix))


def _exact_certificates(gram: Matrix) -> Iterator[list[int]]:
    """Eliminate row by row without fractions; each pivot that no Gram matrix has gives a certificate.

    The row of such a pivot is left out from there on, so that it does not hide what the others show.
    """
    n = len(gram)
    # Each row of the right half says which combination of the matrix's rows the left half is.
    rows = [[*map(int, row), *(int(i == j) for j in range(n))] for i, row in enumerate(gram)]
    open_rows, done = list(range(n)), list[int]()
    divisor = 1
    while open_rows:
        for i in [i for i in open_rows if rows[i][i] < 0]:
            yield rows[i][n:]
            open_rows.remove(i)
        pivot = max(open_rows, key=lambda i: rows[i][i], default=None)
        if pivot is None or rows[pivot][pivot] == 0:
            yield from _off_diagonal(rows, open_rows)
            return
        open_rows.remove(pivot)
        done.append(pivot)
        _eliminate(rows, pivot, open_rows, done, divisor)
        divisor = rows[pivot][pivot]


def _eliminate(rows: list[list[int]], pivot: int, open_rows: list[int], done: list[int], divisor: int) -> None:
    """Take the pivot's column out of every open row (Bareiss 1968)."""
    n = len(rows)
    head, scale = rows[pivot], rows[pivot][pivot]
    for i in open_rows:
        row, factor = rows[i], rows[i][pivot]
        # All other entries of the row are zero, and stay it.
        for k in (*open_rows, *(n + j for j in done), n + i):
            row[k] = (scale * row[k] - factor * head[k]) // divisor
        row[pivot] = 0


def _off_diagonal(rows: list[list[int]], open_rows: list[int]) -> Iterator[list[int]]:
    """With a diagonal of zeros, any other entry shows that the matrix is indefinite."""
    n = len(rows)
    for i in open_rows:
        for j in open_rows:
            if i < j and rows[i][j] != 0:
                sign = -1 if rows[i][j] > 0 else 1
                yield [x + sign * y for x, y in zip(rows[i][n:], rows[j][n:], strict=True)]


def _roundings(x: list[int], most: int) -> Iterator[list[int]]:
    """List a certificate rounded to 8 bits, 16, and so on up to a number of bits; then itself, if it has no more."""
    largest = max(map(abs, x))
    size = largest.bit_length()
    bits = 8
    while bits < min(size, most):
        yield [round(Fraction(entry * 2**bits, largest)) for entry in x]
        bits *= 2
    yield x if size <= most else [round(Fraction(entry * 2**most, largest)) for entry in x]
