"""Polynomials over the scalar field as lists of coefficients, the constant one first."""

from __future__ import annotations

from collections.abc import Sequence

from zk.readable.group import SCALAR_ORDER


def evaluate(coefficients: Sequence[int], x: int) -> int:
    """Return `f(x) mod r`, by Horner's rule."""
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * x + coefficient) % SCALAR_ORDER
    return value


def autocorrelation(coefficients: Sequence[int]) -> list[int]:
    """Return `g_l = sum_j a_j a_(j+l) mod r` for l from 0 to the degree."""
    n = len(coefficients)
    return [sum(coefficients[j] * coefficients[j + lag] for j in range(n - lag)) % SCALAR_ORDER for lag in range(n)]


def divide_by_quadratic(coefficients: Sequence[int], s: int) -> tuple[list[int], list[int]]:
    """Divide by `X^2 - s X + 1`.

    Returns
    -------
    quotient
        Two coefficients fewer.
    remainder
        Two coefficients.
    """
    rest = [coefficient % SCALAR_ORDER for coefficient in coefficients]
    quotient = [0] * max(len(rest) - 2, 0)
    for k in range(len(rest) - 1, 1, -1):
        quotient[k - 2] = rest[k]
        rest[k - 1] = (rest[k - 1] + s * rest[k]) % SCALAR_ORDER
        rest[k - 2] = (rest[k - 2] - rest[k]) % SCALAR_ORDER
    return quotient, [*rest, 0, 0][:2]
