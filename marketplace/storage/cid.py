"""Content identifiers in the one form that the market's contracts accept.

A CID here is version 1, codec raw or dag-pb, hash sha2-256: 36 bytes, written as "b" and lower-case base32 without
padding (59 characters). Every other way to write the same or another hash is refused, so that one content has one name
on chain, in file names and in comparisons.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from marketplace.errors import MalformedCidError

BINARY_CID_BYTES: Final = 36

RAW_PREFIX: Final = bytes.fromhex("01551220")
DAG_PB_PREFIX: Final = bytes.fromhex("01701220")

_TEXT: Final = re.compile("b[a-z2-7]{58}")


@dataclass(frozen=True, order=True)
class Cid:
    """A content identifier; `str` gives its text.

    Attributes
    ----------
    binary
        Version, codec, hash function and length (4 bytes), then the sha2-256 digest (32 bytes).

    Raises
    ------
    MalformedCidError
        If the bytes are not of that form.
    """

    binary: bytes

    def __post_init__(self) -> None:
        if len(self.binary) != BINARY_CID_BYTES:
            raise MalformedCidError(self.binary, f"it has {len(self.binary)} bytes, not {BINARY_CID_BYTES}")
        if self.binary[:4] not in (RAW_PREFIX, DAG_PB_PREFIX):
            raise MalformedCidError(self.binary, f"it starts 0x{self.binary[:4].hex()}, not 0x01551220 or 0x01701220")

    def __str__(self) -> str:
        return "b" + base64.b32encode(self.binary).decode("ascii").rstrip("=").lower()

    @property
    def is_raw(self) -> bool:
        """Whether it names plain bytes rather than a node with links."""
        return self.binary.startswith(RAW_PREFIX)

    def names(self, block: bytes) -> bool:
        """Whether the block is the one that this CID is the hash of."""
        return hashlib.sha256(block).digest() == self.binary[4:]


def raw_cid(block: bytes) -> Cid:
    """Return the CID of plain bytes in one block."""
    return Cid(RAW_PREFIX + hashlib.sha256(block).digest())


def dag_pb_cid(block: bytes) -> Cid:
    """Return the CID of an encoded node with links."""
    return Cid(DAG_PB_PREFIX + hashlib.sha256(block).digest())


def parse_binary_cid(data: bytes) -> Cid:
    """Convert untrusted bytes to a CID.

    Raises
    ------
    MalformedCidError
        If they are not the 36 bytes of a CIDv1, raw or dag-pb, sha2-256.
    """
    return Cid(bytes(data))


def parse_cid(text: str) -> Cid:
    """Convert untrusted text to a CID.

    Raises
    ------
    MalformedCidError
        If it is anything but 59 characters of canonical lower-case base32: another version, base, codec or hash,
        upper case, white space, a path or a query, spare bits that are not zero.
    """
    if not _TEXT.fullmatch(text):
        raise MalformedCidError(text, f"it has {len(text)} characters, not 'b' and 58 of a-z and 2-7")
    # 58 base32 characters and 6 of padding are 36 bytes and 2 spare bits.
    cid = Cid(base64.b32decode(text[1:].upper() + "======"))
    if str(cid) != text:
        raise MalformedCidError(text, f"its last character has spare bits set; the same bytes are written {cid}")
    return cid
