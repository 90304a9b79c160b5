import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import (
    CoordinateRangeError,
    DimensionError,
    MalformedPayloadError,
    PayloadError,
    WrongOriginError,
)
from marketplace.payload.aggregate_file import (
    Aggregate,
    aggregate_size,
    decode_aggregate,
    encode_aggregate,
    largest_cumulative,
)
from marketplace.payload.context import EnvelopeContext, RoundContext
from marketplace.payload.quantise import QuantisationError
from zk.bn254.parameters import SCALAR_MODULUS

ROUND = RoundContext(31337, "0x" + "c0" * 20, 5, 2)
VALUES = np.array([0, 1, -1, 2**32, -(2**32)], dtype=np.int64)
HEADER = 9 + 92 + 8 + 4 + 1 + 32
BLINDER = 0x0102030405


def decode(data, context=ROUND, dimension=5, bits=16, scale_exponent=13, rounds=2):
    return decode_aggregate(data, context, dimension=dimension, bits=bits, scale_exponent=scale_exponent, rounds=rounds)


def test_the_format_is_the_documented_one():
    expected = b"CAIRNAGG\x02" + ROUND.encode() + struct.pack("<QIB", 5, 65536, 13)
    expected += BLINDER.to_bytes(32, "little") + struct.pack("<5q", *VALUES.tolist())
    assert encode_aggregate(Aggregate(VALUES, BLINDER), ROUND, 13) == expected
    assert len(expected) == aggregate_size(5) == HEADER + 40


@given(st.lists(st.integers(-(2**32), 2**32), max_size=10), st.integers(0, 48))
def test_an_aggregate_reads_back_as_it_was(values, scale):
    cumulative = np.array(values, dtype=np.int64)
    data = encode_aggregate(Aggregate(cumulative, BLINDER), ROUND, scale)
    again = decode(data, dimension=len(values), scale_exponent=scale)
    assert again.cumulative.dtype == np.int64
    assert np.array_equal(again.cumulative, cumulative)
    assert again.blinder == BLINDER


def test_the_context_of_a_submission_serves_for_its_round():
    submission = EnvelopeContext(ROUND.chain_id, ROUND.contract, ROUND.job, ROUND.round, "0x" + "ab" * 20)
    assert encode_aggregate(Aggregate(VALUES, BLINDER), submission, 13) == encode_aggregate(
        Aggregate(VALUES, BLINDER), ROUND, 13
    )


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("chain id", RoundContext(1, ROUND.contract, 5, 2)),
        ("contract", RoundContext(31337, "0x" + "c1" * 20, 5, 2)),
        ("job", RoundContext(31337, ROUND.contract, 6, 2)),
        ("round", RoundContext(31337, ROUND.contract, 5, 1)),
    ],
)
def test_an_aggregate_of_something_else_is_refused_with_both_values(field, other):
    data = encode_aggregate(Aggregate(VALUES, BLINDER), other, 13)
    found, expected = (getattr(each, field.replace(" ", "_")) for each in (other, ROUND))
    with pytest.raises(WrongOriginError, match=f"says {field} {found} where {expected} is expected"):
        decode(data)


def test_another_scale_or_weight_total_is_refused_with_both_values():
    data = encode_aggregate(Aggregate(VALUES, BLINDER), ROUND, 13)
    with pytest.raises(WrongOriginError, match="says scale exponent 13 where 12 is expected"):
        decode(data, scale_exponent=12)
    other_total = data[:109] + (65535).to_bytes(4, "little") + data[113:]
    with pytest.raises(WrongOriginError, match="says W 65535 where 65536 is expected"):
        decode(other_total)


def test_another_dimension_is_refused_with_both_values():
    with pytest.raises(DimensionError, match="has 5 coordinates, the job's model 6 parameters"):
        decode(encode_aggregate(Aggregate(VALUES, BLINDER), ROUND, 13), dimension=6)


@pytest.mark.parametrize("start", [b"CAIRNAGG\x01", b"CAIRNUPD\x02", bytes(9)])
def test_another_kind_or_version_is_refused(start):
    with pytest.raises(MalformedPayloadError, match="it starts"):
        decode(start + encode_aggregate(Aggregate(VALUES, BLINDER), ROUND, 13)[9:])


def test_every_truncation_and_trailing_bytes_are_refused():
    data = encode_aggregate(Aggregate(VALUES, BLINDER), ROUND, 13)
    for wrong in [data[:length] for length in range(len(data))] + [data + b"\0", data + bytes(8)]:
        with pytest.raises(MalformedPayloadError, match=f"it has {len(wrong)} bytes"):
            decode(wrong)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data):
    with pytest.raises(PayloadError):
        decode(data)


def test_every_changed_byte_is_another_aggregate_or_refused():
    data = encode_aggregate(Aggregate(VALUES, BLINDER), ROUND, 13)
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        try:
            again = decode(bytes(changed))
        except PayloadError:
            continue
        assert position >= HEADER - 32
        assert encode_aggregate(again, ROUND, 13) == bytes(changed)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("bits", "rounds"), [(16, 1), (16, 10_000), (2, 1), (8, 3)])
def test_a_value_beyond_what_the_rounds_allow_is_refused(sign, bits, rounds):
    largest = rounds * 2**16 * 2 ** (bits - 1)
    assert largest_cumulative(rounds, bits) == largest
    values = VALUES * 0
    values[3] = sign * largest
    assert (
        decode(encode_aggregate(Aggregate(values, BLINDER), ROUND, 13), bits=bits, rounds=rounds).cumulative[3]
        == sign * largest
    )
    values[3] += sign
    message = rf"Coordinate 3 of the aggregate file is {sign * (largest + 1)}, outside -{largest} to {largest}"
    with pytest.raises(CoordinateRangeError, match=message):
        decode(encode_aggregate(Aggregate(values, BLINDER), ROUND, 13), bits=bits, rounds=rounds)


@pytest.mark.parametrize("extreme", [2**63 - 1, -(2**63)])
def test_the_ends_of_int64_are_refused(extreme):
    values = VALUES.copy()
    values[0] = extreme
    with pytest.raises(CoordinateRangeError, match=f"Coordinate 0 of the aggregate file is {extreme}"):
        decode(encode_aggregate(Aggregate(values, BLINDER), ROUND, 13), rounds=10_000)


def test_before_the_first_round_only_zero_is_possible():
    assert not decode(encode_aggregate(Aggregate(VALUES * 0, BLINDER), ROUND, 13), rounds=0).cumulative.any()
    with pytest.raises(CoordinateRangeError):
        decode(encode_aggregate(Aggregate(VALUES, BLINDER), ROUND, 13), rounds=0)


def test_a_vector_of_another_type_or_scale_is_not_encoded():
    with pytest.raises(TypeError):
        encode_aggregate(Aggregate(VALUES.astype(np.float64), BLINDER), ROUND, 13)
    with pytest.raises(QuantisationError):
        encode_aggregate(Aggregate(VALUES, BLINDER), ROUND, 49)


def test_a_blinder_that_is_not_reduced_is_refused():
    data = encode_aggregate(Aggregate(VALUES, BLINDER), ROUND, 13)
    other = (BLINDER + SCALAR_MODULUS).to_bytes(32, "little")
    with pytest.raises(MalformedPayloadError, match="its blinder is out of range"):
        decode(data[: HEADER - 32] + other + data[HEADER:])
