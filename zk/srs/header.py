"""The first 4096 bytes of the file of a structured reference string.

All integers are unsigned and little-endian. After the header come the powers `[tau^j]`, 64 bytes each, in the form that
the arithmetic computes with (`zk.bn254`): x then y in Montgomery form, four 64-bit limbs each, the least significant
first. So the file is mapped into memory and used as it is.

| offset | bytes | |
|---|---|---|
| 0 | 8 | `CAIRNSRS` |
| 8 | 4 | version, 1 |
| 12 | 4 | kind: 1 ceremony, 2 development |
| 16 | 8 | number of powers D |
| 24 | 8 | powers that the ceremony published, as its file says; D for development |
| 32 | 32 | SHA-256 of the imported powers-of-tau file; zeros for development |
| 64 | 384 | verification key: [tau], [beta], [tau]_2, [tau^2]_2 in EVM encoding |
| 448 | 32 | SHA-256 of this file with these 32 bytes zero |
| 480 | 64 | BLAKE2b-512 of the imported powers-of-tau file, the hash that ceremonies publish; zeros for development |
| 544 | 3552 | zeros |
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from zk.srs.verification_key import KEY_BYTES

MAGIC: Final = b"CAIRNSRS"
VERSION: Final = 1
HEADER_BYTES: Final = 4096
POINT_BYTES: Final = 64
DIGEST_BYTES: Final = 32
DIGEST_OFFSET: Final = 448

# The proof of an update with d coordinates needs the powers below d + 12, and an update has a coordinate.
MASK_COEFFICIENTS: Final = 12
MINIMUM_POWERS: Final = MASK_COEFFICIENTS + 1
# 2^29 - 1 is what the largest ceremony over this curve can publish; a file that claims more is not believed.
MAXIMUM_POWERS: Final = 2**29 - 1

_LAYOUT: Final = struct.Struct(f"<8sIIQQ32s{KEY_BYTES}s32s64s")


class Kind(IntEnum):
    """Where the secret came from."""

    CEREMONY = 1
    DEVELOPMENT = 2


@dataclass(frozen=True)
class Header:
    """What the header says; its key is bytes that nothing has checked yet.

    Attributes
    ----------
    kind
        Where the secret came from.
    powers
        Number of powers in this file, D.
    ceremony_powers
        Number of powers that the ceremony published, as the imported file says.
    provenance
        SHA-256 of the imported powers-of-tau file, 32 bytes; zeros for development.
    provenance_blake2b
        Its BLAKE2b-512, 64 bytes; zeros for development.
    key
        Verification key, 384 bytes.
    digest
        SHA-256 of the file with the digest zero, 32 bytes.
    """

    kind: Kind
    powers: int
    ceremony_powers: int
    provenance: bytes
    provenance_blake2b: bytes
    key: bytes
    digest: bytes = bytes(DIGEST_BYTES)

    @property
    def file_bytes(self) -> int:
        """Size of the whole file."""
        return HEADER_BYTES + POINT_BYTES * self.powers

    def encode(self) -> bytes:
        """Return the header as it stands in the file, 4096 bytes."""
        fields = (self.powers, self.ceremony_powers, self.provenance, self.key, self.digest, self.provenance_blake2b)
        return _LAYOUT.pack(MAGIC, VERSION, self.kind, *fields).ljust(HEADER_BYTES, b"\0")


def parse_header(data: bytes) -> Header:
    """Convert untrusted bytes to a header.

    Raises
    ------
    ValueError
        With what is wrong, to follow "the file's name is not usable:", if they are not what `Header.encode` gives.
    """
    if len(data) < HEADER_BYTES:
        raise ValueError(f"it has {len(data)} bytes and its header alone has {HEADER_BYTES}")
    magic, version, kind, powers, ceremony_powers, provenance, key, digest, blake2b = _LAYOUT.unpack_from(data)
    if magic != MAGIC:
        raise ValueError(f"it begins with {magic!r}, not with {MAGIC!r}")
    if version != VERSION:
        raise ValueError(f"it has version {version} and this program reads version {VERSION}")
    if kind not in tuple(Kind):
        raise ValueError(f"its kind is {kind}, not 1 (ceremony) or 2 (development)")
    if not MINIMUM_POWERS <= powers <= ceremony_powers <= MAXIMUM_POWERS:
        raise ValueError(
            f"it says that it has {powers} powers of {ceremony_powers}, where {MINIMUM_POWERS} to {MAXIMUM_POWERS} are "
            "possible, and no more than the ceremony published"
        )
    if any(data[_LAYOUT.size : HEADER_BYTES]):
        raise ValueError(f"bytes {_LAYOUT.size} to {HEADER_BYTES - 1} of its header are not all zero")
    return Header(Kind(kind), powers, ceremony_powers, provenance, blake2b, key, digest)
