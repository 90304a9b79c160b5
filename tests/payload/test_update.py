import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import CoordinateRangeError, DimensionError, MalformedPayloadError, WrongOriginError
from marketplace.payload.quantise import coordinate_range
from marketplace.payload.update import decode_update, decode_updates, encode_update, encode_updates, encoded_update_size
from zk.bn254.parameters import SCALAR_MODULUS
from zk.errors import CommitmentError
from zk.polynomial_commitment import Opening, encode_blinder, new_blinder

HEADER = 9 + 1 + 8 + 32


@st.composite
def openings(draw):
    bits = draw(st.integers(2, 16))
    low, high = coordinate_range(bits)
    coordinates = draw(st.lists(st.integers(low, high), max_size=8))
    return Opening(np.array(coordinates, dtype=np.int16), draw(st.integers(1, SCALAR_MODULUS - 1))), bits


def example(bits=16, dimension=5):
    return encode_update(Opening(np.arange(dimension, dtype=np.int16) % 2, new_blinder()), bits)


def test_the_format_is_the_documented_one():
    blinder = bytes(range(32))
    number = int.from_bytes(blinder, "little")
    wide = encode_update(Opening(np.array([1, -2], dtype=np.int16), number), 9)
    assert wide == b"CAIRNUPD\x02\x09" + b"\x02" + bytes(7) + blinder + b"\x01\x00\xfe\xff"
    narrow = encode_update(Opening(np.array([1, -2], dtype=np.int16), number), 8)
    assert narrow == b"CAIRNUPD\x02\x08" + b"\x02" + bytes(7) + blinder + b"\x01\xfe"


@given(openings())
def test_an_update_reads_back_as_it_was(case):
    opening, bits = case
    data = encode_update(opening, bits)
    again = decode_update(data, opening.update.size, bits)
    assert again.update.dtype == np.int16
    assert np.array_equal(again.update, opening.update)
    assert again.blinder == opening.blinder
    assert len(data) == encoded_update_size(opening.update.size, bits)


@given(openings(), st.data())
def test_changed_bytes_are_another_update_or_refused(case, data):
    """Two byte strings never decode to the same opening."""
    opening, bits = case
    encoded = bytearray(encode_update(opening, bits))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    try:
        again = decode_update(bytes(encoded), opening.update.size, bits)
    except (MalformedPayloadError, WrongOriginError, DimensionError, CoordinateRangeError):
        return
    assert position >= HEADER - 32
    assert encode_update(again, bits) == bytes(encoded)


@given(st.binary(max_size=120), st.integers(0, 40), st.integers(2, 16))
def test_any_bytes_are_an_update_or_refused(data, dimension, bits):
    with pytest.raises((MalformedPayloadError, WrongOriginError, DimensionError, CoordinateRangeError)):
        decode_update(data, dimension, bits)


@pytest.mark.parametrize("bits", [8, 16])
def test_every_truncation_is_refused(bits):
    data = example(bits)
    for length in range(len(data)):
        with pytest.raises(MalformedPayloadError, match=f"it has {length} bytes"):
            decode_update(data[:length], 5, bits)


@pytest.mark.parametrize("rest", [b"\0", b"\0\0", bytes(1000)])
def test_trailing_bytes_are_refused(rest):
    with pytest.raises(MalformedPayloadError, match=f"it has {60 + len(rest)} bytes, not 60"):
        decode_update(example() + rest, 5, 16)


@pytest.mark.parametrize("start", [b"CAIRNUPD\x01", b"CAIRNAGG\x02", b"cairnupd\x02", bytes(9)])
def test_another_kind_or_version_is_refused(start):
    with pytest.raises(MalformedPayloadError, match="it starts"):
        decode_update(start + example()[9:], 5, 16)


@pytest.mark.parametrize(("made_for", "job"), [(4, 5), (6, 5), (5, 4)])
def test_an_update_of_another_dimension_is_refused_with_both(made_for, job):
    with pytest.raises(DimensionError, match=f"has {made_for} coordinates, the job's model {job} parameters"):
        decode_update(example(dimension=made_for), job, 16)


def test_a_header_that_claims_the_largest_dimension_is_refused():
    data = bytearray(example())
    data[10:18] = b"\xff" * 8
    with pytest.raises(DimensionError, match=f"has {2**64 - 1} coordinates"):
        decode_update(bytes(data), 5, 16)
    with pytest.raises(MalformedPayloadError, match="bytes, not"):
        decode_update(bytes(data), 2**64 - 1, 16)


@pytest.mark.parametrize(("made_for", "job"), [(16, 8), (8, 16), (7, 8), (16, 15), (0, 16), (255, 16)])
def test_an_update_of_other_bits_is_refused_with_both(made_for, job):
    data = bytearray(example(job))
    data[9] = made_for
    with pytest.raises(WrongOriginError, match=f"bits {made_for} where {job} is expected"):
        decode_update(bytes(data), 5, job)


@pytest.mark.parametrize("bits", [b for b in range(2, 16) if b != 8])
@pytest.mark.parametrize("side", [0, 1])
def test_a_coordinate_one_beyond_its_bits_is_refused_both_ways(bits, side):
    low, high = coordinate_range(bits)
    value = (low - 1, high + 1)[side]
    fine = Opening(np.array([0, (low, high)[side]], dtype=np.int16), new_blinder())
    message = rf"Coordinate 1 of the update is {value}, outside {low} to {high}"
    with pytest.raises(CoordinateRangeError, match=message):
        encode_update(Opening(np.array([0, value], dtype=np.int16), fine.blinder), bits)
    data = encode_update(fine, bits)
    width = 1 if bits <= 8 else 2
    data = data[:-width] + value.to_bytes(width, "little", signed=True)
    with pytest.raises(CoordinateRangeError, match=message):
        decode_update(data, 2, bits)


@pytest.mark.parametrize("blinder", [-1, SCALAR_MODULUS, 2**256])
def test_a_blinder_out_of_range_is_not_encoded(blinder):
    with pytest.raises(CommitmentError, match="blinder is out of range"):
        encode_update(Opening(np.zeros(1, dtype=np.int16), blinder), 16)


def test_only_the_smallest_number_that_stands_for_a_blinder_is_read():
    data = example()
    blinder = int.from_bytes(data[18:50], "little")
    assert encode_blinder(blinder) == data[18:50]
    for other in (blinder + SCALAR_MODULUS, 2**256 - 1, SCALAR_MODULUS):
        if other < 2**256:
            with pytest.raises(MalformedPayloadError, match="its blinder is out of range"):
                decode_update(data[:18] + other.to_bytes(32, "little") + data[50:], 5, 16)


def test_a_blinder_of_zero_is_not_read():
    """With zeros as the update it would make the commitment the point at infinity, and the round could not settle."""
    opening = Opening(np.zeros(5, dtype=np.int16), 0)
    with pytest.raises(MalformedPayloadError, match="its blinder is 0, it must be at least 1"):
        decode_update(encode_update(opening, 16), 5, 16)


def test_the_blinder_is_not_shown():
    assert "blinder" not in repr(Opening(np.zeros(1, dtype=np.int16), new_blinder()))


def test_the_size_tells_only_dimension_and_bits():
    extreme = Opening(np.full(100, -32768, dtype=np.int16), new_blinder())
    assert len(encode_update(extreme, 16)) == len(example(16, 100)) == HEADER + 200
    assert len(example(8, 100)) == HEADER + 100


def several(count: int) -> list[Opening]:
    return [Opening(np.full(5, number, dtype=np.int16), new_blinder()) for number in range(count)]


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_several_vectors_are_read_in_their_order(bits, count):
    openings = several(count)
    data = encode_updates(openings, bits)
    assert len(data) == count * encoded_update_size(5, bits)
    again = decode_updates(data, 5, bits, count)
    assert [one.blinder for one in again] == [one.blinder for one in openings]
    for one, other in zip(again, openings, strict=True):
        np.testing.assert_array_equal(one.update, other.update)
    assert encode_updates(again, bits) == data


def test_one_vector_is_written_as_an_update():
    [opening] = several(1)
    assert encode_updates([opening], 16) == encode_update(opening, 16)


@pytest.mark.parametrize("made", [0, 1, 2, 4])
def test_any_other_number_of_vectors_is_refused(made):
    fault = "its header alone takes" if made < 3 else "it has 240 bytes, 3 vectors have 180"
    with pytest.raises(MalformedPayloadError, match=fault):
        decode_updates(encode_updates(several(made), 16), 5, 16, 3)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_every_one_of_several_vectors_is_checked(which):
    openings = several(3)
    openings[which] = Opening(np.array([0, 0, 2_048, 0, 0], dtype=np.int16), new_blinder())
    with pytest.raises(CoordinateRangeError, match="Coordinate 2 of the update is 2048, outside -2048 to 2047"):
        decode_updates(encode_updates(openings, 16).replace(b"\x02\x10\x05", b"\x02\x0c\x05"), 5, 12, 3)
    openings[which] = Opening(openings[0].update, 0)
    with pytest.raises(MalformedPayloadError, match="its blinder is 0"):
        decode_updates(encode_updates(openings, 16), 5, 16, 3)
