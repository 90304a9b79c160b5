"""Whether points of G1 are the powers of one secret, by random linear combinations and pairings.

Points `P_0 .. P_(n-1)` are `[c], [c tau], .., [c tau^(n-1)]` for some c exactly if `P_(i+1) = tau P_i` for all i. With
random coefficients `c_i` one equation stands for all,

    pairing(sum_i c_i P_(i+1), [1]_2) = pairing(sum_i c_i P_i, [tau]_2).

If a single `P_(i+1)` is wrong it holds for one value of `c_i` at most, because G1 has prime order. Coefficients are
integers of 64 bits from the operating system and the equation is checked twice, so a wrong power goes unnoticed with
probability 2^-128 at most. Source: Bellare, Garay and Rabin, "Fast batch verification for modular exponentiation and
digital signatures" (1998), the small exponents test.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from zk.bn254 import PointEncodingError, g1_add, g2_generator, multi_scalar_multiplication_int64, require_g1
from zk.srs.pairings import Points, pairings_are_equal

# Called with what is done, how many of its points are done, and how many there are.
Progress = Callable[[str, int, int], None]

# Points that are in memory at once, 16 MiB of them.
CHUNK: Final = 2**18

_EQUATIONS: Final = 2


def checked_points(points: Points, what: str, progress: Progress) -> Iterator[Points]:
    """Yield points, copied from a mapped file, in chunks, each when all of it is known to be points.

    Parameters
    ----------
    points
        uint64, shape (n, 2, 4), aligned or not.
    what
        What they are, for errors and for `progress`.

    Raises
    ------
    ValueError
        If a coordinate is not below p, a point is off the curve, or infinity.
    """
    total = len(points)
    progress(what, 0, total)
    for start in range(0, total, CHUNK):
        chunk = np.array(points[start : start + CHUNK])
        infinite = np.flatnonzero(~chunk.any(axis=(1, 2)))
        if infinite.size:
            raise ValueError(f"point {start + infinite[0]} of the {total} of {what} is infinity")
        try:
            require_g1(chunk)
        except PointEncodingError as fault:
            raise ValueError(f"point {start + fault.position} of the {total} of {what} {fault.reason}") from fault
        yield chunk
        progress(what, start + len(chunk), total)


def require_powers(chunks: Iterable[Points], what: str, tau_g2: Points) -> Iterator[Points]:
    """Hand chunks of points on and, after the last, require that each point is tau times the one before.

    Parameters
    ----------
    chunks
        Points of the curve, uint64, shape (any, 2, 4).
    what
        What they are, for the error.
    tau_g2
        `[tau]_2`, uint64, shape (1, 2, 2, 4).

    Raises
    ------
    ValueError
        If one is not.
    """
    before = np.zeros((0, 2, 4), np.uint64)
    lower, upper = np.zeros((2, _EQUATIONS, 2, 4), np.uint64)
    for chunk in chunks:
        # The last point of a chunk is compared with the first of the next.
        row = np.concatenate([before, chunk])
        coefficients = _random_coefficients(len(row) - 1)
        lower = g1_add(lower, _combinations(row[:-1], coefficients))
        upper = g1_add(upper, _combinations(row[1:], coefficients))
        before = row[-1:]
        yield chunk
    for k in range(_EQUATIONS):
        if not pairings_are_equal(upper[k : k + 1], g2_generator(), lower[k : k + 1], tau_g2):
            raise ValueError(f"{what} are not powers of one secret: a point is not tau times the one before it")


def _random_coefficients(count: int) -> npt.NDArray[np.int64]:
    """Return uniform integers of 64 bits, signed, int64, shape (equations, count)."""
    return np.frombuffer(secrets.token_bytes(8 * _EQUATIONS * count), np.int64).reshape(_EQUATIONS, count)


def _combinations(points: Points, coefficients: npt.NDArray[np.int64]) -> Points:
    """Return a linear combination of the points for each row of coefficients, uint64, shape (equations, 2, 4)."""
    return np.concatenate([multi_scalar_multiplication_int64(points, row) for row in coefficients])
