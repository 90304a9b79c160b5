"""The cumulative aggregate as bytes: what the aggregator publishes after every settlement.

    magic "CAIRNAGG" | version 2 (1) | round's context (92) | dimension (8) | W (4) | s (1) | blinder (32) | values (8d)

The values are signed 64-bit integers `sum over rounds of sum w_i q_i` since the initial model theta_0;
`marketplace.payload.server_momentum` makes the model of them. The blinder is the same sum of the updates' blinders
modulo r: with it anyone can check the values against the model's commitment on the chain. Integers are little-endian,
except in the context, which has its own encoding.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from marketplace.errors import CoordinateRangeError, DimensionError, MalformedPayloadError, WrongOriginError
from marketplace.payload.blinder import read_blinder
from marketplace.payload.context import RoundContext
from marketplace.payload.quantise import check_scale_exponent, coordinate_range
from zk.polynomial_commitment import BLINDER_BYTES, encode_blinder

# W: the most that the weights of one round sum to.
WEIGHT_TOTAL: Final = 1 << 16

Cumulative = npt.NDArray[np.int64]

_MAGIC: Final = b"CAIRNAGG\x02"
_HEADER: Final = struct.Struct(f"<9s{RoundContext.SIZE}sQIB{BLINDER_BYTES}s")


@dataclass(frozen=True, eq=False)
class Aggregate:
    """What a round's aggregate file says.

    Attributes
    ----------
    cumulative
        int64, shape (d,): the sum of all weighted updates since the initial model.
    blinder
        The same sum of their blinders modulo r; public.
    """

    cumulative: Cumulative
    blinder: int


def aggregate_size(dimension: int) -> int:
    """Return the number of bytes of every aggregate file of a job."""
    return _HEADER.size + 8 * dimension


def largest_cumulative(rounds: int, bits: int) -> int:
    """Return the greatest magnitude that a cumulative value can have: `rounds W 2^(b-1)`."""
    return rounds * WEIGHT_TOTAL * -coordinate_range(bits)[0]


def encode_aggregate(aggregate: Aggregate, context: RoundContext, scale_exponent: int) -> bytes:
    """Encode the cumulative aggregate after the round of the context.

    Parameters
    ----------
    aggregate
        The sums.
    context
        The settled round.
    scale_exponent
        s of the job.
    """
    check_scale_exponent(scale_exponent)
    origin = RoundContext(context.chain_id, context.contract, context.job, context.round).encode()
    blinder = encode_blinder(aggregate.blinder)
    header = _HEADER.pack(_MAGIC, origin, aggregate.cumulative.size, WEIGHT_TOTAL, scale_exponent, blinder)
    return header + aggregate.cumulative.astype("<i8", casting="equiv").tobytes()


def decode_aggregate(
    data: bytes, context: RoundContext, *, dimension: int, bits: int, scale_exponent: int, rounds: int
) -> Aggregate:
    """Convert untrusted bytes to the cumulative aggregate, refusing every encoding but the canonical one.

    Parameters
    ----------
    data
        The published file.
    context
        The settled round that it must belong to.
    dimension, bits, scale_exponent
        From the job's terms.
    rounds
        Number of rounds that can have contributed; bounds every value by `rounds W 2^(b-1)`.

    Raises
    ------
    MalformedPayloadError
        If magic, version, blinder or length are wrong.
    WrongOriginError
        If it belongs to another chain, market, job or round, or to another W or s; with both values.
    DimensionError
        If it has another dimension.
    CoordinateRangeError
        If a value is larger than the rounds allow.
    """
    if len(data) < _HEADER.size:
        raise MalformedPayloadError("aggregate file", f"it has {len(data)} bytes, its header takes {_HEADER.size}")
    magic, origin, found_dimension, weight_total, found_scale, blinder = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise MalformedPayloadError("aggregate file", f"it starts {magic!r}, not {_MAGIC!r}")
    RoundContext.decode(origin).require(context, "aggregate file")
    for field, found, expected in (("W", weight_total, WEIGHT_TOTAL), ("scale exponent", found_scale, scale_exponent)):
        if found != expected:
            raise WrongOriginError("aggregate file", field, found, expected)
    if found_dimension != dimension:
        raise DimensionError("aggregate file", found_dimension, dimension)
    if len(data) != aggregate_size(dimension):
        raise MalformedPayloadError("aggregate file", f"it has {len(data)} bytes, not {aggregate_size(dimension)}")
    cumulative = np.frombuffer(data, dtype="<i8", offset=_HEADER.size).astype(np.int64)
    _check_magnitude(cumulative, largest_cumulative(rounds, bits))
    return Aggregate(cumulative, read_blinder(blinder, "aggregate file"))


def _check_magnitude(cumulative: Cumulative, largest: int) -> None:
    """Raise `CoordinateRangeError` for the first value outside +-largest."""
    outside = (cumulative < -largest) | (cumulative > largest)
    if outside.any():
        index = int(np.argmax(outside))
        raise CoordinateRangeError("aggregate file", index, int(cumulative[index]), -largest, largest)
