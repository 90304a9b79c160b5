"""Many points of the curve of G2: whether they are on it, and sums with small factors by buckets.

Points are uint64, shape (n, 2, 2, 4), as in `zk.bn254.g2`, whose formulas hold on the whole curve, not only in the
subgroup. Buckets are points in XYZZ coordinates, uint64, shape (number of buckets, 4, 2, 4).
"""

import numpy as np
import numpy.typing as npt

from zk.bn254 import extended_field as fp2
from zk.bn254 import g2
from zk.bn254.arrays import readable, writable
from zk.bn254.jit import compiled, inlined
from zk.bn254.limbs import UInt64Array

Factors = npt.NDArray[np.int16]


def first_reject(points: UInt64Array) -> int:
    """Return the position of the first point with a coordinate of p or more, off the curve, or infinite; -1 if none.

    Parameters
    ----------
    points
        uint64, shape (n, 2, 2, 4).

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    return int(_first_reject(readable("points", points, np.uint64, (None, 2, 2, 4))))


def empty_buckets(largest: int) -> UInt64Array:
    """Return buckets for factors of 0 to `largest`, all infinity: uint64, shape (largest + 1, 4, 2, 4)."""
    return np.zeros((largest + 1, 4, 2, 4), np.uint64)


def add_to_buckets(points: UInt64Array, factors: Factors, buckets: UInt64Array) -> None:
    """Add each point to the bucket of its factor.

    Parameters
    ----------
    points
        On the curve, uint64, shape (n, 2, 2, 4).
    factors
        int16, shape (n,), not negative and not larger than the buckets' largest.
    buckets
        As `empty_buckets` returns them; changed.

    Raises
    ------
    ArrayError
        If an array has another type or shape.
    """
    points = readable("points", points, np.uint64, (None, 2, 2, 4))
    factors = readable("factors", factors, np.int16, (len(points),))
    _add_to_buckets(points, factors, writable("buckets", buckets, np.uint64, (None, 4, 2, 4)))


def sum_of_buckets(buckets: UInt64Array) -> UInt64Array:
    """Return the sum over all b of b times the bucket of b, uint64, shape (1, 2, 2, 4); zeros if it is infinity.

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    total = np.empty((1, 2, 2, 4), np.uint64)
    _sum_of_buckets(readable("buckets", buckets, np.uint64, (None, 4, 2, 4)), total)
    return total


@inlined
def _load_bucket(buckets: UInt64Array, bucket: int) -> g2.XYZZ:
    x, y = fp2.load_pair(buckets[bucket, 0]), fp2.load_pair(buckets[bucket, 1])
    return x, y, fp2.load_pair(buckets[bucket, 2]), fp2.load_pair(buckets[bucket, 3])


@compiled
def _add(point: g2.XYZZ, other: g2.XYZZ) -> g2.XYZZ:
    """Return the sum of two points; any of the two may be infinity or the same.

    Source: Bernstein and Lange, Explicit-Formulas Database, short Weierstrass curves with a = 0, XYZZ, "add-2008-s".
    """
    x1, y1, zz1, zzz1 = point
    x2, y2, zz2, zzz2 = other
    if fp2.is_nought(zz2):
        return point
    if fp2.is_nought(zz1):
        return other
    u1 = fp2.multiply(x1, zz2)
    s1 = fp2.multiply(y1, zzz2)
    p = fp2.subtract(fp2.multiply(x2, zz1), u1)
    r = fp2.subtract(fp2.multiply(y2, zzz1), s1)
    if fp2.is_nought(p):
        return g2.double_xyzz(point) if fp2.is_nought(r) else g2.INFINITY
    pp = fp2.square(p)
    ppp = fp2.multiply(p, pp)
    q = fp2.multiply(u1, pp)
    x3 = fp2.subtract(fp2.subtract(fp2.square(r), ppp), fp2.double(q))
    y3 = fp2.subtract(fp2.multiply(r, fp2.subtract(q, x3)), fp2.multiply(s1, ppp))
    return x3, y3, fp2.multiply(fp2.multiply(zz1, zz2), pp), fp2.multiply(fp2.multiply(zzz1, zzz2), ppp)


@compiled
def _add_to_buckets(points: UInt64Array, factors: Factors, buckets: UInt64Array) -> None:
    for i in range(factors.size):
        bucket = int(factors[i])
        if bucket == 0:
            continue
        x, y, zz, zzz = g2.add_affine(_load_bucket(buckets, bucket), g2.load_point(points, i))
        fp2.store_pair(buckets[bucket, 0], x)
        fp2.store_pair(buckets[bucket, 1], y)
        fp2.store_pair(buckets[bucket, 2], zz)
        fp2.store_pair(buckets[bucket, 3], zzz)


@compiled
def _sum_of_buckets(buckets: UInt64Array, result: UInt64Array) -> None:
    # sum_b b B_b is the sum, over all b >= 1, of the sum of the buckets from b on.
    tail, total = g2.INFINITY, g2.INFINITY
    for bucket in range(len(buckets) - 1, 0, -1):
        tail = _add(tail, _load_bucket(buckets, bucket))
        total = _add(total, tail)
    g2.store_point(result, 0, g2.to_affine(total))


@compiled
def _first_reject(points: UInt64Array) -> int:
    for i in range(len(points)):
        point = g2.load_point(points, i)
        # Infinity, all zeros, is not on the curve.
        if not (g2.is_reduced(point) and g2.is_on_curve(point)):
            return i
    return -1
