"""The group G2: sums without inversions in XYZZ coordinates.

In memory points are arrays of uint64 of shape (n, 2, 2, 4): x and y, of each the real and the imaginary part, in
Montgomery form; infinity is all zeros, which is no point of the curve because none has y = 0: the order of the curve,
r (2 p - r), is odd. The formulas are those of `zk.bn254.g1`, over the extended field.
"""

import numpy as np

from zk.bn254 import base_field as fp
from zk.bn254 import extended_field as fp2
from zk.bn254.extended_field import Pair, are_same, is_nought
from zk.bn254.jit import compiled, inlined
from zk.bn254.limbs import Limbs, UInt64Array, to_limbs
from zk.bn254.parameters import BASE_MODULUS, G1_COEFFICIENT, TWIST, divide_extended

Affine = tuple[Pair, Pair]
XYZZ = tuple[Pair, Pair, Pair, Pair]

# The curve is y^2 = x^3 + 3 / (9 + i).
_REAL, _IMAGINARY = (to_limbs(part * 2**256 % BASE_MODULUS) for part in divide_extended((G1_COEFFICIENT, 0), TWIST))
_COEFFICIENT = (_REAL, _IMAGINARY)

INFINITY = (fp2.NOUGHT, fp2.NOUGHT, fp2.NOUGHT, fp2.NOUGHT)


@inlined
def load_point(points: UInt64Array, i: int) -> Affine:
    """Return a point of an array."""
    return fp2.load_pair(points[i, 0]), fp2.load_pair(points[i, 1])


@inlined
def store_point(points: UInt64Array, i: int, point: Affine) -> None:
    """Write a point of an array."""
    fp2.store_pair(points[i, 0], point[0])
    fp2.store_pair(points[i, 1], point[1])


@compiled
def to_affine(point: XYZZ) -> Affine:
    """Convert a point from XYZZ coordinates, with one inversion."""
    x, y, zz, zzz = point
    inverse = fp2.invert(fp2.multiply(zz, zzz))
    return fp2.multiply(x, fp2.multiply(inverse, zzz)), fp2.multiply(y, fp2.multiply(inverse, zz))


@compiled
def double_xyzz(point: XYZZ) -> XYZZ:
    """Return twice a point, infinity included."""
    x, y, zz, zzz = point
    u = fp2.double(y)
    v = fp2.square(u)
    w = fp2.multiply(u, v)
    s = fp2.multiply(x, v)
    x_squared = fp2.square(x)
    m = fp2.add(fp2.double(x_squared), x_squared)
    x3 = fp2.subtract(fp2.square(m), fp2.double(s))
    y3 = fp2.subtract(fp2.multiply(m, fp2.subtract(s, x3)), fp2.multiply(w, y))
    return x3, y3, fp2.multiply(v, zz), fp2.multiply(w, zzz)


@compiled
def add_affine(point: XYZZ, other: Affine) -> XYZZ:
    """Return the sum of a point in XYZZ coordinates and an affine one; any of the two may be infinity or the same."""
    x, y, zz, zzz = point
    if is_nought(other[1]):
        return point
    if is_nought(zz):
        return other[0], other[1], fp2.ONE, fp2.ONE
    p = fp2.subtract(fp2.multiply(other[0], zz), x)
    r = fp2.subtract(fp2.multiply(other[1], zzz), y)
    if is_nought(p):
        return double_xyzz(point) if is_nought(r) else INFINITY
    pp = fp2.square(p)
    ppp = fp2.multiply(p, pp)
    q = fp2.multiply(x, pp)
    x3 = fp2.subtract(fp2.subtract(fp2.square(r), ppp), fp2.double(q))
    y3 = fp2.subtract(fp2.multiply(r, fp2.subtract(q, x3)), fp2.multiply(y, ppp))
    return x3, y3, fp2.multiply(zz, pp), fp2.multiply(zzz, ppp)


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


@compiled
def is_on_curve(point: Affine) -> bool:
    """Whether an affine point satisfies `y^2 = x^3 + 3 / (9 + i)`."""
    x, y = point
    return are_same(fp2.square(y), fp2.add(fp2.multiply(fp2.square(x), x), _COEFFICIENT))


@compiled
def is_reduced(point: Affine) -> bool:
    """Whether all four parts of the coordinates are below p."""
    x, y = point
    return fp.is_reduced(x[0]) and fp.is_reduced(x[1]) and fp.is_reduced(y[0]) and fp.is_reduced(y[1])
