"""The openings of commitments as bytes: what a trainer, or the referee, seals for the aggregator.

    magic "CAIRNUPD" | version 2 (1 byte) | bits (1) | dimension (8) | blinder (32) | coordinates (d or 2d)

Integers are little-endian; a coordinate is an int8 if the job has at most 8 bits, else an int16. The length follows
from dimension and bits alone, so it tells nothing about the values.

An envelope holds as many of these, one after the other, as the account commits to in a round: one of a trainer, as many
of the referee as the job's terms say.
"""

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from marketplace.errors import CoordinateRangeError, DimensionError, MalformedPayloadError, WrongOriginError
from marketplace.payload.blinder import read_blinder
from marketplace.payload.quantise import Coordinates, coordinate_range
from zk.polynomial_commitment import BLINDER_BYTES, Opening, encode_blinder

_MAGIC: Final = b"CAIRNUPD\x02"
_HEADER: Final = struct.Struct(f"<9sBQ{BLINDER_BYTES}s")


def encoded_update_size(dimension: int, bits: int) -> int:
    """Return the number of bytes of every update of a job."""
    return _HEADER.size + dimension * _coordinate_type(bits).itemsize


def encode_updates(openings: Sequence[Opening], bits: int) -> bytes:
    """Encode openings in their order, each as `encode_update` does, which names the errors."""
    return b"".join(encode_update(opening, bits) for opening in openings)


def decode_updates(data: bytes, dimension: int, bits: int, count: int) -> tuple[Opening, ...]:
    """Convert untrusted bytes to `count` openings, refusing every encoding but the one that `encode_updates` gives.

    Raises
    ------
    MalformedPayloadError, WrongOriginError, DimensionError, CoordinateRangeError
        As `decode_update` does for the first that is wrong; also if there are more bytes than so many openings have.
    """
    size = encoded_update_size(dimension, bits)
    openings = tuple(decode_update(data[k * size : (k + 1) * size], dimension, bits) for k in range(count))
    if len(data) != count * size:
        raise MalformedPayloadError("update", f"it has {len(data)} bytes, {count} vectors have {count * size}")
    return openings


def encode_update(opening: Opening, bits: int) -> bytes:
    """Encode an opening in its one canonical form.

    Raises
    ------
    CoordinateRangeError
        If a coordinate does not fit `bits` bits.
    QuantisationError
        If `bits` is not from 2 to 16.
    """
    coordinates = opening.update
    _check_range(coordinates, bits)
    header = _HEADER.pack(_MAGIC, bits, coordinates.size, encode_blinder(opening.blinder))
    return header + coordinates.astype(_coordinate_type(bits)).tobytes()


def decode_update(data: bytes, dimension: int, bits: int) -> Opening:
    """Convert untrusted bytes to an opening, refusing every encoding but the one that `encode_update` gives.

    Parameters
    ----------
    data
        The opened envelope's content.
    dimension, bits
        From the job's terms.

    Raises
    ------
    MalformedPayloadError
        If magic, version, blinder or length are wrong. A blinder of zero is, because it hides nothing, and because with
        an update of zeros it makes the commitment the point at infinity, which no settlement can hold.
    WrongOriginError
        If the update was made with another number of bits.
    DimensionError
        If it was made for another dimension.
    CoordinateRangeError
        If a coordinate does not fit `bits` bits.
    """
    if len(data) < _HEADER.size:
        raise MalformedPayloadError("update", f"it has {len(data)} bytes, its header alone takes {_HEADER.size}")
    magic, found_bits, found_dimension, blinder = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise MalformedPayloadError("update", f"it starts {magic!r}, not {_MAGIC!r}")
    if found_bits != bits:
        raise WrongOriginError("update", "bits", found_bits, bits)
    if found_dimension != dimension:
        raise DimensionError("update", found_dimension, dimension)
    expected = encoded_update_size(dimension, bits)
    if len(data) != expected:
        raise MalformedPayloadError("update", f"it has {len(data)} bytes, not {expected}")
    coordinates = np.frombuffer(data, dtype=_coordinate_type(bits), offset=_HEADER.size).astype(np.int16)
    _check_range(coordinates, bits)
    opening = Opening(coordinates, read_blinder(blinder, "update"))
    if not opening.blinder:
        raise MalformedPayloadError("update", "its blinder is 0, it must be at least 1")
    return opening


def _coordinate_type(bits: int) -> np.dtype[np.signedinteger]:
    """Return how a coordinate is stored."""
    return np.dtype("i1") if bits <= 8 else np.dtype("<i2")


def _check_range(coordinates: Coordinates, bits: int) -> None:
    """Raise `CoordinateRangeError` for the first coordinate that does not fit."""
    low, high = coordinate_range(bits)
    # The extremes first, which take no memory of the size of the update.
    if coordinates.size and not low <= int(coordinates.min()) <= int(coordinates.max()) <= high:
        index = int(np.argmax((coordinates < low) | (coordinates > high)))
        raise CoordinateRangeError("update", index, int(coordinates[index]), low, high)
