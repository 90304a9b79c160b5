"""Whether a matrix of integers can be the Gram matrix of real vectors, and a short certificate where it can't.

The Gram proof holds modulo r. Colluding provers can commit to coordinates near sqrt(-Y) mod r, and lower squared
distances by multiples of Y. Such a matrix is not positive semidefinite over the integers, which an honest one always
is; an integer vector x with `x' G x < 0` shows it to anyone, a contract included.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np

Matrix = Sequence[Sequence[int]]

# What a contract takes: an entry of x is a signed 64-bit integer.
ENTRY_LIMIT: Final = 2**63 - 1


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
    """Look for integers x below 2^63 in size with `x' G x < 0`.

    Symmetric elimination without fractions (Bareiss 1968), the largest diagonal entry first, ends at the first pivot
    that no Gram matrix has. The combination of rows that led to it is scaled and rounded; as `G x` vanishes where
    rounding happens, that costs at most `n^2 max |G_ij| / 4`, little beside the pivot times the square of the scale.

    Parameters
    ----------
    gram
        Symmetric, n x n, entries of 64 bits.

    Returns
    -------
    list of int or None
        None if the matrix is positive semidefinite, or so close to it that no such x is found.
    """
    if _clearly_definite(gram):
        return None
    certificate = _negative_direction(gram)
    if certificate is None:
        return None
    x = _rounded(*certificate)
    return x if refutes(gram, x) else None


def _clearly_definite(gram: Matrix) -> bool:
    """Whether the least eigenvalue is positive by far more than its computation can be wrong."""
    matrix = np.array(gram, dtype=np.float64)
    n = len(matrix)
    error = 16 * n * n * float(np.finfo(np.float64).eps) * float(np.linalg.norm(matrix))
    return n > 0 and float(np.linalg.eigvalsh(matrix)[0]) > error


def _negative_direction(gram: Matrix) -> tuple[list[int], int] | None:
    """Return x with `x' G x < 0` and the index that must stay exact when x is rounded; None if there is no such x."""
    n = len(gram)
    # Each row of the right half says which combination of the matrix's rows the left half is.
    rows = [[*map(int, row), *(int(i == j) for j in range(n))] for i, row in enumerate(gram)]
    open_rows = list(range(n))
    divisor = 1
    while open_rows:
        negative = next((i for i in open_rows if rows[i][i] < 0), None)
        if negative is not None:
            return rows[negative][n:], negative
        pivot = max(open_rows, key=lambda i: rows[i][i])
        if rows[pivot][pivot] == 0:
            return _off_diagonal(rows, open_rows)
        open_rows.remove(pivot)
        head = rows[pivot]
        for i in open_rows:
            factor = rows[i][pivot]
            rows[i] = [(head[pivot] * x - factor * y) // divisor for x, y in zip(rows[i], head, strict=True)]
        divisor = head[pivot]
    return None


def _off_diagonal(rows: list[list[int]], open_rows: list[int]) -> tuple[list[int], int] | None:
    """With a diagonal of zeros, any other entry shows that the matrix is indefinite."""
    n = len(rows)
    for i in open_rows:
        for j in open_rows:
            if i < j and rows[i][j] != 0:
                sign = -1 if rows[i][j] > 0 else 1
                return [x + sign * y for x, y in zip(rows[i][n:], rows[j][n:], strict=True)], i
    return None


def _rounded(certificate: list[int], exact: int) -> list[int]:
    """Scale to entries of 64 bits, the one at `exact` to an integer without rounding."""
    largest = max(map(abs, certificate))
    if largest <= ENTRY_LIMIT:
        return certificate
    scale = ENTRY_LIMIT * abs(certificate[exact]) // largest
    ratio = Fraction(scale, abs(certificate[exact])) if scale else Fraction(ENTRY_LIMIT, largest)
    return [round(entry * ratio) for entry in certificate]
