"""The full check of a structured reference string's file, which opening it leaves out because it takes long."""

import hashlib
from dataclasses import replace

from zk.bn254 import g2_from_bytes
from zk.srs.errors import MalformedSrsError
from zk.srs.file import StructuredReferenceString
from zk.srs.header import DIGEST_BYTES
from zk.srs.powers import CHUNK, Progress, checked_points, require_powers


def check_srs(srs: StructuredReferenceString, progress: Progress) -> None:
    """Check the digest, that every power is a point of G1, and that all are powers of the key's tau.

    The first two powers and the key were checked when the file was opened.

    Raises
    ------
    MalformedSrsError
        If one of these does not hold.
    """
    digest, stated = _digest(srs, progress), srs.header.digest
    if digest != stated:
        raise MalformedSrsError(srs.path, f"its SHA-256 is {digest.hex()} and it says {stated.hex()}")
    tau_g2 = g2_from_bytes(srs.key.tau_g2)
    try:
        chunks = require_powers(checked_points(srs.powers, "the powers", progress), "the powers", tau_g2)
        for _ in chunks:
            pass
    except ValueError as fault:
        raise MalformedSrsError(srs.path, str(fault)) from fault


def _digest(srs: StructuredReferenceString, progress: Progress) -> bytes:
    """Return the SHA-256 of the file with the digest that it states replaced by zeros."""
    digest, total = hashlib.sha256(replace(srs.header, digest=bytes(DIGEST_BYTES)).encode()), len(srs.powers)
    for start in range(0, total, CHUNK):
        progress("digest", start, total)
        digest.update(srs.powers[start : start + CHUNK].tobytes())
    progress("digest", total, total)
    return digest.digest()
