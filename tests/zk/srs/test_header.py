"""The header's bytes are those that its module documents, and no others are read."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zk.srs.header import HEADER_BYTES, MAXIMUM_POWERS, MINIMUM_POWERS, Header, Kind, parse_header

KEY = bytes(range(192)) * 2
HEADER = Header(Kind.CEREMONY, 100, 511, bytes(range(32)), bytes(range(64, 128)), KEY, bytes(range(32, 64)))


def changed(offset: int, data: bytes) -> bytes:
    encoded = HEADER.encode()
    return encoded[:offset] + data + encoded[offset + len(data) :]


def test_the_bytes_are_the_documented_ones():
    hashes = bytes(range(32, 64)) + bytes(range(64, 128))
    expected = b"CAIRNSRS" + struct.pack("<IIQQ", 1, 1, 100, 511) + bytes(range(32)) + KEY + hashes
    assert HEADER.encode() == expected + bytes(3552)
    assert (len(HEADER.encode()), HEADER.file_bytes) == (4096, 4096 + 6400)


@given(
    st.sampled_from(Kind),
    st.integers(MINIMUM_POWERS, MAXIMUM_POWERS),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=64, max_size=64),
    st.binary(min_size=384, max_size=384),
    st.binary(min_size=32, max_size=32),
)
def test_a_header_is_read_as_it_was_written(kind, powers, provenance, blake2b, key, digest):
    header = Header(kind, powers, MAXIMUM_POWERS, provenance, blake2b, key, digest)
    assert parse_header(header.encode()) == header


@pytest.mark.parametrize(
    ("offset", "data", "told"),
    [
        (0, b"cairnsrs", "begins with b'cairnsrs'"),
        (8, struct.pack("<I", 2), "version 2"),
        (12, struct.pack("<I", 0), "kind is 0"),
        (12, struct.pack("<I", 3), "kind is 3"),
        (16, struct.pack("<Q", MINIMUM_POWERS - 1), "12 powers of 511"),
        (16, struct.pack("<Q", 512), "512 powers of 511"),
        (16, struct.pack("<QQ", 2**64 - 1, 2**64 - 1), f"{2**64 - 1} powers"),
        (16, struct.pack("<QQ", MAXIMUM_POWERS + 1, MAXIMUM_POWERS + 1), f"{MAXIMUM_POWERS + 1} powers"),
        (544, b"\1", "not all zero"),
        (HEADER_BYTES - 1, b"\1", "not all zero"),
    ],
)
def test_other_bytes_are_refused(offset, data, told):
    with pytest.raises(ValueError, match=told):
        parse_header(changed(offset, data))


@pytest.mark.parametrize("length", [0, 8, 544, HEADER_BYTES - 1])
def test_a_truncated_header_is_refused(length):
    with pytest.raises(ValueError, match=f"it has {length} bytes"):
        parse_header(HEADER.encode()[:length])
