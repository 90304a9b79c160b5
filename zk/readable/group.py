"""Points of BN254: untrusted bytes to points, commitments, and the product of pairings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from py_ecc.optimized_bn128 import (
    FQ,
    FQ2,
    FQ12,
    G1,
    G2,
    Z1,
    add,
    b,
    curve_order,
    eq,
    field_modulus,
    final_exponentiate,
    is_inf,
    is_on_curve,
    multiply,
    neg,
    normalize,
    pairing,
)

from zk.errors import ProofRejectedError, Rejection

# A point of G1 or G2 in the projective coordinates of `py_ecc`, whose classes have no type annotations.
Point = Any

SCALAR_ORDER: Final[int] = curve_order
BASE_ORDER: Final[int] = field_modulus
POINT_BYTES: Final = 64
SCALAR_BYTES: Final = 32


def bytes_to_point(data: bytes, place: str) -> Point:
    """Convert 64 untrusted bytes to a point of G1, which is not the point at infinity.

    Parameters
    ----------
    data
        x, then y, 32 bytes each, big-endian.
    place
        What the point is, for the error.

    Raises
    ------
    ProofRejectedError
        If it is the point at infinity, a coordinate is not below the order of the base field, or y^2 != x^3 + 3.
    """
    if data == bytes(POINT_BYTES):
        raise ProofRejectedError(
            Rejection.POINT_AT_INFINITY, place, f"The {place} is the point at infinity; ask the prover for another."
        )
    x, y = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")
    if x >= BASE_ORDER or y >= BASE_ORDER:
        raise ProofRejectedError(
            Rejection.COORDINATE_OUT_OF_RANGE,
            place,
            f"The {place} has the coordinates {x} and {y}; they must be below {BASE_ORDER}.",
        )
    point = (FQ(x), FQ(y), FQ(1))
    if not is_on_curve(point, b):
        raise ProofRejectedError(
            Rejection.POINT_NOT_ON_CURVE, place, f"The {place} ({x}, {y}) is not a point of y^2 = x^3 + 3."
        )
    return point


def point_to_bytes(point: Point) -> bytes:
    """Encode a point of G1; the point at infinity as 64 zero bytes."""
    if is_inf(point):
        return bytes(POINT_BYTES)
    x, y = normalize(point)
    return int(x).to_bytes(32, "big") + int(y).to_bytes(32, "big")


def bytes_to_g2(data: bytes) -> Point:
    """Decode a point of G2 of a verification key that was checked when it was read: x then y, imaginary parts first."""
    numbers = [int.from_bytes(data[at : at + 32], "big") for at in range(0, 128, 32)]
    return FQ2([numbers[1], numbers[0]]), FQ2([numbers[3], numbers[2]]), FQ2([1, 0])


def bytes_to_scalar(data: bytes, place: str) -> int:
    """Convert 32 untrusted bytes to a number below r.

    Raises
    ------
    ProofRejectedError
        If the number is not below r.
    """
    value = int.from_bytes(data, "big")
    if value >= SCALAR_ORDER:
        raise ProofRejectedError(
            Rejection.SCALAR_OUT_OF_RANGE, place, f"The {place} is {value}; it must be below {SCALAR_ORDER}."
        )
    return value


def linear_combination(terms: Sequence[tuple[int, Point]]) -> Point:
    """Return the sum of `factor * point` over the terms."""
    total = Z1
    for factor, point in terms:
        total = add(total, multiply(point, factor % SCALAR_ORDER))
    return total


def commit(coefficients: Sequence[int], blinder: int, powers: Sequence[Point], beta: Point) -> Point:
    """Commit to a polynomial: `Com(f; b) = [f(tau)] + b [beta]`.

    Parameters
    ----------
    coefficients
        Of f, the constant one first; any integers.
    blinder
        b.
    powers
        `[tau^j]`, at least as many as there are coefficients.
    beta
        `[beta]`.

    Raises
    ------
    ValueError
        If there are fewer powers than coefficients.
    """
    if len(coefficients) > len(powers):
        raise ValueError(f"{len(coefficients)} coefficients need as many powers, there are {len(powers)}")
    return linear_combination([(blinder, beta), *zip(coefficients, powers, strict=False)])


def product_of_pairings_is_one(pairs: Sequence[tuple[Point, Point]]) -> bool:
    """Whether the product of `pairing(P, Q)` over the pairs (P in G1, Q in G2) is one."""
    product = FQ12.one()
    for left, right in pairs:
        product = product * pairing(right, left, final_exponentiate=False)
    return bool(final_exponentiate(product) == FQ12.one())


__all__ = [
    "BASE_ORDER",
    "G1",
    "G2",
    "POINT_BYTES",
    "SCALAR_BYTES",
    "SCALAR_ORDER",
    "Point",
    "add",
    "bytes_to_g2",
    "bytes_to_point",
    "bytes_to_scalar",
    "commit",
    "eq",
    "linear_combination",
    "multiply",
    "neg",
    "point_to_bytes",
    "product_of_pairings_is_one",
]
