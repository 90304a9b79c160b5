"""Short integer relations, by lattice reduction (Lenstra, Lenstra, Lovasz 1982); small dimensions only."""

from __future__ import annotations

from fractions import Fraction


def short_relation(factors: list[int], modulus: int) -> list[int]:
    """Small integers x, not all zero, with `sum x_i factors_i = 0 mod modulus`."""
    last = pow(factors[-1], -1, modulus)
    n = len(factors)
    basis = [[int(i == j) for j in range(n - 1)] + [-factors[i] * last % modulus] for i in range(n - 1)]
    basis.append([0] * (n - 1) + [modulus])
    shortest = min(reduced(basis), key=lambda row: sum(x * x for x in row))
    if sum(x * factor for x, factor in zip(shortest, factors, strict=True)) % modulus:
        raise AssertionError("not a relation")
    return shortest


def dot(x: list[int], y: list[int]) -> int:
    return sum(a * b for a, b in zip(x, y, strict=True))


def reduced(basis: list[list[int]]) -> list[list[int]]:
    """An LLL-reduced basis, in exact integers (Cohen, A Course in Computational Algebraic Number Theory, 2.6.7)."""
    b = [row[:] for row in basis]
    n = len(b)
    d = [1] + [0] * n
    lam = [[0] * n for _ in range(n)]

    def orthogonalise(k: int) -> None:
        for j in range(k + 1):
            u = dot(b[k], b[j])
            for i in range(j):
                u = (d[i + 1] * u - lam[k][i] * lam[j][i]) // d[i]
            if j < k:
                lam[k][j] = u
            else:
                d[k + 1] = u

    def shorten(k: int, j: int) -> None:
        if 2 * abs(lam[k][j]) <= d[j + 1]:
            return
        q = round(Fraction(lam[k][j], d[j + 1]))
        b[k] = [x - q * y for x, y in zip(b[k], b[j], strict=True)]
        lam[k][j] -= q * d[j + 1]
        for i in range(j):
            lam[k][i] -= q * lam[j][i]

    for k in range(n):
        orthogonalise(k)
    k = 1
    while k < n:
        shorten(k, k - 1)
        if 4 * (d[k + 1] * d[k - 1] + lam[k][k - 1] ** 2) < 3 * d[k] ** 2:
            b[k], b[k - 1] = b[k - 1], b[k]
            for row in range(k - 1, n):
                orthogonalise(row)
            k = max(1, k - 1)
        else:
            for j in range(k - 2, -1, -1):
                shorten(k, j)
            k += 1
    return b
