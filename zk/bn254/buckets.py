"""One window of a multi-scalar multiplication: sums of points with small signed factors, by buckets.

Every point whose factor has magnitude b goes to bucket b, negated if the factor is negative; the sum is then
`sum_b b B_b` over the sums B_b of the buckets. The points are sorted by bucket, so that within a block of them the
additions of a bucket form a tree, and all additions of one level of all trees share one inversion. An addition costs
six products that way and no two additions of a level touch the same point, so there are no conflicts to resolve,
however the factors are distributed.

Source: Pippenger, "On the evaluation of powers and related problems" (1976), in the form of Bernstein, Doumen, Lange
and Oosterwijk, "Faster batch forgery identification" (2012).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from zk.bn254 import base_field as fp
from zk.bn254 import g1
from zk.bn254.intrinsics import prefetch
from zk.bn254.jit import compiled, inlined
from zk.bn254.limbs import Int16Array, Int64Array, UInt64Array, store

# Points added up at once: few enough for a core's cache, many enough that an inversion costs little for each.
BLOCK: Final = 16384

# How many points ahead memory is asked for; they lie in no order.
AHEAD: Final = 8


@inlined
def _magnitude(factors: Int16Array, i: int) -> int:
    """Return the magnitude of a factor; that of -2^15 is no int16."""
    return abs(int(np.int64(factors[i])))


@compiled
def _sort_by_magnitude(factors: Int16Array, largest: int) -> tuple[npt.NDArray[np.int32], int]:
    """Return the indices of all factors in order of their magnitude, and how many of them are of zeros."""
    ends = np.zeros(largest + 2, np.int64)
    for i in range(factors.size):
        ends[_magnitude(factors, i) + 1] += 1
    zeros = ends[1]
    for magnitude in range(largest + 1):
        ends[magnitude + 1] += ends[magnitude]
    order = np.empty(factors.size, np.int32)
    for i in range(factors.size):
        magnitude = _magnitude(factors, i)
        order[ends[magnitude]] = i
        ends[magnitude] += 1
    return order, zeros


@inlined
def _load_signed(points: UInt64Array, factors: Int16Array, i: int) -> g1.Affine:
    """Return a point, negated if its factor is negative."""
    x, y = g1.load_point(points, i)
    if factors[i] < 0:
        return x, fp.negate(y)
    return x, y


@compiled
def _add_up_segments(
    points: UInt64Array, starts: Int64Array, segments: int, left: Int64Array, right: Int64Array, products: UInt64Array
) -> None:
    """Add up `points[starts[j]:starts[j + 1]]` into `points[starts[j]]` for all j < segments, by binary trees."""
    distance = 1
    while True:
        count = 0
        for segment in range(segments):
            for place in range(starts[segment], starts[segment + 1] - distance, 2 * distance):
                left[count] = place
                right[count] = place + distance
                count += 1
        if count == 0:
            return
        g1.add_pairs(points, left, right, count, products)
        distance *= 2


@compiled
def _fill_buckets(points: UInt64Array, factors: Int16Array, largest: int) -> UInt64Array:
    """Return the sum of each bucket, infinity for those without points."""
    order, first = _sort_by_magnitude(factors, largest)
    buckets = np.zeros((largest + 1, 2, 4), np.uint64)
    block = np.empty((BLOCK + 1, 2, 4), np.uint64)
    starts, owners = np.empty(BLOCK + 2, np.int64), np.empty(BLOCK + 1, np.int64)
    pairs = BLOCK // 2 + 1
    left, right = np.empty(pairs, np.int64), np.empty(pairs, np.int64)
    products = np.empty((pairs, 4), np.uint64)
    for begin in range(first, factors.size, BLOCK):
        segments, filled, owner = 0, 0, 0
        for k in range(begin, min(begin + BLOCK, factors.size)):
            i = int(order[k])
            prefetch(points, int(order[min(k + AHEAD, factors.size - 1)]))
            magnitude = _magnitude(factors, i)
            if magnitude != owner:
                owner = magnitude
                starts[segments], owners[segments] = filled, owner
                segments += 1
                if k == begin:
                    # The block before may have ended within this bucket.
                    g1.store_point(block, filled, g1.load_point(buckets, owner))
                    filled += 1
            g1.store_point(block, filled, _load_signed(points, factors, i))
            filled += 1
        starts[segments] = filled
        _add_up_segments(block, starts, segments, left, right, products)
        for segment in range(segments):
            g1.store_point(buckets, owners[segment], g1.load_point(block, starts[segment]))
    return buckets


@compiled
def window_sum(points: UInt64Array, factors: Int16Array, largest: int, result: UInt64Array) -> None:
    """Write `sum_i factors[i] points[i]` to the result.

    Parameters
    ----------
    points
        uint64, shape (n, 2, 4).
    factors
        int16, shape (n,).
    largest
        The largest magnitude that a factor may have.
    result
        uint64, shape (2, 4).
    """
    buckets = _fill_buckets(points, factors, largest)
    # sum_b b B_b is the sum, over all b, of the sum of the buckets from b on.
    tail, total = g1.INFINITY, g1.INFINITY
    for magnitude in range(largest, 0, -1):
        tail = g1.add_affine(tail, g1.load_point(buckets, magnitude))
        total = g1.add_xyzz(total, tail)
    x, y = g1.to_affine(total)
    store(result, 0, x)
    store(result, 1, y)
