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

# Rows of buckets that are added up at once: many enough to share an inversion, few enough to be added up in turn.
ROWS: Final = 512

# How many points ahead memory is asked for; they lie in no order.
AHEAD: Final = 8


@inlined
def _magnitude(factors: Int16Array, i: int) -> int:
    """Return the magnitude of a factor; that of -2^15 is no int16."""
    return abs(int(np.int64(factors[i])))


@compiled
def _sort_by_magnitude(factors: Int16Array, largest: int) -> tuple[npt.NDArray[np.int32], int]:
    """Return the indices of all factors in order of their magnitude, and how many of them are zeros' indices."""
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
def _fill_buckets(points: UInt64Array, factors: Int16Array, largest: int, buckets: UInt64Array) -> None:
    """Write the sum of the points with factors of magnitude b to `buckets[b - 1]`, which holds infinity before."""
    order, first = _sort_by_magnitude(factors, largest)
    block = np.empty((BLOCK + 1, 2, 4), np.uint64)
    starts, owners = np.empty(BLOCK + 2, np.int64), np.empty(BLOCK + 1, np.int64)
    pairs = BLOCK // 2 + 1
    left, right = np.empty(pairs, np.int64), np.empty(pairs, np.int64)
    products = np.empty((pairs, 4), np.uint64)
    for begin in range(first, factors.size, BLOCK):
        segments, filled, owner = 0, 0, -1
        for k in range(begin, min(begin + BLOCK, factors.size)):
            i = int(order[k])
            prefetch(points, int(order[min(k + AHEAD, factors.size - 1)]))
            place = _magnitude(factors, i) - 1
            if place != owner:
                owner = place
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


@compiled
def _sum_of_multiples(buckets: UInt64Array, largest: int) -> g1.XYZZ:
    """Return `sum_k (k + 1) buckets[k]` over the first `largest` buckets, a power of two; changes all of them.

    The buckets are laid out in columns of R, k = c R + s. With T_c,s the sum of row s from column c on, the sum is
    `R sum_s (T_1,s + T_2,s + ...) + sum_s (s + 1) T_0,s`. All rows are added up at once, so that they share inversions.
    The R places after the buckets hold infinity before, and take the first of these sums for each row.
    """
    rows = min(ROWS, largest)
    left, right = np.empty(2 * rows, np.int64), np.empty(2 * rows, np.int64)
    products = np.empty((2 * rows, 4), np.uint64)
    for column in range(largest // rows - 1, 0, -1):
        for row in range(rows):
            place = column * rows + row
            left[row], right[row] = largest + row, place
            left[rows + row], right[rows + row] = place - rows, place
        g1.add_pairs(buckets, left, right, 2 * rows, products)
    tail, total, later = g1.INFINITY, g1.INFINITY, g1.INFINITY
    for row in range(rows - 1, -1, -1):
        tail = g1.add_affine(tail, g1.load_point(buckets, row))
        total = g1.add_xyzz(total, tail)
        later = g1.add_affine(later, g1.load_point(buckets, largest + row))
    while rows > 1:
        later = g1.double_xyzz(later)
        rows //= 2
    return g1.add_xyzz(total, later)


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
        The largest magnitude that a factor may have, a power of two.
    result
        uint64, shape (2, 4).
    """
    buckets = np.zeros((largest + min(ROWS, largest), 2, 4), np.uint64)
    _fill_buckets(points, factors, largest, buckets)
    x, y = g1.to_affine(_sum_of_multiples(buckets, largest))
    store(result, 0, x)
    store(result, 1, y)
