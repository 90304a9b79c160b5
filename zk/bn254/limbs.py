"""Integers of 256 bits as four limbs, and arithmetic modulo a prime below 2^254 in Montgomery form.

A limb is a uint64; four of them, the least significant first, are an integer below 2^256. The Montgomery form of `a`
modulo a prime `q` is `a R mod q` with `R = 2^256`: the product of two of them costs no division by `q`.

Source: Koc, Acar and Kaliski, "Analyzing and comparing Montgomery multiplication algorithms" (1996), the coarsely
integrated operand scanning method, without its last carry word, which stays 0 because the prime is below 2^254.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from zk.bn254.intrinsics import add_with_carry, mac, subtract_with_borrow
from zk.bn254.jit import inlined

UInt64Array = npt.NDArray[np.uint64]
Int64Array = npt.NDArray[np.int64]
Int16Array = npt.NDArray[np.int16]
Limbs = tuple[np.uint64, np.uint64, np.uint64, np.uint64]

ZERO: Final = np.uint64(0)
_MASK: Final = 2**64 - 1


def to_limbs(value: int) -> Limbs:
    """Split an integer of [0, 2^256) into its limbs."""
    first, second, third, fourth = (np.uint64(value >> 64 * i & _MASK) for i in range(4))
    return first, second, third, fourth


@inlined
def add_integers(a: Limbs, b: Limbs) -> Limbs:
    """Return `a + b mod 2^256`."""
    s0, carry = add_with_carry(a[0], b[0], ZERO)
    s1, carry = add_with_carry(a[1], b[1], carry)
    s2, carry = add_with_carry(a[2], b[2], carry)
    s3, carry = add_with_carry(a[3], b[3], carry)
    return s0, s1, s2, s3


@inlined
def subtract_integers(a: Limbs, b: Limbs) -> tuple[Limbs, np.uint64]:
    """Return `a - b mod 2^256` and a mask of all bits if `a < b`, otherwise 0."""
    d0, borrow = subtract_with_borrow(a[0], b[0], ZERO)
    d1, borrow = subtract_with_borrow(a[1], b[1], borrow)
    d2, borrow = subtract_with_borrow(a[2], b[2], borrow)
    d3, borrow = subtract_with_borrow(a[3], b[3], borrow)
    return (d0, d1, d2, d3), borrow


@inlined
def is_zero(a: Limbs) -> bool:
    """Whether the integer is 0."""
    return bool((a[0] | a[1] | a[2] | a[3]) == ZERO)


@inlined
def are_equal(a: Limbs, b: Limbs) -> bool:
    """Whether two integers are the same."""
    return bool(((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == ZERO)


@inlined
def reduce_once(a: Limbs, modulus: Limbs) -> Limbs:
    """Return `a mod modulus` for `a < 2 modulus`, quickest where most `a` are reduced already."""
    difference, borrow = subtract_integers(a, modulus)
    if borrow != ZERO:
        return a
    return difference


@inlined
def subtract_modulo(a: Limbs, b: Limbs, modulus: Limbs) -> Limbs:
    """Return `a - b mod modulus` for a difference between the modulus and its negative.

    Without a branch, since it would go either way half of the time.
    """
    difference, borrow = subtract_integers(a, b)
    correction = (modulus[0] & borrow, modulus[1] & borrow, modulus[2] & borrow, modulus[3] & borrow)
    return add_integers(difference, correction)


@inlined
def add_modulo(a: Limbs, b: Limbs, modulus: Limbs) -> Limbs:
    """Return `a + b mod modulus`, without a branch either: the modulus is subtracted, and added again if need be."""
    return subtract_modulo(add_integers(a, b), modulus, modulus)


@inlined
def _accumulate_row(t: Limbs, a: Limbs, word: np.uint64, modulus: Limbs, inverse: np.uint64) -> Limbs:
    """Return `(t + a word + m modulus) / 2^64` with the `m` that makes the division exact."""
    t0, carry = mac(a[0], word, t[0], ZERO)
    m = t0 * inverse
    _, reduction = mac(m, modulus[0], t0, ZERO)
    t1, carry = mac(a[1], word, t[1], carry)
    r0, reduction = mac(m, modulus[1], t1, reduction)
    t2, carry = mac(a[2], word, t[2], carry)
    r1, reduction = mac(m, modulus[2], t2, reduction)
    t3, carry = mac(a[3], word, t[3], carry)
    r2, reduction = mac(m, modulus[3], t3, reduction)
    return r0, r1, r2, carry + reduction


@inlined
def montgomery_product_unreduced(a: Limbs, b: Limbs, modulus: Limbs, inverse: np.uint64) -> Limbs:
    """Return `a b / R` or that plus the modulus, below twice the modulus, for `a` and `b` below twice the modulus.

    More generally for `a` below twice and `b` below `R` the value is below `a b / R + modulus`. The inverse is
    `-1 / modulus mod 2^64`.
    """
    t = _accumulate_row((ZERO, ZERO, ZERO, ZERO), a, b[0], modulus, inverse)
    t = _accumulate_row(t, a, b[1], modulus, inverse)
    t = _accumulate_row(t, a, b[2], modulus, inverse)
    return _accumulate_row(t, a, b[3], modulus, inverse)


@inlined
def montgomery_product(a: Limbs, b: Limbs, modulus: Limbs, inverse: np.uint64) -> Limbs:
    """Return `a b / R mod modulus`, for `a` and `b` below twice the modulus, or `a` below it and any `b` below `R`."""
    return reduce_once(montgomery_product_unreduced(a, b, modulus, inverse), modulus)


@inlined
def load(array: UInt64Array, row: int) -> Limbs:
    """Return a row of an array of shape (n, 4)."""
    return array[row, 0], array[row, 1], array[row, 2], array[row, 3]


@inlined
def store(array: UInt64Array, row: int, value: Limbs) -> None:
    """Write a row of an array of shape (n, 4)."""
    array[row, 0] = value[0]
    array[row, 1] = value[1]
    array[row, 2] = value[2]
    array[row, 3] = value[3]
