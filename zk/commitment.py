"""What a commitment to an update is; everybody else treats commitments as opaque bytes.

A commitment is `keccak256(DOMAIN || blinder || d || q_1 || ... || q_d)` with the blinder as 32 bytes, d as an unsigned
64-bit and every coordinate as a signed 16-bit little-endian integer. All parts but the coordinates have a fixed length
and d says how many coordinates follow, so two different openings never hash the same bytes. The blinder hides the
update from anyone who can guess it.

The model's commitment is a hash chain over the aggregates that the aggregator states; it proves nothing about how
they came about.
"""

import secrets
from typing import Final, NewType

import numpy as np
import numpy.typing as npt
from eth_hash.auto import keccak

from zk.errors import CommitmentError

Commitment = NewType("Commitment", bytes)
Blinder = NewType("Blinder", bytes)

COMMITMENT_BYTES: Final = 32
BLINDER_BYTES: Final = 32
BINARY_CID_BYTES: Final = 36

# The commitment to the sum of no updates, with which every job begins.
INITIAL_MODEL: Final = bytes(32)

_DOMAIN: Final = b"cairn/update-commitment/v1\0"


def new_blinder() -> Blinder:
    """Draw a blinder from the operating system; one for each commitment, never used again."""
    return Blinder(secrets.token_bytes(BLINDER_BYTES))


def parse_blinder(data: bytes) -> Blinder:
    """Convert untrusted bytes to a blinder.

    Raises
    ------
    CommitmentError
        If there are not exactly 32 bytes.
    """
    if len(data) != BLINDER_BYTES:
        raise CommitmentError("blinder", f"{len(data)} bytes", f"{BLINDER_BYTES} bytes")
    return Blinder(bytes(data))


def parse_commitment(data: bytes) -> Commitment:
    """Convert untrusted bytes to a commitment.

    Raises
    ------
    CommitmentError
        If there are not exactly 32 bytes.
    """
    if len(data) != COMMITMENT_BYTES:
        raise CommitmentError("commitment", f"{len(data)} bytes", f"{COMMITMENT_BYTES} bytes")
    return Commitment(bytes(data))


def commit(coordinates: npt.NDArray[np.int16], blinder: Blinder) -> Commitment:
    """Commit to an update.

    Parameters
    ----------
    coordinates
        The quantised update, int16, shape (d,).
    blinder
        From `new_blinder`.

    Raises
    ------
    CommitmentError
        If the coordinates are not one axis of int16, or the blinder has another size.
    """
    parse_blinder(blinder)
    if coordinates.ndim != 1 or coordinates.dtype.newbyteorder("=") != np.dtype(np.int16):
        raise CommitmentError("update", f"{coordinates.dtype}, shape {coordinates.shape}", "int16 with one axis")
    head = _DOMAIN + blinder + coordinates.size.to_bytes(8, "little")
    return Commitment(keccak(head + coordinates.astype("<i2").tobytes()))


def opens(commitment: Commitment, coordinates: npt.NDArray[np.int16], blinder: Blinder) -> bool:
    """Whether the commitment is one to these coordinates with this blinder."""
    return commit(coordinates, blinder) == commitment


def commitment_hash(commitment: bytes) -> bytes:
    """Return `keccak256(commitment)`, what the chain stores of a commitment or of the model commitment."""
    return bytes(keccak(commitment))


def initial_model_commitment() -> bytes:
    """Return the model commitment before the first settlement; the initial weights are bound by the specification."""
    return INITIAL_MODEL


def advance_model(previous: bytes, aggregate_cid: bytes) -> bytes:
    """Return the model commitment after a settlement: `keccak256(previous || aggregate_cid)`.

    Parameters
    ----------
    previous
        The model commitment before, 32 bytes.
    aggregate_cid
        Binary CID of the cumulative aggregate, 36 bytes.

    Raises
    ------
    CommitmentError
        If one of them has another size.
    """
    if len(previous) != COMMITMENT_BYTES:
        raise CommitmentError("model commitment", f"{len(previous)} bytes", f"{COMMITMENT_BYTES} bytes")
    if len(aggregate_cid) != BINARY_CID_BYTES:
        raise CommitmentError("CID of the aggregate", f"{len(aggregate_cid)} bytes", f"{BINARY_CID_BYTES} bytes")
    return bytes(keccak(previous + aggregate_cid))
