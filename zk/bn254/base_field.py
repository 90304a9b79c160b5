"""The base field of BN254: elements are `Limbs` in Montgomery form, below p."""

import numpy as np

from zk.bn254.jit import compiled, inlined
from zk.bn254.limbs import (
    ZERO,
    Limbs,
    add_modulo,
    montgomery_product,
    montgomery_product_unreduced,
    reduce_once,
    subtract_integers,
    subtract_modulo,
    to_limbs,
)
from zk.bn254.parameters import BASE_MODULUS

MODULUS = to_limbs(BASE_MODULUS)
_INVERSE = np.uint64(-pow(BASE_MODULUS, -1, 2**64) % 2**64)
_EXPONENT = to_limbs(BASE_MODULUS - 2)

# R mod p is 1 in Montgomery form; a product with R^2 mod p converts to Montgomery form, one with 1 converts back.
ONE = to_limbs(2**256 % BASE_MODULUS)
_R_SQUARED = to_limbs(2**512 % BASE_MODULUS)
_UNIT = to_limbs(1)
NOUGHT = to_limbs(0)


@compiled
def multiply(a: Limbs, b: Limbs) -> Limbs:
    """Return `a b`."""
    return montgomery_product(a, b, MODULUS, _INVERSE)


@inlined
def multiply_unreduced(a: Limbs, b: Limbs) -> Limbs:
    """Return `a b` or `a b + p`, below 2 p, for factors below 2 p; inlined, for the one loop that takes most time."""
    return montgomery_product_unreduced(a, b, MODULUS, _INVERSE)


@inlined
def reduce(a: Limbs) -> Limbs:
    """Return the element for a value below 2 p."""
    return reduce_once(a, MODULUS)


@inlined
def is_reduced(value: Limbs) -> bool:
    """Whether 256 bits are an element, that is below p."""
    _, borrow = subtract_integers(value, MODULUS)
    return bool(borrow != ZERO)


@compiled
def square(a: Limbs) -> Limbs:
    """Return `a^2`."""
    return montgomery_product(a, a, MODULUS, _INVERSE)


@inlined
def add(a: Limbs, b: Limbs) -> Limbs:
    """Return `a + b`."""
    return add_modulo(a, b, MODULUS)


@inlined
def double(a: Limbs) -> Limbs:
    """Return `2 a`."""
    return add_modulo(a, a, MODULUS)


@inlined
def subtract(a: Limbs, b: Limbs) -> Limbs:
    """Return `a - b`."""
    return subtract_modulo(a, b, MODULUS)


@inlined
def negate(a: Limbs) -> Limbs:
    """Return `-a`."""
    return subtract_modulo(NOUGHT, a, MODULUS)


@compiled
def invert(a: Limbs) -> Limbs:
    """Return `1 / a = a^(p - 2)`, or 0 for 0."""
    result = ONE
    for limb in range(3, -1, -1):
        for bit in range(63, -1, -1):
            result = square(result)
            if (_EXPONENT[limb] >> np.uint64(bit)) & np.uint64(1) != ZERO:
                result = multiply(result, a)
    return result


@inlined
def to_montgomery(value: Limbs) -> Limbs:
    """Return the element of an integer below 2^256, reduced."""
    return montgomery_product(_R_SQUARED, value, MODULUS, _INVERSE)


@inlined
def from_montgomery(a: Limbs) -> Limbs:
    """Return the integer of [0, p) of an element; any 256 bits give one."""
    return montgomery_product(_UNIT, a, MODULUS, _INVERSE)
