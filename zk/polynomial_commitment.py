"""Commitments to integer vectors: hiding, binding and additively homomorphic.

    Com(q; b) = [f(tau)] + b [beta],    f(X) = sum_k q[k] X^k

Perfectly hiding by the blinder b, binding as long as nobody finds tau or beta (Kate, Zaverucha, Goldberg 2010, with the
blinder on a base of its own). `Com(q; b) + Com(q'; b') = Com(q + q'; b + b')`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from eth_hash.auto import keccak

from zk.bn254 import (
    combine_int16,
    g1_add,
    g1_from_bytes,
    g1_multiply,
    g1_to_bytes,
    multi_scalar_multiplication,
    multi_scalar_multiplication_int16,
    multi_scalar_multiplication_int64,
    scalars_from_integers,
)
from zk.bn254.parameters import SCALAR_MODULUS
from zk.errors import CommitmentError
from zk.srs.file import StructuredReferenceString, require_dimension

Update = npt.NDArray[np.int16]

COMMITMENT_BYTES: Final = 64
BLINDER_BYTES: Final = 32
# The commitment to the sum of no updates, the point at infinity, with which every job begins.
INITIAL_MODEL: Final = bytes(COMMITMENT_BYTES)
# Bits of the random factors of a batch: a wrong opening passes with probability 2^-128.
_BATCH_BITS: Final = 128


@dataclass(frozen=True, eq=False)
class Opening:
    """What a commitment commits to.

    Attributes
    ----------
    update
        int16, shape (d,).
    blinder
        b, below r; never used for another commitment. Not shown, because whoever learns it can test guesses of the
        update.
    """

    update: Update
    blinder: int = field(repr=False)


def new_blinder() -> int:
    """Draw a blinder from the operating system; one for each commitment, never used again."""
    return secrets.randbelow(SCALAR_MODULUS)


def encode_blinder(blinder: int) -> bytes:
    """Return a blinder as 32 little-endian bytes.

    Raises
    ------
    CommitmentError
        If it is not in [0, r).
    """
    _require_blinder(blinder)
    return blinder.to_bytes(BLINDER_BYTES, "little")


def parse_blinder(data: bytes) -> int:
    """Convert untrusted bytes to a blinder.

    Raises
    ------
    CommitmentError
        If there are not exactly 32 bytes, or they stand for r or more.
    """
    if len(data) != BLINDER_BYTES:
        raise CommitmentError("blinder", f"{len(data)} bytes", f"{BLINDER_BYTES} bytes")
    blinder = int.from_bytes(data, "little")
    _require_blinder(blinder)
    return blinder


def commitment_hash(commitment: bytes) -> bytes:
    """Return `keccak256(commitment)`, what the chain stores of a commitment or of the model's."""
    return bytes(keccak(commitment))


def split_commitments(encoded: bytes) -> list[bytes]:
    """Return the commitments that were written one after the other.

    Raises
    ------
    CommitmentError
        If their length is not a multiple of 64 bytes.
    """
    if len(encoded) % COMMITMENT_BYTES:
        raise CommitmentError("list of commitments", f"{len(encoded)} bytes", f"a multiple of {COMMITMENT_BYTES} bytes")
    return [encoded[at : at + COMMITMENT_BYTES] for at in range(0, len(encoded), COMMITMENT_BYTES)]


def advance_model(model: bytes, commitments: Sequence[bytes], weights: Sequence[int]) -> bytes:
    """Return the model's commitment after a round: `M + sum_i w_i C_i`.

    Parameters
    ----------
    model
        M, an encoded point; `INITIAL_MODEL` before the first round.
    commitments
        At least as many encoded points as weights; those beyond, the referee's, are not added.
    weights
        Non-negative.

    Raises
    ------
    PointEncodingError
        If one of them is not a point.
    """
    added = [(c, w) for c, w in zip(commitments, weights, strict=False) if w]
    if not added:
        return model
    points = np.concatenate([g1_from_bytes(commitment) for commitment, _ in added])
    return g1_to_bytes(g1_add(g1_from_bytes(model), weighted_sum(points, [weight for _, weight in added])))


def commit(srs: StructuredReferenceString, opening: Opening) -> bytes:
    """Commit to an update.

    Parameters
    ----------
    srs
        With at least 12 more powers than the update has coordinates.
    opening
        The update and a new blinder.

    Returns
    -------
    bytes
        A point of G1, 64 bytes.

    Raises
    ------
    CommitmentError
        If the update is not one axis of int16, or the blinder is not in [0, r).
    TooFewPowersError
        If the reference string is too short for the update.
    """
    [update] = checked_updates(srs, [opening])
    body = multi_scalar_multiplication_int16(srs.powers[: update.size], update)
    return blinded(srs, body, opening.blinder)


def commit_sum(srs: StructuredReferenceString, coordinates: npt.NDArray[np.int64], blinder: int) -> bytes:
    """Commit to a weighted sum of updates, for the comparison with the same sum of commitments.

    Parameters
    ----------
    srs
        As for `commit`.
    coordinates
        int64, shape (d,).
    blinder
        The weighted sum of the blinders modulo r.

    Raises
    ------
    CommitmentError, TooFewPowersError
        As for `commit`.
    """
    _require_blinder(blinder)
    vector = _vector(srs, coordinates, np.int64)
    return blinded(srs, multi_scalar_multiplication_int64(srs.powers[: vector.size], vector), blinder)


def opens(srs: StructuredReferenceString, commitment: bytes, opening: Opening) -> bool:
    """Whether the commitment is one to this update with this blinder."""
    return commit(srs, opening) == commitment


def wrong_openings(
    srs: StructuredReferenceString, commitments: Sequence[bytes], openings: Sequence[Opening]
) -> list[int]:
    """Return the positions of the openings that don't open their commitments.

    One multi-scalar multiplication checks them all: `sum_i x_i C_i = Com(sum_i x_i q_i; sum_i x_i b_i)` for random
    128-bit factors x, which hides a wrong opening with probability `2^-128`. Only if it fails is each one looked at.

    Parameters
    ----------
    srs
        As for `commit`.
    commitments
        n encoded points.
    openings
        As many, their updates of one length.

    Raises
    ------
    CommitmentError
        If the numbers or the lengths differ, or an opening is out of range.
    PointEncodingError
        If a commitment is not a point.
    """
    if len(commitments) != len(openings):
        raise CommitmentError("number of openings", len(openings), len(commitments))
    if not openings:
        return []
    updates = checked_updates(srs, openings)
    factors = [secrets.randbits(_BATCH_BITS) for _ in openings]
    points = np.concatenate([g1_from_bytes(commitment) for commitment in commitments])
    claimed = g1_to_bytes(weighted_sum(points, factors))
    blinder = sum(factor * opening.blinder for factor, opening in zip(factors, openings, strict=True))
    combined = combine_int16(updates, factors)
    body = multi_scalar_multiplication(srs.powers[: len(combined)], combined)
    if blinded(srs, body, blinder % SCALAR_MODULUS) == claimed:
        return []
    return [
        position
        for position, (commitment, opening) in enumerate(zip(commitments, openings, strict=True))
        if not opens(srs, commitment, opening)
    ]


def weighted_sum(points: npt.NDArray[np.uint64], weights: Sequence[int]) -> npt.NDArray[np.uint64]:
    """Return `sum_i w_i C_i`, shape (1, 2, 4), for points of shape (n, 2, 4)."""
    return multi_scalar_multiplication(points, scalars_from_integers(list(weights)))


def checked_updates(srs: StructuredReferenceString, openings: Sequence[Opening]) -> list[Update]:
    """Return the updates of openings, all int16, of one length that the reference string has powers for.

    Raises
    ------
    CommitmentError
        If an update is not one axis of int16, the lengths differ, or a blinder is not in [0, r).
    TooFewPowersError
        If the reference string is too short.
    """
    for opening in openings:
        _require_blinder(opening.blinder)
    updates = [_vector(srs, opening.update, np.int16) for opening in openings]
    sizes = {update.size for update in updates}
    if len(sizes) > 1:
        raise CommitmentError("length of the updates", sorted(sizes), "one length")
    return updates


def blinded(srs: StructuredReferenceString, body: npt.NDArray[np.uint64], blinder: int) -> bytes:
    """Return the encoded commitment `body + b [beta]`, for a body of shape (1, 2, 4)."""
    return g1_to_bytes(g1_add(body, g1_multiply(g1_from_bytes(srs.key.beta_g1), blinder)))


def _require_blinder(blinder: int) -> None:
    # The blinder itself is not told: it would end in logs.
    if not 0 <= blinder < SCALAR_MODULUS:
        raise CommitmentError("blinder", "out of range", f"at least 0 and below {SCALAR_MODULUS}")


def _vector(srs: StructuredReferenceString, vector: npt.NDArray[Any], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Refuse what is not a vector of this type that the reference string has powers for."""
    if vector.ndim != 1 or vector.dtype.newbyteorder("=") != np.dtype(dtype):
        raise CommitmentError(
            "update", f"{vector.dtype}, shape {vector.shape}", f"{np.dtype(dtype).name} with one axis"
        )
    require_dimension(srs, vector.size)
    return np.ascontiguousarray(vector, dtype=dtype)
