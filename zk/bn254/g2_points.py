"""Points of G2 for Python: bytes become points in one place, which refuses what is not canonical or not in the group.

Points are uint64 arrays of shape (n, 2, 2, 4), one point too: x and y, of each the real and the imaginary part, in
Montgomery form; all zeros is infinity.
"""

from typing import Final

import numpy as np

from zk.bn254 import g2
from zk.bn254.arrays import readable
from zk.bn254.errors import PointEncodingError
from zk.bn254.extended_field import is_nought
from zk.bn254.jit import compiled
from zk.bn254.limbs import UInt64Array, load, to_limbs
from zk.bn254.parameters import BASE_MODULUS, G2_GENERATOR, SCALAR_MODULUS
from zk.bn254.points import coordinates_from_bytes, coordinates_to_bytes

POINT_BYTES: Final = 128

_ORDER: Final = to_limbs(SCALAR_MODULUS)

_IN_GROUP, _NOT_REDUCED, _OFF_CURVE, _OUTSIDE_GROUP = 0, 1, 2, 3
_REASONS: Final = {
    _NOT_REDUCED: f"has a coordinate that is not below p = {BASE_MODULUS}",
    _OFF_CURVE: "is not on the curve y^2 = x^3 + 3 / (9 + i)",
    _OUTSIDE_GROUP: f"is on the curve, but not in the group of order r = {SCALAR_MODULUS}",
}


def g2_generator() -> UInt64Array:
    """Return the generator of G2, uint64 of shape (1, 2, 2, 4)."""
    return g2_from_bytes(b"".join(part.to_bytes(32, "big") for x in G2_GENERATOR for part in reversed(x)))


def g2_from_bytes(data: bytes) -> UInt64Array:
    """Convert untrusted bytes to points.

    Parameters
    ----------
    data
        For each point 128 bytes, x then y, of each the imaginary part, then the real one, big-endian, as EIP-197 has
        it; 128 zero bytes are infinity.

    Returns
    -------
    uint64, shape (n, 2, 2, 4).

    Raises
    ------
    PointEncodingError
        If a point is cut off, has a coordinate of p or more, is not on the curve or not in the group of order r.
    """
    if len(data) % POINT_BYTES:
        reason = f"has {len(data) % POINT_BYTES} bytes instead of {POINT_BYTES}"
        raise PointEncodingError(len(data) // POINT_BYTES, reason)
    coordinates = coordinates_from_bytes(data, POINT_BYTES).reshape(-1, 2, 2, 4)
    points = np.ascontiguousarray(coordinates[:, :, ::-1])
    require_g2(points)
    return points


def g2_to_bytes(points: UInt64Array) -> bytes:
    """Return the 128 bytes of each point, as `g2_from_bytes` takes them.

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    return coordinates_to_bytes(_readable(points)[:, :, ::-1])


def require_g2(points: UInt64Array) -> None:
    """Check that points are in G2: reduced coordinates, on the curve, of order r; or infinity.

    Parameters
    ----------
    points
        uint64, shape (n, 2, 2, 4), in Montgomery form; of any origin.

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    PointEncodingError
        If one of the points is not in G2; it names the first.
    """
    position, fault = _first_reject(_readable(points))
    if fault != _IN_GROUP:
        raise PointEncodingError(position, _REASONS[fault])


def g2_multiply(points: UInt64Array, factor: int) -> UInt64Array:
    """Return points, of shape (n, 2, 2, 4), multiplied with one integer of any size and sign.

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    points = _readable(points)
    products = np.empty(points.shape, np.uint64)
    _multiply(points, np.array([to_limbs(factor % SCALAR_MODULUS)], np.uint64), products)
    return products


def _readable(points: UInt64Array) -> UInt64Array:
    return readable("points", points, np.uint64, (None, 2, 2, 4))


@compiled
def _first_reject(points: UInt64Array) -> tuple[int, int]:
    """Return the position of the first point that is not in G2 and what is wrong with it, or (n, 0)."""
    for i in range(len(points)):
        x, y = g2.load_point(points, i)
        if is_nought(x) and is_nought(y):
            continue
        if not g2.is_reduced((x, y)):
            return i, _NOT_REDUCED
        if not g2.is_on_curve((x, y)):
            return i, _OFF_CURVE
        if not is_nought(g2.multiply_point((x, y), _ORDER)[2]):
            return i, _OUTSIDE_GROUP
    return len(points), _IN_GROUP


@compiled
def _multiply(points: UInt64Array, factor: UInt64Array, products: UInt64Array) -> None:
    for i in range(len(points)):
        g2.store_point(products, i, g2.to_affine(g2.multiply_point(g2.load_point(points, i), load(factor, 0))))
