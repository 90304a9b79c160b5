"""What a verifier knows of the structured reference string."""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

from zk.bn254 import (
    PointEncodingError,
    g1_from_bytes,
    g1_generator,
    g1_to_bytes,
    g2_from_bytes,
    g2_generator,
    g2_to_bytes,
)
from zk.srs.errors import InvalidKeyError
from zk.srs.identity import DEVELOPMENT_IDENTITY, identity_of
from zk.srs.pairings import Points, pairings_are_equal

G1_BYTES: Final = 64
G2_BYTES: Final = 128
KEY_BYTES: Final = 2 * G1_BYTES + 2 * G2_BYTES


@dataclass(frozen=True)
class VerificationKey:
    """Four points in the encoding of the EVM's precompiles; `parse_verification_key` makes it from untrusted bytes.

    Attributes
    ----------
    tau_g1, beta_g1
        `[tau]` and `[beta]`: x then y, 32 bytes each, big-endian.
    tau_g2, tau_squared_g2
        `[tau]_2` and `[tau^2]_2`: x then y, of each the imaginary part, then the real one, 32 bytes each, big-endian.
    """

    tau_g1: bytes
    beta_g1: bytes
    tau_g2: bytes
    tau_squared_g2: bytes

    def encode(self) -> bytes:
        """Return the four points in this order, 384 bytes."""
        return self.tau_g1 + self.beta_g1 + self.tau_g2 + self.tau_squared_g2

    @property
    def identity(self) -> bytes:
        """The proof's `srs`, 32 bytes; see `identity_of`."""
        return identity_of(self.encode())

    @property
    def is_for_development(self) -> bool:
        """Whether everybody knows its secrets."""
        return self.identity == DEVELOPMENT_IDENTITY


def parse_verification_key(data: bytes) -> VerificationKey:
    """Convert untrusted bytes to a verification key.

    Checked are: every point canonical and on its curve, those of G2 in the subgroup of order r, none infinity;
    `[1]`, `[tau]` and `[beta]` with three different x coordinates, because somebody who can tell one of these points
    from another can open a commitment in two ways; and that one tau gave all: `pairing([tau], [1]_2) =
    pairing([1], [tau]_2)`, `pairing([tau], [tau]_2) = pairing([1], [tau^2]_2)`.

    Raises
    ------
    InvalidKeyError
        If one of these does not hold.
    """
    if len(data) != KEY_BYTES:
        raise InvalidKeyError("its encoding", f"has {len(data)} bytes instead of {KEY_BYTES}")
    key = VerificationKey(data[:64], data[64:128], data[128:256], data[256:384])
    tau = _require_g1("[tau]", key.tau_g1)
    _require_g1("[beta]", key.beta_g1)
    tau_g2 = _require_g2("[tau]_2", key.tau_g2)
    tau_squared_g2 = _require_g2("[tau^2]_2", key.tau_squared_g2)
    _require_different(key)
    if not pairings_are_equal(tau, g2_generator(), g1_generator(), tau_g2):
        raise InvalidKeyError("[tau]_2", "is not of the same tau as [tau]")
    if not pairings_are_equal(tau, tau_g2, g1_generator(), tau_squared_g2):
        raise InvalidKeyError("[tau^2]_2", "is not of the square of the tau of [tau]")
    return key


def _require_g1(name: str, data: bytes) -> Points:
    """Return a point of G1 that is not infinity, uint64, shape (1, 2, 4)."""
    _require_finite(name, data)
    try:
        return g1_from_bytes(data)
    except PointEncodingError as fault:
        raise InvalidKeyError(name, fault.reason) from fault


def _require_g2(name: str, data: bytes) -> Points:
    """Return a point of G2 that is neither infinity nor the generator, uint64, shape (1, 2, 2, 4)."""
    _require_finite(name, data)
    if data == g2_to_bytes(g2_generator()):
        raise InvalidKeyError(name, "is the generator, so its secret is no secret")
    try:
        return g2_from_bytes(data)
    except PointEncodingError as fault:
        raise InvalidKeyError(name, fault.reason) from fault


def _require_finite(name: str, data: bytes) -> None:
    if not any(data):
        raise InvalidKeyError(name, "is the point at infinity")


def _require_different(key: VerificationKey) -> None:
    x_coordinates = {"[1]": g1_to_bytes(g1_generator())[:32], "[tau]": key.tau_g1[:32], "[beta]": key.beta_g1[:32]}
    for (name, x), (other, other_x) in combinations(x_coordinates.items(), 2):
        if x == other_x:
            raise InvalidKeyError(other, f"is {name} or its negative, so its secret is no secret")
