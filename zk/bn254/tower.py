"""The extension of degree 12: polynomials of degree below 6 in w over the extended field, w^6 = xi = 9 + i.

An element is an array of uint64 of shape (6, 2, 4), the coefficient of w^k at k. One step of degree 6 instead of the
usual tower of degrees 2 and 3 costs more products, but a pairing has few enough of them.
"""

from typing import Final

import numpy as np

from zk.bn254 import extended_field as fp2
from zk.bn254.extended_field import Pair, load_pair, store_pair
from zk.bn254.jit import compiled
from zk.bn254.limbs import UInt64Array, to_limbs
from zk.bn254.parameters import BASE_MODULUS, TWIST, Extended, multiply_extended

DEGREE: Final = 6


def _power(base: Extended, exponent: int) -> Extended:
    result: Extended = (1, 0)
    for bit in bin(exponent)[2:]:
        result = multiply_extended(result, result)
        if bit == "1":
            result = multiply_extended(result, base)
    return result


def _frobenius_coefficients() -> UInt64Array:
    """Return `xi^(k (p^e - 1) / 6)` at [e, k] for e = 0 to 3, shape (4, 6, 2, 4)."""
    first = _power(TWIST, (BASE_MODULUS - 1) // DEGREE)
    rows: list[Extended] = [(1, 0)]
    for _ in range(3):
        # xi^((p^(e+1) - 1) / 6) = (xi^((p^e - 1) / 6))^p xi^((p - 1) / 6)
        conjugate = rows[-1][0], -rows[-1][1]
        rows.append(multiply_extended(conjugate, first))
    montgomery = 2**256
    return np.array(
        [
            [[to_limbs(part * montgomery % BASE_MODULUS) for part in _power(row, k)] for k in range(DEGREE)]
            for row in rows
        ],
        np.uint64,
    )


FROBENIUS: Final = _frobenius_coefficients()


@compiled
def one() -> UInt64Array:
    """Return 1."""
    result = np.zeros((DEGREE, 2, 4), np.uint64)
    store_pair(result[0], fp2.ONE)
    return result


@compiled
def is_one(a: UInt64Array) -> bool:
    """Whether an element is 1."""
    for k in range(1, DEGREE):
        if not fp2.is_nought(load_pair(a[k])):
            return False
    return fp2.are_same(load_pair(a[0]), fp2.ONE)


@compiled
def _fold(product: UInt64Array) -> UInt64Array:
    """Reduce a product of degree up to 10 by w^6 = xi."""
    result = np.empty((DEGREE, 2, 4), np.uint64)
    for k in range(DEGREE):
        coefficient = load_pair(product[k])
        if k + DEGREE < len(product):
            coefficient = fp2.add(coefficient, fp2.multiply_by_xi(load_pair(product[k + DEGREE])))
        store_pair(result[k], coefficient)
    return result


@compiled
def _add_product(target: UInt64Array, a: Pair, b: Pair) -> None:
    store_pair(target, fp2.add(load_pair(target), fp2.multiply(a, b)))


@compiled
def multiply(a: UInt64Array, b: UInt64Array) -> UInt64Array:
    """Return `a b`."""
    product = np.zeros((2 * DEGREE - 1, 2, 4), np.uint64)
    for k in range(DEGREE):
        for m in range(DEGREE):
            _add_product(product[k + m], load_pair(a[k]), load_pair(b[m]))
    return _fold(product)


@compiled
def square(a: UInt64Array) -> UInt64Array:
    """Return `a^2`."""
    product = np.zeros((2 * DEGREE - 1, 2, 4), np.uint64)
    for k in range(DEGREE):
        coefficient = load_pair(a[k])
        _add_product(product[2 * k], coefficient, coefficient)
        for m in range(k + 1, DEGREE):
            _add_product(product[k + m], fp2.double(coefficient), load_pair(a[m]))
    return _fold(product)


@compiled
def multiply_by_line(a: UInt64Array, c0: Pair, c1: Pair, c3: Pair) -> UInt64Array:
    """Return `a (c0 + c1 w + c3 w^3)`."""
    product = np.zeros((DEGREE + 3, 2, 4), np.uint64)
    for k in range(DEGREE):
        coefficient = load_pair(a[k])
        _add_product(product[k], coefficient, c0)
        _add_product(product[k + 1], coefficient, c1)
        _add_product(product[k + 3], coefficient, c3)
    return _fold(product)


@compiled
def frobenius(a: UInt64Array, exponent: int) -> UInt64Array:
    """Return `a^(p^exponent)` for exponents 0 to 3: `w^(k p^e) = xi^(k (p^e - 1) / 6) w^k`."""
    result = np.empty((DEGREE, 2, 4), np.uint64)
    for k in range(DEGREE):
        coefficient = load_pair(a[k])
        if exponent % 2 == 1:
            coefficient = fp2.conjugate(coefficient)
        store_pair(result[k], fp2.multiply(coefficient, load_pair(FROBENIUS[exponent, k])))
    return result


@compiled
def conjugate(a: UInt64Array) -> UInt64Array:
    """Return `a^(p^6)`, which changes the sign of w; the inverse of a where `a^(p^6 + 1) = 1`."""
    result = a.copy()
    for k in range(1, DEGREE, 2):
        store_pair(result[k], fp2.negate(load_pair(a[k])))
    return result


@compiled
def invert(a: UInt64Array) -> UInt64Array:
    """Return `1 / a`, or 0 for 0.

    The product of all six conjugates `a^(p^(2 m))` over the extended field lies in that field: it is the norm.
    """
    others, turned = one(), a
    for _ in range(DEGREE - 1):
        turned = frobenius(turned, 2)
        others = multiply(others, turned)
    inverse = fp2.invert(load_pair(multiply(a, others)[0]))
    for k in range(DEGREE):
        store_pair(others[k], fp2.multiply(load_pair(others[k]), inverse))
    return others


@compiled
def power(a: UInt64Array, exponent: np.uint64) -> UInt64Array:
    """Return `a^exponent` for an exponent below 2^64."""
    result = one()
    for bit in range(63, -1, -1):
        result = square(result)
        if (exponent >> np.uint64(bit)) & np.uint64(1) != np.uint64(0):
            result = multiply(result, a)
    return result
