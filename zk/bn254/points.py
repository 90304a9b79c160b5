"""Points of G1 for Python: bytes become points in one place, which refuses what is not canonical.

Points are uint64 arrays of shape (n, 2, 4), one point too: x and y in Montgomery form; all zeros is infinity.
Every point of the curve is in G1, because the curve's order is the prime r, so there is no subgroup to check.
"""

import numpy as np

from zk.bn254 import base_field as fp
from zk.bn254 import g1
from zk.bn254.arrays import readable_points
from zk.bn254.errors import ArrayError, PointEncodingError
from zk.bn254.jit import compiled
from zk.bn254.limbs import UInt64Array, are_equal, is_zero, load, store, to_limbs
from zk.bn254.parameters import BASE_MODULUS, G1_COEFFICIENT, G1_GENERATOR, SCALAR_MODULUS

POINT_BYTES = 64

_B = to_limbs(G1_COEFFICIENT * 2**256 % BASE_MODULUS)


def g1_generator() -> UInt64Array:
    """Return the generator (1, 2) of G1, uint64 of shape (1, 2, 4)."""
    return g1_from_bytes(b"".join(coordinate.to_bytes(32, "big") for coordinate in G1_GENERATOR))


def g1_from_bytes(data: bytes) -> UInt64Array:
    """Convert untrusted bytes to points.

    Parameters
    ----------
    data
        For each point 64 bytes, x and y big-endian, as EIP-196 has it; 64 zero bytes are infinity.

    Returns
    -------
    uint64, shape (n, 2, 4).

    Raises
    ------
    PointEncodingError
        If a point is cut off, has a coordinate of p or more, or is not on the curve.
    """
    if len(data) % POINT_BYTES:
        reason = f"has {len(data) % POINT_BYTES} bytes instead of {POINT_BYTES}"
        raise PointEncodingError(len(data) // POINT_BYTES, reason)
    points = coordinates_from_bytes(data, POINT_BYTES).reshape(-1, 2, 4)
    require_g1(points)
    return points


def g1_to_bytes(points: UInt64Array) -> bytes:
    """Return the 64 bytes of each point, as `g1_from_bytes` takes them.

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    return coordinates_to_bytes(readable_points(points))


def require_g1(points: UInt64Array) -> None:
    """Check that points are in G1: reduced coordinates, on the curve or infinity.

    Parameters
    ----------
    points
        uint64, shape (n, 2, 4), in Montgomery form; of any origin.

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    PointEncodingError
        If one of the points is not in G1; it names the first.
    """
    points = readable_points(points)
    position = _first_reject(points)
    if position < len(points):
        x, y = (coordinates_to_bytes(coordinate).hex() for coordinate in points[position])
        raise PointEncodingError(position, f"(0x{x}, 0x{y}) is not on the curve y^2 = x^3 + {G1_COEFFICIENT}")


def coordinates_from_bytes(data: bytes, point_bytes: int) -> UInt64Array:
    """Convert big-endian coordinates of 32 bytes to Montgomery form, uint64 of shape (n, 4).

    Raises
    ------
    PointEncodingError
        If one is p or more; the position is that of the point of so many bytes that it belongs to.
    """
    integers = np.ascontiguousarray(np.frombuffer(data, ">u8").astype(np.uint64).reshape(-1, 4)[:, ::-1])
    position = encode_coordinates(integers)
    if position < len(integers):
        value = int.from_bytes(data[32 * position : 32 * position + 32], "big")
        reason = f"has a coordinate of {value}, not below p = {BASE_MODULUS}"
        raise PointEncodingError(32 * position // point_bytes, reason)
    return integers


def coordinates_to_bytes(coordinates: UInt64Array) -> bytes:
    """Return the big-endian bytes, 32 each, of coordinates in Montgomery form, the last axis of length 4."""
    integers = coordinates.reshape(-1, 4).copy()
    _decode_coordinates(integers)
    return integers[:, ::-1].astype(">u8").tobytes()


def g1_add(first: UInt64Array, second: UInt64Array) -> UInt64Array:
    """Return the sums of points with points, all of shape (n, 2, 4).

    Raises
    ------
    ArrayError
        If one of the arrays has another type or shape, or there are more in one.
    """
    first, second = readable_points(first), readable_points(second)
    if len(first) != len(second):
        raise ArrayError("points", len(first), f"as many as the {len(second)} that are added to them")
    sums = np.empty((len(first), 2, 4), np.uint64)
    _add(first, second, sums)
    return sums


def g1_negate(points: UInt64Array) -> UInt64Array:
    """Return the negatives of points, of shape (n, 2, 4).

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    negatives = np.empty((len(points), 2, 4), np.uint64)
    _negate(readable_points(points), negatives)
    return negatives


def g1_multiply(points: UInt64Array, factor: int) -> UInt64Array:
    """Return points, of shape (n, 2, 4), multiplied with one integer of any size and sign.

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    limbs = np.array([to_limbs(factor % SCALAR_MODULUS)], np.uint64)
    products = np.empty((len(points), 2, 4), np.uint64)
    _multiply(readable_points(points), limbs, products)
    return products


@compiled
def encode_coordinates(integers: UInt64Array) -> int:
    """Convert integers to Montgomery form in place up to the first that is p or more; return its position, or n."""
    for i in range(len(integers)):
        value = load(integers, i)
        if not fp.is_reduced(value):
            return i
        store(integers, i, fp.to_montgomery(value))
    return len(integers)


@compiled
def _decode_coordinates(coordinates: UInt64Array) -> None:
    for i in range(len(coordinates)):
        store(coordinates, i, fp.from_montgomery(load(coordinates, i)))


@compiled
def _first_reject(points: UInt64Array) -> int:
    """Return the position of the first point that is not in G1, or n."""
    for i in range(len(points)):
        x, y = g1.load_point(points, i)
        if is_zero(x) and is_zero(y):
            continue
        if not (fp.is_reduced(x) and fp.is_reduced(y)):
            return i
        if not are_equal(fp.square(y), fp.add(fp.multiply(fp.square(x), x), _B)):
            return i
    return len(points)


@compiled
def _add(first: UInt64Array, second: UInt64Array, sums: UInt64Array) -> None:
    for i in range(len(first)):
        total = g1.add_affine(g1.to_xyzz(g1.load_point(first, i)), g1.load_point(second, i))
        g1.store_point(sums, i, g1.to_affine(total))


@compiled
def _negate(points: UInt64Array, negatives: UInt64Array) -> None:
    for i in range(len(points)):
        x, y = g1.load_point(points, i)
        g1.store_point(negatives, i, (x, fp.negate(y)))


@compiled
def _multiply(points: UInt64Array, factor: UInt64Array, products: UInt64Array) -> None:
    for i in range(len(points)):
        g1.store_point(products, i, g1.to_affine(g1.multiply_point(g1.load_point(points, i), load(factor, 0))))
