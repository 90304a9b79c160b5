"""Whether a matrix of integers can be the Gram matrix of real vectors, and a certificate where it can't.

The Gram proof holds modulo r. Colluding provers can commit to coordinates near sqrt(-Y) mod r, and lower squared
distances by multiples of Y. Such a matrix is not positive semidefinite over the integers, which an honest one always
is; integers x with `x' G x < 0` show it to anyone.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np

Matrix = Sequence[Sequence[int]]

# Scales at which the eigenvector of the least eigenvalue is rounded, in bits: coarse ones give small certificates.
_EIGENVECTOR_BITS: Final = (4, 8, 16, 32, 50)


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
    n = len(gram)
    if n == 0:
        return None
    rounded = np.array(gram, dtype=np.float64)
    values, vectors = np.linalg.eigh(rounded)
    # The computed eigenvalues are wrong by less than this.
    error = 16 * n * n * float(np.finfo(np.float64).eps) * float(np.linalg.norm(rounded))
    if float(values[0]) > error:
        return None
    for bits in _EIGENVECTOR_BITS:
        x = [round(float(entry) * 2**bits) for entry in vectors[:, 0]]
        if refutes(gram, x):
            return x
    return _exact_refutation(gram)


def _exact_refutation(gram: Matrix) -> list[int] | None:
    """Eliminate row by row; the first pivot that no Gram matrix has gives the certificate."""
    n = len(gram)
    # Each row of the right half says which combination of the matrix's rows the left half is.
    rows = [[*map(int, row), *(int(i == j) for j in range(n))] for i, row in enumerate(gram)]
    open_rows, done = list(range(n)), list[int]()
    divisor = 1
    while open_rows:
        negative = next((i for i in open_rows if rows[i][i] < 0), None)
        if negative is not None:
            return _shortened(gram, rows[negative][n:])
        pivot = max(open_rows, key=lambda i: rows[i][i])
        if rows[pivot][pivot] == 0:
            found = _off_diagonal(rows, open_rows)
            return None if found is None else _shortened(gram, found)
        open_rows.remove(pivot)
        done.append(pivot)
        head, scale = rows[pivot], rows[pivot][pivot]
        for i in open_rows:
            row, factor = rows[i], rows[i][pivot]
            # All other entries of the row are zero, and stay it.
            for k in (*open_rows, *(n + j for j in done), n + i):
                row[k] = (scale * row[k] - factor * head[k]) // divisor
            row[pivot] = 0
        divisor = scale
    return None


def _off_diagonal(rows: list[list[int]], open_rows: list[int]) -> list[int] | None:
    """With a diagonal of zeros, any other entry shows that the matrix is indefinite."""
    n = len(rows)
    for i in open_rows:
        for j in open_rows:
            if i < j and rows[i][j] != 0:
                sign = -1 if rows[i][j] > 0 else 1
                return [x + sign * y for x, y in zip(rows[i][n:], rows[j][n:], strict=True)]
    return None


def _shortened(gram: Matrix, x: list[int]) -> list[int]:
    """Round a certificate to the fewest bits that still refute, doubling them until they do."""
    largest = max(map(abs, x))
    bits = 8
    while bits < largest.bit_length():
        shorter = [round(Fraction(entry * 2**bits, largest)) for entry in x]
        if refutes(gram, shorter):
            return shorter
        bits *= 2
    return x
