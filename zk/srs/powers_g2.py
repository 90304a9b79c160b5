"""Whether points of G2 are of the same powers as points of G1, by random linear combinations and pairings.

Points `Q_0 .. Q_(n-1)` of the curve of G2 are the twins of `P_0 .. P_(n-1)` if they are in the subgroup of order r and
`pairing([1], Q_i) = pairing(P_i, [1]_2)` for all i. With random coefficients `c_i` of 13 bits,

    W = sum_i c_i Q_i is in the subgroup, and pairing([1], W) = pairing(sum_i c_i P_i, [1]_2),

stands for all. The order of the curve is r times a cofactor, 2 p - r, without a prime factor below 10069 > 2^13. So if
a single `Q_i` is outside of the subgroup, or in it and not the twin, this holds for one value of `c_i` at most. It is
checked ten times with coefficients from the operating system: a wrong point goes unnoticed with probability 2^-130
at most.
"""

import secrets
from typing import Final

import numpy as np
import numpy.typing as npt

from zk.bn254 import (
    PointEncodingError,
    g1_add,
    g1_generator,
    g2_generator,
    multi_scalar_multiplication_int16,
    require_g2,
)
from zk.bn254.buckets_g2 import add_to_buckets, empty_buckets, first_reject, sum_of_buckets
from zk.bn254.parallel import run_all
from zk.srs.pairings import Points, pairings_are_equal
from zk.srs.powers import Progress, checked_points

COEFFICIENT_BITS: Final = 13
_LARGEST: Final = 2**COEFFICIENT_BITS - 1
_EQUATIONS: Final = 10


def require_twins(points_g2: Points, points: Points, what: str, progress: Progress) -> None:
    """Require that points of G2 are of the same scalars as points of G1, of which there are as many.

    Parameters
    ----------
    points_g2
        uint64, shape (n, 2, 2, 4), aligned or not.
    points
        uint64, shape (n, 2, 4), aligned or not.
    what
        What the points of G2 are, for errors and for `progress`.

    Raises
    ------
    ValueError
        If one is not.
    """
    sums = np.zeros((_EQUATIONS, 2, 4), np.uint64)
    buckets = [empty_buckets(_LARGEST) for _ in range(_EQUATIONS)]
    start, total = 0, len(points_g2)
    for chunk in checked_points(points, f"{what}, their twins in G1", progress=lambda *_: None):
        progress(what, start, total)
        chunk_g2 = checked_points_g2(points_g2[start : start + len(chunk)], start, what)
        coefficients = _random_coefficients(len(chunk))
        sums = g1_add(sums, np.concatenate([multi_scalar_multiplication_int16(chunk, row) for row in coefficients]))
        run_all(add_to_buckets, [(chunk_g2, row, bucket) for row, bucket in zip(coefficients, buckets, strict=True)])
        start += len(chunk)
    progress(what, total, total)
    for k, bucket in enumerate(buckets):
        _require_twin(sum_of_buckets(bucket), sums[k : k + 1], what)


def checked_points_g2(points: Points, start: int, what: str) -> Points:
    """Return a copy of points, uint64, shape (n, 2, 2, 4), all of the curve of G2; whether in the subgroup is not said.

    Parameters
    ----------
    points
        uint64, shape (n, 2, 2, 4), aligned or not.
    start
        Position of the first, for the error.
    what
        What they are, for the error.

    Raises
    ------
    ValueError
        If a coordinate is not below p, a point is off the curve, or infinity.
    """
    chunk = np.array(points)
    position = first_reject(chunk)
    if position >= 0:
        raise ValueError(f"point {start + position} of {what} is infinity, not canonical, or not on the curve of G2")
    return chunk


def _random_coefficients(count: int) -> npt.NDArray[np.int16]:
    """Return uniform integers of 13 bits, int16, shape (equations, count)."""
    drawn = np.frombuffer(secrets.token_bytes(2 * _EQUATIONS * count), np.int16).reshape(_EQUATIONS, count)
    return drawn & np.int16(_LARGEST)


def _require_twin(total_g2: Points, total: Points, what: str) -> None:
    """Require that a sum is in the subgroup and of the same scalar as its twin."""
    try:
        require_g2(total_g2)
    except PointEncodingError as fault:
        raise ValueError(f"of {what}, a point is outside of the subgroup G2: a sum of some {fault.reason}") from fault
    if not pairings_are_equal(g1_generator(), total_g2, total, g2_generator()):
        raise ValueError(f"of {what}, a point is not of the same power as the point of G1 in its place")
