"""Multi-scalar multiplication: `sum_i scalars[i] points[i]` in G1.

Scalars are cut into signed digits, which makes a sum of points with small signed factors for each digit's place, a
window; windows, and ranges of points where there are fewer windows than cores, are computed in parallel.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from zk.bn254 import g1
from zk.bn254 import scalar_field as fr
from zk.bn254.arrays import readable, readable_points, readable_scalars
from zk.bn254.buckets import window_sum
from zk.bn254.errors import ArrayError
from zk.bn254.jit import compiled
from zk.bn254.limbs import Int16Array, Int64Array, UInt64Array, load
from zk.bn254.parallel import core_count, run_all, split_range

# Bits of what is cut into digits, with a sign: a scalar is below 2^254.
SCALAR_BITS: Final = 255
_DIGIT_BITS: Final = 16

# Time for each point of a window and for each bucket, measured, in products of the base field.
_POINT_COST: Final = 10
_BUCKET_COST: Final = 16

# Fewer points take less time than starting threads for them.
_WORTH_THREADS: Final = 256


def multi_scalar_multiplication(points: UInt64Array, scalars: UInt64Array) -> UInt64Array:
    """Return `sum_i scalars[i] points[i]` for elements of the scalar field.

    Parameters
    ----------
    points
        uint64, shape (n, 2, 4), affine in Montgomery form; may be a read-only memory map.
    scalars
        uint64, shape (n, 4), in Montgomery form.

    Returns
    -------
    uint64, shape (1, 2, 4); all zeros, which is infinity, for n = 0.

    Raises
    ------
    ArrayError
        If the shapes or types are others.
    """
    points, scalars = readable_points(points), readable_scalars(scalars)
    _require_same_length(points, scalars)
    width, windows = digit_width(len(points), SCALAR_BITS)
    digits = np.empty((windows, len(points)), np.int16)
    ranges = split_range(len(points), core_count(), smallest=1024)
    run_all(cut_scalars, [(scalars, width, digits, begin, end) for begin, end in ranges])
    return _sum_of_windows(points, digits, width)


def multi_scalar_multiplication_int16(points: UInt64Array, coordinates: Int16Array) -> UInt64Array:
    """Return `sum_i coordinates[i] points[i]` for signed integers of 16 bits, int16 of shape (n,).

    Otherwise as `multi_scalar_multiplication`.
    """
    points, coordinates = readable_points(points), readable("coordinates", coordinates, np.int16, (None,))
    _require_same_length(points, coordinates)
    width, windows = digit_width(len(points), 16)
    if windows == 1:
        return _sum_of_windows(points, coordinates.reshape(1, -1), width)
    return _sum_of_windows(points, _cut(coordinates.astype(np.int64), width, windows), width)


def multi_scalar_multiplication_int64(points: UInt64Array, coordinates: Int64Array) -> UInt64Array:
    """Return `sum_i coordinates[i] points[i]` for signed integers of 64 bits, int64 of shape (n,).

    Otherwise as `multi_scalar_multiplication`; the smaller the integers, the less it takes.
    """
    points, coordinates = readable_points(points), readable("coordinates", coordinates, np.int64, (None,))
    _require_same_length(points, coordinates)
    width, windows = digit_width(len(points), 64)
    return _sum_of_windows(points, _cut(coordinates, width, windows), width)


def _require_same_length(points: UInt64Array, factors: npt.NDArray[np.generic]) -> None:
    if len(points) != len(factors):
        raise ArrayError("points", len(points), f"as many as their {len(factors)} factors")


def digit_width(size: int, bits: int) -> tuple[int, int]:
    """Return the width in bits of digits, and their number, with which so many integers take least time.

    Parameters
    ----------
    size
        How many integers.
    bits
        Of each, the sign included.
    """
    best = (0, 0)
    least = np.inf
    for width in range(1, _DIGIT_BITS + 1):
        windows = (bits - 1) // width + 1
        # The last digit takes what is left, which a carry can make as large as 2^(bits left - 1).
        if windows > 1 and bits - (windows - 1) * width >= _DIGIT_BITS:
            continue
        cost = windows * (_POINT_COST * size + _BUCKET_COST * _ranges_of_points(windows) * 2 ** (width - 1))
        if cost < least:
            best, least = (width, windows), cost
    return best


def _ranges_of_points(windows: int) -> int:
    """Return into how many ranges the points of each window are split, to occupy all cores."""
    return -(-core_count() // windows)


@compiled
def cut_scalars(scalars: UInt64Array, width: int, digits: Int16Array, begin: int, end: int) -> None:
    """Write the signed digits of `scalars[begin:end]`, the least significant first, to the columns of `digits`."""
    windows = digits.shape[0]
    half = 1 << (width - 1)
    mask, shift, rest = np.uint64(2 * half - 1), np.uint64(width), np.uint64(64 - width)
    for i in range(begin, end):
        v0, v1, v2, v3 = fr.from_montgomery(load(scalars, i))
        carry = 0
        for window in range(windows):
            digit = np.int64(v0 & mask) + carry
            carry = 0
            if digit >= half and window < windows - 1:
                digit -= 2 * half
                carry = 1
            digits[window, i] = digit
            v0 = v0 >> shift | v1 << rest
            v1 = v1 >> shift | v2 << rest
            v2 = v2 >> shift | v3 << rest
            v3 = v3 >> shift


@compiled
def _cut_integers(integers: Int64Array, width: int, digits: Int16Array) -> None:
    """Write the signed digits of integers, the least significant first, to the columns of `digits`."""
    windows = digits.shape[0]
    half = 1 << (width - 1)
    for i in range(integers.size):
        value = integers[i]
        for window in range(windows - 1):
            digit = value & (2 * half - 1)
            value >>= width
            if digit >= half:
                digit -= 2 * half
                value += 1
            digits[window, i] = digit
        digits[windows - 1, i] = value


def _cut(integers: Int64Array, width: int, windows: int) -> Int16Array:
    digits = np.empty((windows, integers.size), np.int16)
    _cut_integers(readable("integers", integers, np.int64, (None,)), width, digits)
    return digits


def _sum_of_windows(points: UInt64Array, digits: Int16Array, width: int) -> UInt64Array:
    """Return `sum_w 2^(w width) sum_i digits[w, i] points[i]`."""
    digits = readable("digits", digits, np.int16, (None, None))
    windows, largest = len(digits), 1 << (width - 1)
    ranges = split_range(len(points), _ranges_of_points(windows), smallest=largest)
    sums = np.empty((windows, len(ranges), 2, 4), np.uint64)
    calls = [
        (points[begin:end], digits[window, begin:end], largest, sums[window, part])
        for window in range(windows)
        for part, (begin, end) in enumerate(ranges)
    ]
    if len(points) < _WORTH_THREADS:
        for call in calls:
            window_sum(*call)
    else:
        run_all(window_sum, calls)
    result = np.empty((1, 2, 4), np.uint64)
    _combine(sums, width, result)
    return result


@compiled
def _combine(sums: UInt64Array, width: int, result: UInt64Array) -> None:
    """Write `sum_w 2^(w width) sum_k sums[w, k]` to `result[0]`, by Horner's rule."""
    total = g1.INFINITY
    for window in range(sums.shape[0] - 1, -1, -1):
        for _ in range(width):
            total = g1.double_xyzz(total)
        for part in range(sums.shape[1]):
            total = g1.add_affine(total, g1.load_point(sums[window], part))
    g1.store_point(result, 0, g1.to_affine(total))
