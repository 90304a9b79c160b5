"""The hashes that take the place of the verifier's messages."""

from __future__ import annotations

from dataclasses import dataclass

from eth_hash.auto import keccak

from zk.readable.group import SCALAR_ORDER


@dataclass(frozen=True)
class VerificationKey:
    """What a verifier knows of the structured reference string, encoded as in the specification."""

    tau: bytes
    beta: bytes
    tau_g2: bytes
    tau_squared_g2: bytes


@dataclass(frozen=True)
class Challenges:
    """The verifier's messages: `rho_i` below 2^128, `z` and `gamma` below r."""

    rho: tuple[int, ...]
    z: int
    gamma: int


def statement_hash(
    key: VerificationKey, context: bytes, commitments: bytes, gram: bytes, mask_commitment: bytes, mu: bytes
) -> bytes:
    """Return `statement`; all arguments are encoded, the commitments and the matrix as one string each."""
    srs = keccak(_tag("srs") + key.tau + key.beta + key.tau_g2 + key.tau_squared_g2)
    count = len(commitments) // 64
    return keccak(
        _tag("statement")
        + srs
        + context
        + _u64(count)
        + _u64(len(commitments))
        + commitments
        + _u64(len(gram))
        + gram
        + mask_commitment
        + mu
    )


def row_challenges(statement: bytes, count: int) -> tuple[int, ...]:
    """Return `rho_1 .. rho_n`."""
    hashes = [keccak(_tag("row") + statement + _u64(i)) for i in range(1, count + 1)]
    return tuple(int.from_bytes(digest, "big") % 2**128 for digest in hashes)


def evaluation_hash(statement: bytes, correlation_commitment: bytes) -> bytes:
    """Return `evaluation`, of which `z` is the remainder modulo r."""
    return keccak(_tag("evaluation") + statement + correlation_commitment)


def batch_hash(evaluation: bytes, u: bytes, v: bytes, w: bytes) -> bytes:
    """Return `batch`, of which `gamma` is the remainder modulo r."""
    return keccak(_tag("batch") + evaluation + u + v + w)


def reduced(digest: bytes) -> int:
    """Return a hash modulo r."""
    return int.from_bytes(digest, "big") % SCALAR_ORDER


def _tag(purpose: str) -> bytes:
    return f"cairn/gram-proof/1/{purpose}".encode("ascii").ljust(32, b"\0")


def _u64(value: int) -> bytes:
    return value.to_bytes(8, "big")
