"""Polynomials over the scalar field, and sums of integer vectors in it; coefficients in ascending order."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from zk.bn254 import scalar_field as fr
from zk.bn254.arrays import readable, readable_scalars, writable
from zk.bn254.errors import ArrayError
from zk.bn254.intrinsics import mac
from zk.bn254.jit import compiled
from zk.bn254.limbs import ZERO, Int16Array, UInt64Array, load, store, to_limbs
from zk.bn254.parallel import core_count, run_all, split_range
from zk.bn254.parameters import SCALAR_MODULUS
from zk.bn254.scalars import scalars_from_integers, scalars_to_integers

# Work below which a second core is not worth a thread.
_SMALLEST_RANGE: Final = 4096

# Coordinates whose sums a core's cache holds while one vector after another is added.
_COMBINED_AT_ONCE: Final = 16384

_FACTOR_BITS: Final = 128
_INT16_OFFSET: Final = 2**15


def evaluate(values: UInt64Array, x: int) -> int:
    """Return `sum_j values[j] x^j`, of [0, r), for any integer x.

    Parameters
    ----------
    values
        Scalars, uint64, shape (n, 4).

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    values = readable_scalars(values)
    point = scalars_from_integers([x])
    ranges = split_range(len(values), core_count(), smallest=_SMALLEST_RANGE)
    parts = np.empty((len(ranges), 4), np.uint64)
    run_all(_horner, [(values[begin:end], point, parts[k]) for k, (begin, end) in enumerate(ranges)])
    starts = (pow(x, begin, SCALAR_MODULUS) for begin, _ in ranges)
    return sum(part * start for part, start in zip(scalars_to_integers(parts), starts, strict=True)) % SCALAR_MODULUS


def add_scaled(target: UInt64Array, values: UInt64Array, factor: int) -> None:
    """Add `factor values[j]` to `target[j]` in place, for any integer factor.

    Parameters
    ----------
    target, values
        Scalars, uint64, both of shape (n, 4); the target contiguous.

    Raises
    ------
    ArrayError
        If an array has another type or shape, or the target can't be written to.
    """
    target, values = writable("sums", target, np.uint64, (None, 4)), readable_scalars(values)
    if len(target) != len(values):
        raise ArrayError("sums", len(target), f"as many as the {len(values)} scalars added to them")
    scale = scalars_from_integers([factor])
    ranges = split_range(len(values), core_count(), smallest=_SMALLEST_RANGE)
    run_all(_add_scaled, [(target[begin:end], values[begin:end], scale) for begin, end in ranges])


def combine_int16(updates: Sequence[Int16Array], factors: Sequence[int]) -> UInt64Array:
    """Return `sum_i factors[i] updates[i]` for each coordinate.

    Parameters
    ----------
    updates
        At least one, each int16, shape (d,).
    factors
        As many integers of [0, 2^128).

    Returns
    -------
    Scalars, uint64, shape (d, 4).

    Raises
    ------
    ArrayError
        If an update has another type, shape or length, or a factor is out of range, or there are none.
    """
    rows = [readable("updates", update, np.int16, (None,)) for update in updates]
    if not rows or len(rows) != len(factors) or len({len(row) for row in rows}) != 1:
        found = f"of lengths {sorted({len(row) for row in rows})}, {len(rows)} with {len(factors)} factors"
        raise ArrayError("updates", found, "at least one, of one length, each with a factor")
    for factor in factors:
        if not 0 <= factor < 2**_FACTOR_BITS:
            raise ArrayError("factors", factor, f"at least 0 and below 2^{_FACTOR_BITS}")
    limbs = np.array([to_limbs(factor)[:2] for factor in factors], np.uint64)
    # Coordinates are made unsigned by an offset, whose part of the sum is the same everywhere.
    offset = scalars_from_integers([_INT16_OFFSET * sum(factors)])
    result = np.empty((len(rows[0]), 4), np.uint64)

    def combine(begin: int, end: int) -> None:
        sums = np.zeros((end - begin, 3), np.uint64)
        for row, factor in zip(rows, limbs, strict=True):
            _accumulate(sums, row[begin:end], factor)
        _reduce_sums(sums, offset, result[begin:end])

    run_all(combine, split_range(len(result), -(-len(result) // _COMBINED_AT_ONCE)))
    return result


def divide_by_quadratic(values: UInt64Array, s: int) -> tuple[UInt64Array, tuple[int, int]]:
    """Divide a polynomial by `X^2 - s X + 1`, for any integer s.

    Parameters
    ----------
    values
        Its coefficients, uint64, shape (n, 4).

    Returns
    -------
    The quotient's coefficients, uint64, shape (n - 2, 4), none for n < 2, and the remainder `(t_0, t_1)`, which stands
    for `t_0 + t_1 X`.

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    values = readable_scalars(values)
    quotient = np.empty((max(0, len(values) - 2), 4), np.uint64)
    remainder = np.empty((2, 4), np.uint64)
    _divide(values, scalars_from_integers([s]), quotient, remainder)
    constant, linear = scalars_to_integers(remainder)
    return quotient, (constant, linear)


@compiled
def _horner(values: UInt64Array, point: UInt64Array, result: UInt64Array) -> None:
    """Write the value of a polynomial at `point[0]` to the result, shape (4,)."""
    x = load(point, 0)
    total = fr.NOUGHT
    for j in range(len(values) - 1, -1, -1):
        total = fr.add(fr.multiply(total, x), load(values, j))
    for limb in range(4):
        result[limb] = total[limb]


@compiled
def _add_scaled(target: UInt64Array, values: UInt64Array, scale: UInt64Array) -> None:
    factor = load(scale, 0)
    for j in range(len(values)):
        store(target, j, fr.add(load(target, j), fr.multiply(load(values, j), factor)))


@compiled
def _accumulate(sums: UInt64Array, coordinates: Int16Array, factor: UInt64Array) -> None:
    """Add the factor, two limbs, times each coordinate plus 2^15 to sums of three limbs."""
    low, high = factor[0], factor[1]
    for k in range(len(coordinates)):
        coordinate = np.uint64(np.int64(coordinates[k]) + _INT16_OFFSET)
        sums[k, 0], carry = mac(low, coordinate, sums[k, 0], ZERO)
        sums[k, 1], carry = mac(high, coordinate, sums[k, 1], carry)
        sums[k, 2] += carry


@compiled
def _reduce_sums(sums: UInt64Array, offset: UInt64Array, result: UInt64Array) -> None:
    """Write the sums of three limbs less the offset as scalars."""
    for k in range(len(sums)):
        total = fr.to_montgomery((sums[k, 0], sums[k, 1], sums[k, 2], ZERO))
        store(result, k, fr.subtract(total, load(offset, 0)))


@compiled
def _divide(values: UInt64Array, factor: UInt64Array, quotient: UInt64Array, remainder: UInt64Array) -> None:
    """Divide by X^2 - s X + 1 from the highest coefficient down: `q_k = p_(k+2) + s q_(k+1) - q_(k+2)`."""
    s = load(factor, 0)
    last, before = fr.NOUGHT, fr.NOUGHT
    for k in range(len(values) - 3, -1, -1):
        last, before = fr.add(load(values, k + 2), fr.subtract(fr.multiply(s, last), before)), last
        store(quotient, k, last)
    constant, linear = fr.NOUGHT, fr.NOUGHT
    if len(values) > 0:
        constant = load(values, 0)
    if len(values) > 1:
        linear = load(values, 1)
    store(remainder, 0, fr.subtract(constant, last))
    store(remainder, 1, fr.add(linear, fr.subtract(fr.multiply(s, last), before)))
