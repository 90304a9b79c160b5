"""The group G1: affine points, the sum of two, and sums without inversions in XYZZ coordinates.

In memory points are arrays of uint64 of shape (n, 2, 4), affine, in Montgomery form; infinity is all zeros. That is no
point of the curve, because no point has y = 0: the order of the group is odd. In XYZZ coordinates (X, Y, ZZ, ZZZ) a
point has x = X / ZZ and y = Y / ZZZ with ZZ^3 = ZZZ^2; infinity has ZZ = 0.

Source of the formulas in XYZZ coordinates: Bernstein and Lange, Explicit-Formulas Database, short Weierstrass curves
with a = 0, "add-2008-s", "madd-2008-s", "dbl-2008-s-1".
"""

import numpy as np

from zk.bn254 import base_field as fp
from zk.bn254.jit import compiled, inlined
from zk.bn254.limbs import Int64Array, Limbs, UInt64Array, are_equal, is_zero, load, store, to_limbs

Affine = tuple[Limbs, Limbs]
XYZZ = tuple[Limbs, Limbs, Limbs, Limbs]

_NOUGHT = to_limbs(0)
INFINITY = (_NOUGHT, _NOUGHT, _NOUGHT, _NOUGHT)


@inlined
def load_point(points: UInt64Array, i: int) -> Affine:
    """Return a point of an array."""
    return (
        (points[i, 0, 0], points[i, 0, 1], points[i, 0, 2], points[i, 0, 3]),
        (points[i, 1, 0], points[i, 1, 1], points[i, 1, 2], points[i, 1, 3]),
    )


@inlined
def store_point(points: UInt64Array, i: int, point: Affine) -> None:
    """Write a point of an array."""
    x, y = point
    points[i, 0, 0] = x[0]
    points[i, 0, 1] = x[1]
    points[i, 0, 2] = x[2]
    points[i, 0, 3] = x[3]
    points[i, 1, 0] = y[0]
    points[i, 1, 1] = y[1]
    points[i, 1, 2] = y[2]
    points[i, 1, 3] = y[3]


@inlined
def is_infinity(point: Affine) -> bool:
    """Whether an affine point is infinity."""
    return is_zero(point[1])


@inlined
def to_xyzz(point: Affine) -> XYZZ:
    """Convert an affine point to XYZZ coordinates."""
    if is_infinity(point):
        return INFINITY
    return point[0], point[1], fp.ONE, fp.ONE


@compiled
def to_affine(point: XYZZ) -> Affine:
    """Convert a point from XYZZ coordinates, with one inversion."""
    x, y, zz, zzz = point
    inverse = fp.invert(fp.multiply(zz, zzz))
    # 1 / ZZ = ZZZ / (ZZ ZZZ), which is 0 for infinity.
    return fp.multiply(x, fp.multiply(inverse, zzz)), fp.multiply(y, fp.multiply(inverse, zz))


@compiled
def double_xyzz(point: XYZZ) -> XYZZ:
    """Return twice a point, infinity included."""
    x, y, zz, zzz = point
    u = fp.double(y)
    v = fp.square(u)
    w = fp.multiply(u, v)
    s = fp.multiply(x, v)
    x_squared = fp.square(x)
    m = fp.add(fp.double(x_squared), x_squared)
    x3 = fp.subtract(fp.square(m), fp.double(s))
    y3 = fp.subtract(fp.multiply(m, fp.subtract(s, x3)), fp.multiply(w, y))
    return x3, y3, fp.multiply(v, zz), fp.multiply(w, zzz)


@compiled
def add_affine(point: XYZZ, other: Affine) -> XYZZ:
    """Return the sum of a point in XYZZ coordinates and an affine one; any of the two may be infinity or the same."""
    x, y, zz, zzz = point
    if is_infinity(other):
        return point
    if is_zero(zz):
        return to_xyzz(other)
    p = fp.subtract(fp.multiply(other[0], zz), x)
    r = fp.subtract(fp.multiply(other[1], zzz), y)
    if is_zero(p):
        return double_xyzz(point) if is_zero(r) else INFINITY
    pp = fp.square(p)
    ppp = fp.multiply(p, pp)
    q = fp.multiply(x, pp)
    x3 = fp.subtract(fp.subtract(fp.square(r), ppp), fp.double(q))
    y3 = fp.subtract(fp.multiply(r, fp.subtract(q, x3)), fp.multiply(y, ppp))
    return x3, y3, fp.multiply(zz, pp), fp.multiply(zzz, ppp)


@compiled
def add_xyzz(point: XYZZ, other: XYZZ) -> XYZZ:
    """Return the sum of two points in XYZZ coordinates; any of the two may be infinity or the same."""
    x1, y1, zz1, zzz1 = point
    x2, y2, zz2, zzz2 = other
    if is_zero(zz2):
        return point
    if is_zero(zz1):
        return other
    u1 = fp.multiply(x1, zz2)
    s1 = fp.multiply(y1, zzz2)
    p = fp.subtract(fp.multiply(x2, zz1), u1)
    r = fp.subtract(fp.multiply(y2, zzz1), s1)
    if is_zero(p):
        return double_xyzz(point) if is_zero(r) else INFINITY
    pp = fp.square(p)
    ppp = fp.multiply(p, pp)
    q = fp.multiply(u1, pp)
    x3 = fp.subtract(fp.subtract(fp.square(r), ppp), fp.double(q))
    y3 = fp.subtract(fp.multiply(r, fp.subtract(q, x3)), fp.multiply(s1, ppp))
    return x3, y3, fp.multiply(fp.multiply(zz1, zz2), pp), fp.multiply(fp.multiply(zzz1, zzz2), ppp)


@compiled
def multiply_point(point: Affine, factor: Limbs) -> XYZZ:
    """Return a multiple of a point, by doubling and adding; the factor is an integer below 2^256."""
    result = INFINITY
    for limb in range(3, -1, -1):
        for bit in range(63, -1, -1):
            result = double_xyzz(result)
            if (factor[limb] >> np.uint64(bit)) & np.uint64(1) != np.uint64(0):
                result = add_affine(result, point)
    return result


# How two points meet; the first two have a slope.
_DISTINCT, _SAME, _OPPOSITE, _LEFT_INFINITE, _RIGHT_INFINITE = 0, 1, 2, 3, 4


@inlined
def _denominator(first: Affine, second: Affine) -> tuple[Limbs, int]:
    """Return the denominator of the slope of the chord or tangent, 1 where none is needed, and which case it is."""
    if is_infinity(second):
        return fp.ONE, _RIGHT_INFINITE
    if is_infinity(first):
        return fp.ONE, _LEFT_INFINITE
    difference = fp.subtract(second[0], first[0])
    if not is_zero(difference):
        return difference, _DISTINCT
    if are_equal(first[1], second[1]):
        return fp.double(first[1]), _SAME
    return fp.ONE, _OPPOSITE


@inlined
def _chord(first: Affine, second: Affine, inverse: Limbs, is_same: bool) -> Affine:
    """Return the sum of two points, given the inverse, unreduced, of the slope's denominator."""
    if is_same:
        square = fp.square(first[0])
        rise = fp.add(fp.double(square), square)
    else:
        rise = fp.subtract(second[1], first[1])
    slope = fp.multiply_unreduced(rise, inverse)
    slope_squared = fp.reduce(fp.multiply_unreduced(slope, slope))
    x = fp.subtract(fp.subtract(slope_squared, first[0]), second[0])
    fall = fp.reduce(fp.multiply_unreduced(fp.subtract(first[0], x), slope))
    return x, fp.subtract(fall, first[1])


@compiled
def add_pairs(points: UInt64Array, left: Int64Array, right: Int64Array, count: int, products: UInt64Array) -> None:
    """Add `points[right[k]]` to `points[left[k]]` in place for all k < count, which share one inversion.

    No place may be in two pairs. Montgomery's trick: with the products of the first k denominators at hand, the
    inverse of the product of all gives every single inverse by two products, from the last to the first. Products of
    products are reduced only where a difference is taken.

    Parameters
    ----------
    points
        uint64, shape (n, 2, 4).
    left, right
        Places in it, int64.
    products
        Scratch space, uint64, at least (count, 4).
    """
    product = fp.ONE
    for k in range(count):
        store(products, k, product)
        denominator, _ = _denominator(load_point(points, left[k]), load_point(points, right[k]))
        product = fp.multiply_unreduced(denominator, product)
    inverse = fp.invert(product)
    for k in range(count - 1, -1, -1):
        first, second = load_point(points, left[k]), load_point(points, right[k])
        denominator, case = _denominator(first, second)
        single = fp.multiply_unreduced(inverse, load(products, k))
        inverse = fp.multiply_unreduced(denominator, inverse)
        if case <= _SAME:
            store_point(points, left[k], _chord(first, second, single, case == _SAME))
        elif case == _OPPOSITE:
            store_point(points, left[k], (_NOUGHT, _NOUGHT))
        elif case == _LEFT_INFINITE:
            store_point(points, left[k], second)
