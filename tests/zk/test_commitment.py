import itertools

import numpy as np
import pytest
from Crypto.Hash import keccak as independent_keccak
from hypothesis import given
from hypothesis import strategies as st

from zk import commitment as c
from zk.errors import CommitmentError

vectors = st.lists(st.integers(-32768, 32767), max_size=6).map(lambda q: np.array(q, dtype=np.int16))
blinders = st.binary(min_size=32, max_size=32).map(c.Blinder)


def keccak(data: bytes) -> bytes:
    return independent_keccak.new(digest_bits=256, data=data).digest()


def test_a_commitment_is_the_documented_hash():
    blinder = c.Blinder(bytes(range(32)))
    coordinates = np.array([1, -2, 300, -32768, 32767], dtype=np.int16)
    expected = keccak(
        b"cairn/update-commitment/v1\0"
        + bytes(range(32))
        + b"\x05\0\0\0\0\0\0\0"
        + bytes.fromhex("0100 feff 2c01 0080 ff7f")
    )
    assert c.commit(coordinates, blinder) == expected
    assert c.commitment_hash(c.Commitment(expected)) == keccak(expected)


@given(vectors, blinders)
def test_a_commitment_opens_with_what_was_committed(coordinates, blinder):
    assert c.opens(c.commit(coordinates, blinder), coordinates, blinder)


@given(vectors, blinders, vectors, blinders)
def test_a_commitment_opens_with_nothing_else(coordinates, blinder, other, other_blinder):
    same = np.array_equal(coordinates, other) and blinder == other_blinder
    assert c.opens(c.commit(coordinates, blinder), other, other_blinder) == same


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([], [0]),
        ([0], [0, 0]),
        ([1], [1, 0]),
        ([1], [0, 1]),
        ([1], [256]),
        ([-1], [255]),
        ([1, 2], [2, 1]),
        ([0, 0, 0, 0], [4]),
    ],
    ids=str,
)
def test_padding_length_and_byte_order_do_not_open_another_vector(first, second):
    blinder = c.new_blinder()
    commitment = c.commit(np.array(first, dtype=np.int16), blinder)
    assert not c.opens(commitment, np.array(second, dtype=np.int16), blinder)


def test_bytes_moved_between_blinder_and_coordinates_do_not_open():
    blinder = c.Blinder(bytes(range(32)))
    coordinates = np.frombuffer(bytes(range(32)), dtype="<i2")
    shifted = c.Blinder(bytes(range(2, 32)) + bytes(2))
    assert not c.opens(c.commit(coordinates, blinder), coordinates[:-1], shifted)


def test_byte_order_of_the_array_does_not_change_the_commitment():
    blinder = c.new_blinder()
    little = np.array([1, -2, 300], dtype="<i2")
    assert c.commit(little, blinder) == c.commit(little.astype(">i2"), blinder)
    assert c.commit(np.repeat(little, 2)[::2], blinder) == c.commit(little, blinder)


def test_knowing_every_possible_update_does_not_open_a_commitment():
    """A guesser who tries all updates of a tiny model, unsalted or with a constant salt, learns nothing."""
    secret = np.array([1, 0, -1, 1], dtype=np.int16)
    commitment = c.commit(secret, c.new_blinder())
    for guess in itertools.product((-1, 0, 1), repeat=4):
        coordinates = np.array(guess, dtype=np.int16)
        unsalted = coordinates.tobytes()
        assert commitment not in (keccak(unsalted), keccak(b"cairn/update-commitment/v1\0" + unsalted))
        assert not any(c.opens(commitment, coordinates, c.Blinder(bytes([salt]) * 32)) for salt in (0, 1, 255))


def test_the_same_update_twice_gives_unrelated_commitments():
    zero = np.zeros(10, dtype=np.int16)
    assert len({c.commit(zero, c.new_blinder()) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "coordinates",
    [
        np.zeros(3, dtype=np.int64),
        np.zeros(3, dtype=np.int8),
        np.zeros(3, dtype=np.uint16),
        np.zeros(3, dtype=np.float32),
        np.zeros((3, 1), dtype=np.int16),
        np.array(3, dtype=np.int16),
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_only_a_vector_of_int16_can_be_committed_to(coordinates):
    with pytest.raises(CommitmentError, match="must be int16 with one axis"):
        c.commit(coordinates, c.new_blinder())


@pytest.mark.parametrize("size", [0, 31, 33, 64])
@pytest.mark.parametrize("parse", [c.parse_commitment, c.parse_blinder])
def test_commitments_and_blinders_of_another_size_are_refused(parse, size):
    with pytest.raises(CommitmentError, match=f"is {size} bytes, it must be 32 bytes"):
        parse(bytes(size))


def test_commitments_and_blinders_of_the_right_size_are_taken():
    assert c.parse_commitment(bytes(range(32))) == bytes(range(32))
    assert c.parse_blinder(bytes(range(32))) == bytes(range(32))


def test_a_blinder_of_another_size_can_not_be_used():
    with pytest.raises(CommitmentError, match="blinder is 31 bytes"):
        c.commit(np.zeros(1, dtype=np.int16), c.Blinder(bytes(31)))


@pytest.mark.parametrize(("previous", "cid"), [(31, 36), (33, 36), (32, 35), (32, 37), (0, 0), (36, 32)])
def test_the_model_commitment_does_not_advance_by_bytes_of_another_size(previous, cid):
    with pytest.raises(CommitmentError):
        c.advance_model(bytes(previous), bytes(cid))
