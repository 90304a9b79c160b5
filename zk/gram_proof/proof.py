"""Untrusted bytes to the elements of a statement and a proof, in the order of checks that the specification gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from zk.bn254 import PointEncodingError, g1_from_bytes
from zk.bn254.parameters import BASE_MODULUS, SCALAR_MODULUS
from zk.errors import ProofRejectedError, Rejection

Points = npt.NDArray[np.uint64]

MAX_COMMITMENTS: Final = 255
CONTEXT_BYTES: Final = 32
POINT_BYTES: Final = 64
SCALAR_BYTES: Final = 32
PROOF_BYTES: Final = 3 * POINT_BYTES + 5 * SCALAR_BYTES

_ENTRY_BYTES: Final = 8
# Where the elements of an encoded proof begin.
_MASK, _MU, _CORRELATION, _U, _V, _W, _E, _PI = 0, 64, 96, 160, 192, 224, 256, 288


@dataclass(frozen=True)
class Statement:
    """What is to be shown: the encoded public input, and what it decodes to.

    Attributes
    ----------
    context, commitments, gram
        As received.
    points
        The commitments, uint64, shape (n, 2, 4).
    matrix
        Its upper triangle, row by row with the diagonal, in Python integers.
    """

    context: bytes
    commitments: bytes
    gram: bytes
    points: Points
    matrix: list[int]

    @property
    def count(self) -> int:
        """Number of commitments, n."""
        return len(self.points)


@dataclass(frozen=True)
class Proof:
    """A proof's elements; points as uint64, shape (1, 2, 4), scalars below r. `encoded` is what they come from."""

    encoded: bytes
    mask: Points
    mu: int
    correlation: Points
    u: int
    v: int
    w: int
    e: int
    pi: Points

    @property
    def encoded_mask(self) -> bytes:
        """`C_M` as it was encoded."""
        return self.encoded[_MASK:_MU]

    @property
    def encoded_mu(self) -> bytes:
        """`mu` as it was encoded."""
        return self.encoded[_MU:_CORRELATION]

    @property
    def encoded_correlation(self) -> bytes:
        """`C_g` as it was encoded."""
        return self.encoded[_CORRELATION:_U]

    @property
    def encoded_openings(self) -> bytes:
        """`u || v || w` as they were encoded."""
        return self.encoded[_U:_E]


def parse(context: bytes, commitments: bytes, gram: bytes, proof: bytes) -> tuple[Statement, Proof]:
    """Convert untrusted bytes to a statement and a proof.

    Raises
    ------
    ProofRejectedError
        At the first check that fails.
    """
    _require_lengths(context, commitments, gram, proof)
    count = len(commitments) // POINT_BYTES
    places = [(f"commitment {number}", commitments, POINT_BYTES * (number - 1)) for number in range(1, count + 1)]
    points = np.concatenate([_point(*place) for place in places])
    mask = _point("C_M", proof, _MASK)
    correlation = _point("C_g", proof, _CORRELATION)
    pi = _point("pi", proof, _PI)
    mu, u, v, w, e = (
        _scalar(name, proof, at) for name, at in (("mu", _MU), ("u", _U), ("v", _V), ("w", _W), ("e", _E))
    )
    matrix = np.frombuffer(gram, dtype=">i8").tolist()
    statement = Statement(context, commitments, gram, points, matrix)
    return statement, Proof(proof, mask, mu, correlation, u, v, w, e, pi)


def encode_scalar(value: int) -> bytes:
    """Encode a number modulo r."""
    return (value % SCALAR_MODULUS).to_bytes(SCALAR_BYTES, "big")


def _require_lengths(context: bytes, commitments: bytes, gram: bytes, proof: bytes) -> None:
    """Refuse lengths that no statement has."""
    if len(context) != CONTEXT_BYTES:
        _reject_length(Rejection.LENGTH_OF_CONTEXT, "context is", len(context), str(CONTEXT_BYTES))
    count, rest = divmod(len(commitments), POINT_BYTES)
    if rest:
        _reject_length(Rejection.LENGTH_OF_COMMITMENTS, "commitments are", len(commitments), "a multiple of 64")
    if not 1 <= count <= MAX_COMMITMENTS:
        raise ProofRejectedError(
            Rejection.NUMBER_OF_COMMITMENTS,
            "",
            f"There are {count} commitments and must be 1 to {MAX_COMMITMENTS}; take them from the round's settlement.",
        )
    if len(gram) != _ENTRY_BYTES * count * (count + 1) // 2:
        expected = f"{_ENTRY_BYTES * count * (count + 1) // 2} for {count} commitments"
        _reject_length(Rejection.LENGTH_OF_MATRIX, "matrix is", len(gram), expected)
    if len(proof) != PROOF_BYTES:
        _reject_length(Rejection.LENGTH_OF_PROOF, "proof is", len(proof), str(PROOF_BYTES))


def _reject_length(reason: Rejection, what: str, found: int, expected: str) -> None:
    raise ProofRejectedError(
        reason, "", f"The {what} {found} bytes long and must be {expected}; fetch the settlement again."
    )


def _point(place: str, data: bytes, at: int) -> Points:
    """Decode one point, refusing infinity, shape (1, 2, 4)."""
    encoded = data[at : at + POINT_BYTES]
    x, y = int.from_bytes(encoded[:32], "big"), int.from_bytes(encoded[32:], "big")
    if x == 0 and y == 0:
        raise ProofRejectedError(
            Rejection.POINT_AT_INFINITY, place, f"The {place} is the point at infinity, which no honest prover sends."
        )
    if x >= BASE_MODULUS or y >= BASE_MODULUS:
        raise ProofRejectedError(
            Rejection.COORDINATE_OUT_OF_RANGE,
            place,
            f"The {place} has the coordinates {x} and {y}, which must be below {BASE_MODULUS}.",
        )
    try:
        return g1_from_bytes(encoded)
    except PointEncodingError as fault:
        raise ProofRejectedError(
            Rejection.POINT_NOT_ON_CURVE, place, f"The {place}, ({x}, {y}), is not a point of y^2 = x^3 + 3."
        ) from fault


def _scalar(place: str, data: bytes, at: int) -> int:
    """Decode one number below r."""
    value = int.from_bytes(data[at : at + SCALAR_BYTES], "big")
    if value >= SCALAR_MODULUS:
        raise ProofRejectedError(
            Rejection.SCALAR_OUT_OF_RANGE, place, f"The {place} is {value} and must be below {SCALAR_MODULUS}."
        )
    return value
