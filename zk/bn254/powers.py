"""Many multiples of one point of G1, by a table of its multiples for each digit of a scalar.

Source: Brickell, Gordon, McCurley and Wilson, "Fast exponentiation with precomputation" (1992).
"""

from typing import Final

import numpy as np

from zk.bn254 import base_field as fp
from zk.bn254 import g1
from zk.bn254 import scalar_field as fr
from zk.bn254.arrays import readable
from zk.bn254.errors import ArrayError
from zk.bn254.jit import compiled
from zk.bn254.limbs import Int16Array, UInt64Array, load, store
from zk.bn254.msm import SCALAR_BITS, cut_scalars
from zk.bn254.parallel import core_count, run_all, split_range
from zk.bn254.points import g1_generator
from zk.bn254.scalars import scalars_from_integers

# Points added up at once; as many table entries share a core's cache with them.
_BLOCK: Final = 2048

_WIDEST: Final = 16


def powers_of(tau: int, n: int, start: UInt64Array | None = None) -> UInt64Array:
    """Return `tau^k start` for k = 0 to n - 1.

    Whoever knows tau can open commitments made with these points in any way, so this is for development only.

    Parameters
    ----------
    tau
        Any integer, reduced modulo r.
    n
        How many points.
    start
        A point of G1, uint64, shape (1, 2, 4); the generator if left out.

    Returns
    -------
    uint64, shape (n, 2, 4).

    Raises
    ------
    ArrayError
        If the point has another type or shape, or n is negative.
    """
    if n < 0:
        raise ArrayError("points", n, "at least 0")
    start = readable("points to start from", g1_generator() if start is None else start, np.uint64, (1, 2, 4))
    width = _table_width(n)
    windows = (SCALAR_BITS - 1) // width + 1
    digits = np.empty((windows, n), np.int16)
    scalars = np.empty((n, 4), np.uint64)
    _fill_powers(scalars_from_integers([tau]), scalars)
    scalars = readable("scalars", scalars, np.uint64, (None, 4))
    ranges = split_range(n, core_count(), smallest=_BLOCK)
    run_all(cut_scalars, [(scalars, width, digits, begin, end) for begin, end in ranges])
    table = np.zeros((windows, (1 << (width - 1)) + 1, 2, 4), np.uint64)
    _fill_table(start, table)
    points = np.empty((n, 2, 4), np.uint64)
    ranges = split_range(n, -(-n // _BLOCK))
    run_all(_add_entries, [(table, digits[:, begin:end].copy(), points[begin:end]) for begin, end in ranges])
    return points


def _table_width(n: int) -> int:
    """Return the width of digits, in bits, with which filling the table and adding its entries is least work."""
    return min(range(2, _WIDEST + 1), key=lambda width: (n + 2 ** (width - 1)) * (SCALAR_BITS // width))


@compiled
def _fill_powers(base: UInt64Array, powers: UInt64Array) -> None:
    """Write `base[0]^k` to `powers[k]`."""
    factor, power = load(base, 0), fr.ONE
    for k in range(len(powers)):
        store(powers, k, power)
        power = fr.multiply(power, factor)


@compiled
def _fill_table(start: UInt64Array, table: UInt64Array) -> None:
    """Write `d 2^(w width) start[0]` to `table[w, d]`, where the last d of a row is 2^(width - 1)."""
    half = table.shape[1] - 1
    left, right = np.empty(half, np.int64), np.empty(half, np.int64)
    products = np.empty((half, 4), np.uint64)
    g1.store_point(table[0], 1, g1.load_point(start, 0))
    for window in range(table.shape[0]):
        row = table[window]
        if window > 0:
            last = g1.to_xyzz(g1.load_point(table[window - 1], half))
            g1.store_point(row, 1, g1.to_affine(g1.double_xyzz(last)))
        known = 1
        while known < half:
            # The next as many multiples are the known ones plus the last of them.
            for d in range(known):
                g1.store_point(row, known + 1 + d, g1.load_point(row, 1 + d))
                left[d], right[d] = known + 1 + d, known
            g1.add_pairs(row, left, right, known, products)
            known *= 2


@compiled
def _add_entries(table: UInt64Array, digits: Int16Array, points: UInt64Array) -> None:
    """Write `sum_w digits[w, k] 2^(w width) start` to `points[k]`, at most _BLOCK of them."""
    count = len(points)
    block = np.zeros((2 * count, 2, 4), np.uint64)
    left, right = np.arange(count), np.arange(count, 2 * count)
    products = np.empty((count, 4), np.uint64)
    for window in range(table.shape[0]):
        for k in range(count):
            digit = int(np.int64(digits[window, k]))
            x, y = g1.load_point(table[window], abs(digit))
            if digit < 0:
                y = fp.negate(y)
            g1.store_point(block, count + k, (x, y))
        g1.add_pairs(block, left, right, count, products)
    for k in range(count):
        g1.store_point(points, k, g1.load_point(block, k))
