"""The hashes that stand for the verifier's messages, over encoded items; `docs/gram-proof.md` says which and why."""

from __future__ import annotations

import struct
from typing import Final

from eth_hash.auto import keccak

from zk.bn254.parameters import SCALAR_MODULUS

_PREFIX: Final = b"cairn/gram-proof/1/"
_STATEMENT: Final = (_PREFIX + b"statement").ljust(32, b"\0")
_ROW: Final = (_PREFIX + b"row").ljust(32, b"\0")
_EVALUATION: Final = (_PREFIX + b"evaluation").ljust(32, b"\0")
_BATCH: Final = (_PREFIX + b"batch").ljust(32, b"\0")
_ROW_CHALLENGE_BYTES: Final = 16


def statement_hash(srs: bytes, context: bytes, commitments: bytes, gram: bytes, mask: bytes, mu: bytes) -> bytes:
    """Return `statement`.

    Parameters
    ----------
    srs
        Identity of the verification key, 32 bytes.
    context
        32 bytes.
    commitments
        n encoded points.
    gram
        The packed matrix.
    mask, mu
        `C_M` and `mu`, encoded.
    """
    count = len(commitments) // 64
    head = _STATEMENT + srs + context + struct.pack(">QQ", count, len(commitments))
    return bytes(keccak(head + commitments + struct.pack(">Q", len(gram)) + gram + mask + mu))


def row_challenges(statement: bytes, count: int) -> list[int]:
    """Return `rho_1 .. rho_n`, integers of 128 bits."""
    hashes = (keccak(_ROW + statement + struct.pack(">Q", number)) for number in range(1, count + 1))
    return [int.from_bytes(digest[-_ROW_CHALLENGE_BYTES:], "big") for digest in hashes]


def evaluation_hash(statement: bytes, correlation: bytes) -> bytes:
    """Return `evaluation`, from the encoded `C_g`."""
    return bytes(keccak(_EVALUATION + statement + correlation))


def batch_hash(evaluation: bytes, openings: bytes) -> bytes:
    """Return `batch`, from u, v and w, encoded one after the other."""
    return bytes(keccak(_BATCH + evaluation + openings))


def to_scalar(digest: bytes) -> int:
    """Return a hash as a challenge: its remainder modulo r."""
    return int.from_bytes(digest, "big") % SCALAR_MODULUS


def is_degenerate(z: int) -> bool:
    """Whether z is 0, 1 or -1, where z and 1/z are no two points to open at."""
    return z in (0, 1, SCALAR_MODULUS - 1)
