"""The base field of BN254 extended by i, i^2 = -1: elements are pairs (a, b) of the base field for a + b i."""

from zk.bn254 import base_field as fp
from zk.bn254.jit import compiled, inlined
from zk.bn254.limbs import Limbs, UInt64Array, are_equal, is_zero, load, store

Pair = tuple[Limbs, Limbs]

ONE = (fp.ONE, fp.NOUGHT)
NOUGHT = (fp.NOUGHT, fp.NOUGHT)


@inlined
def load_pair(array: UInt64Array) -> Pair:
    """Return the element of an array of shape (2, 4)."""
    return load(array, 0), load(array, 1)


@inlined
def store_pair(array: UInt64Array, a: Pair) -> None:
    """Write an element to an array of shape (2, 4)."""
    store(array, 0, a[0])
    store(array, 1, a[1])


@inlined
def is_nought(a: Pair) -> bool:
    """Whether the element is 0."""
    return is_zero(a[0]) and is_zero(a[1])


@inlined
def are_same(a: Pair, b: Pair) -> bool:
    """Whether two elements are the same."""
    return are_equal(a[0], b[0]) and are_equal(a[1], b[1])


@compiled
def add(a: Pair, b: Pair) -> Pair:
    """Return `a + b`."""
    return fp.add(a[0], b[0]), fp.add(a[1], b[1])


@compiled
def subtract(a: Pair, b: Pair) -> Pair:
    """Return `a - b`."""
    return fp.subtract(a[0], b[0]), fp.subtract(a[1], b[1])


@inlined
def double(a: Pair) -> Pair:
    """Return `2 a`."""
    return add(a, a)


@inlined
def negate(a: Pair) -> Pair:
    """Return `-a`."""
    return fp.negate(a[0]), fp.negate(a[1])


@inlined
def conjugate(a: Pair) -> Pair:
    """Return `a^p`, which changes the sign of i."""
    return a[0], fp.negate(a[1])


@compiled
def multiply(a: Pair, b: Pair) -> Pair:
    """Return `a b`, by three products (Karatsuba)."""
    real, imaginary = fp.multiply(a[0], b[0]), fp.multiply(a[1], b[1])
    both = fp.multiply(fp.add(a[0], a[1]), fp.add(b[0], b[1]))
    return fp.subtract(real, imaginary), fp.subtract(fp.subtract(both, real), imaginary)


@compiled
def square(a: Pair) -> Pair:
    """Return `a^2 = (a_0 + a_1)(a_0 - a_1) + 2 a_0 a_1 i`."""
    real = fp.multiply(fp.add(a[0], a[1]), fp.subtract(a[0], a[1]))
    return real, fp.double(fp.multiply(a[0], a[1]))


@inlined
def scale(a: Pair, factor: Limbs) -> Pair:
    """Return `a` times an element of the base field."""
    return fp.multiply(a[0], factor), fp.multiply(a[1], factor)


@compiled
def multiply_by_xi(a: Pair) -> Pair:
    """Return `(9 + i) a`."""
    eight = double(double(double(a)))
    nine = add(eight, a)
    return fp.subtract(nine[0], a[1]), fp.add(nine[1], a[0])


@compiled
def invert(a: Pair) -> Pair:
    """Return `1 / a = (a_0 - a_1 i) / (a_0^2 + a_1^2)`, or 0 for 0."""
    norm = fp.add(fp.square(a[0]), fp.square(a[1]))
    return scale(conjugate(a), fp.invert(norm))
