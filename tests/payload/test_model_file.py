import json
import math
import struct

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from marketplace.errors import DimensionError, MalformedPayloadError, NonFiniteError, PayloadError
from marketplace.payload import model_file as m
from marketplace.payload import safetensors_header
from marketplace.payload.safetensors_header import MAXIMUM_HEADER_BYTES, read_shapes

SHAPES = {"0.weight": (3, 4), "0.bias": (3,), "2.weight": (2, 3)}
TENSORS = {name: np.arange(math.prod(shape), dtype=np.float32).reshape(shape) for name, shape in SHAPES.items()}
TINY = np.finfo(np.float32).smallest_normal
ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
ONE = {"a": (2,)}


def file(header, data=bytes(8)) -> bytes:
    """Assemble a file from a header (an object or ready bytes) and data."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data


def with_value(value) -> bytes:
    tensors = {name: tensor.copy() for name, tensor in TENSORS.items()}
    tensors["0.weight"][1, 2] = value
    return safetensors.numpy.save(tensors)


def test_a_model_reads_back_as_it_was_in_the_order_of_the_architecture():
    again = m.decode_model(m.encode_model(TENSORS), SHAPES)
    assert list(again) == list(SHAPES)
    for name, tensor in again.items():
        assert tensor.dtype == np.float32
        assert np.array_equal(tensor, TENSORS[name])


def test_equal_models_are_equal_bytes():
    reordered = {name: np.asfortranarray(TENSORS[name]) for name in reversed(TENSORS)}
    assert m.encode_model(reordered) == m.encode_model(TENSORS)


def test_files_of_other_writers_with_metadata_are_read():
    data = safetensors.numpy.save(TENSORS, metadata={"format": "pt"})
    assert np.array_equal(m.decode_model(data, SHAPES)["0.bias"], TENSORS["0.bias"])


def test_hand_made_files_are_read_where_they_are_valid():
    assert m.decode_model(file({"a": ENTRY}, struct.pack("<2f", 1, 2)), ONE)["a"].tolist() == [1, 2]


def entry(**changes):
    return {"a": ENTRY | changes}


def two(first, second):
    return {
        "a": {"dtype": "F32", "shape": [2], "data_offsets": first},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": second},
    }


MALFORMED = {
    "nothing": b"",
    "shorter than the header's length": bytes(7),
    "header length 0": bytes(8) + b"{}",
    "header length -1": b"\xff" * 8 + b"{}",
    "header length beyond the file": (3).to_bytes(8, "little") + b"{}",
    "header length above 100 MB": (100_000_001).to_bytes(8, "little") + b"{}",
    "header length 2^63": (1 << 63).to_bytes(8, "little") + b"{}",
    "header is no JSON": file(b"\x80\x02}q\x00."),
    "header is cut": file(b'{"a":'),
    "header is not UTF-8": file(b'{"\xff": 1}'),
    "header has a byte order mark": file(b"\xef\xbb\xbf{}"),
    "header is a list": file([]),
    "header is null": file(b"null"),
    "header is a number": file(b"1"),
    "header nests too deep": file(b"[" * 100_000 + b"]" * 100_000),
    "header nests too deep in a tensor": file(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "header holds NaN": file(b'{"a": NaN}'),
    "header holds a giant number": file(b'{"a": {"dtype": "F32", "shape": [' + b"9" * 10_000 + b"]}}"),
    "duplicate tensor": file(b'{"a": %s, "a": %s}' % ((json.dumps(ENTRY).encode(),) * 2)),
    "duplicate dtype": file(b'{"a": {"dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'),
    "duplicate name, differently escaped": file(b'{"a": %s, "\\u0061": %s}' % ((json.dumps(ENTRY).encode(),) * 2)),
    "duplicate among 100,000 names": file(b'{"a": 1, %s "a": 1}' % b"".join(b'"%d":1,' % i for i in range(100_000))),
    "no tensor": file({}),
    "no tensor but metadata": file({"__metadata__": {"a": "b"}}),
    "metadata that is no object": file({"__metadata__": [], "a": ENTRY}),
    "metadata with a number": file({"__metadata__": {"a": 1}, "a": ENTRY}),
    "metadata that the library refuses": file(
        b'{"__metadata__": {"a": "\\ud800"}, "a": %s}' % json.dumps(ENTRY).encode()
    ),
    "100,000 tensors": file({str(i): 0 for i in range(100_000)}),
    "tensor that is a list": file({"a": []}),
    "tensor without dtype": file({"a": {"shape": [2], "data_offsets": [0, 8]}}),
    "tensor with one field more": file(entry(code="import os")),
    "float64": file({"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}),
    "float16": file({"a": {"dtype": "F16", "shape": [4], "data_offsets": [0, 8]}}),
    "int32": file(entry(dtype="I32")),
    "dtype that lies about the size": file(entry(dtype="F64")),
    "dtype in lower case": file(entry(dtype="f32")),
    "dtype that is a list": file(entry(dtype=["F32"])),
    "shape that is a number": file(entry(shape=2)),
    "shape with a negative axis": file(entry(shape=[-2])),
    "shape with two negative axes": file(entry(shape=[-1, -2])),
    "shape with a float": file(entry(shape=[2.0])),
    "shape with true": file(entry(shape=[True, 2])),
    "shape with text": file(entry(shape=["2"])),
    "shape larger than the data": file(entry(shape=[3])),
    "shape smaller than the data": file(entry(shape=[1])),
    "shape of 10^9 parameters": file(entry(shape=[10**9])),
    "shape that overflows 2^63": file(entry(shape=[2**62, 4])),
    "shape that is 2 modulo 2^64": file(entry(shape=[2**63 + 1, 2])),
    "shape whose product is 2^64 + 2": file(entry(shape=[2, (2**64 + 2) // 2])),
    "shape with a zero": file(entry(shape=[0], data_offsets=[0, 0]), b""),
    "shape with a zero beside a giant": file(entry(shape=[0, 2**62], data_offsets=[0, 0]), b""),
    "shape of 100 axes": file(entry(shape=[1] * 99 + [2])),
    "offsets reversed": file(entry(data_offsets=[8, 0])),
    "offsets of one number": file(entry(data_offsets=[8])),
    "offsets of three numbers": file(entry(data_offsets=[0, 4, 8])),
    "negative offset": file(entry(data_offsets=[-8, 0])),
    "offsets beyond the data": file(entry(data_offsets=[8, 16])),
    "offset above 2^63": file(entry(data_offsets=[2**64, 2**64 + 8])),
    "hole before the first": file(entry(data_offsets=[4, 12]), bytes(12)),
    "hole between two": file(two([0, 8], [12, 20]), bytes(20)),
    "overlap": file(two([0, 8], [4, 12]), bytes(12)),
    "the same bytes twice": file(two([0, 8], [0, 8])),
    "zero-size tensor within another": file({"a": ENTRY, "b": {"dtype": "F32", "shape": [0], "data_offsets": [4, 4]}}),
    "trailing bytes": file({"a": ENTRY}, bytes(9)),
    "missing bytes": file({"a": ENTRY}, bytes(7)),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_every_irregular_structure_is_refused_with_a_sentence(data):
    with pytest.raises(MalformedPayloadError, match=r"The model file is malformed: .*; fetch it again") as caught:
        m.decode_model(data, ONE)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "data",
    [data for name, data in MALFORMED.items() if "library" not in name],
    ids=[name for name in MALFORMED if "library" not in name],
)
def test_irregular_structures_never_reach_the_library(data, monkeypatch):
    monkeypatch.setattr(m, "load", lambda data: pytest.fail("reached"))
    with pytest.raises(MalformedPayloadError):
        m.decode_model(data, ONE)


def test_more_bytes_than_the_architecture_can_have_are_refused_unparsed(monkeypatch):
    monkeypatch.setattr(safetensors_header, "parse_json", lambda *a, **k: pytest.fail("parsed"))
    limit = 8 + MAXIMUM_HEADER_BYTES + 8
    assert m.largest_model_file(ONE) == limit
    with pytest.raises(MalformedPayloadError, match=f"has {limit + 1} bytes where at most {limit}"):
        m.decode_model(bytes(limit + 1), ONE)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data):
    with pytest.raises(PayloadError):
        m.decode_model(data, SHAPES)


@given(st.data())
def test_a_changed_byte_changes_a_value_or_is_refused(data):
    encoded = bytearray(m.encode_model(TENSORS))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    try:
        again = m.decode_model(bytes(encoded), SHAPES)
    except PayloadError:
        return
    assert set(again) == set(SHAPES)
    assert all(np.isfinite(tensor).all() for tensor in again.values())


def architecture(**changes):
    tensors = {name.replace(".", "_"): tensor for name, tensor in TENSORS.items()} | changes
    return {name.replace("_", "."): tensor for name, tensor in tensors.items() if tensor is not None}


@pytest.mark.parametrize(
    ("tensors", "fault"),
    [
        (architecture(**{"0_bias": None}), "tensor '0.bias' is missing"),
        (architecture(extra=np.zeros(1, np.float32)), "tensor 'extra' is not part of it"),
        (architecture(**{"0_bias": None, "0_b": TENSORS["0.bias"]}), "'0.bias' is missing; tensor '0.b' is not part"),
        (architecture(**{"0_weight": TENSORS["0.weight"].T.copy()}), r"'0.weight' has shape \[4, 3\], not \[3, 4\]"),
        (architecture(**{"0_weight": TENSORS["0.weight"].reshape(-1)}), r"has shape \[12\], not \[3, 4\]"),
        (architecture(**{"0_bias": np.zeros((3, 1), np.float32)}), r"has shape \[3, 1\], not \[3\]"),
        (architecture(**{"0_bias": np.array(1, np.float32)}), r"has shape \[\], not \[3\]"),
        (architecture(**{"0_bias": np.zeros(4, np.float32)}), r"has shape \[4\], not \[3\]"),
    ],
    ids=["missing", "extra", "renamed", "transposed", "flat", "one axis more", "rank 0", "longer"],
)
def test_another_architecture_is_refused_with_every_difference(tensors, fault):
    with pytest.raises(m.ArchitectureError, match=fault):
        m.decode_model(safetensors.numpy.save(tensors), SHAPES)
    with pytest.raises(m.ArchitectureError, match=fault):
        m.flatten(tensors, SHAPES)


def test_many_differences_are_counted_and_kept():
    other = {f"other.{i}": np.zeros(1, np.float32) for i in range(30)}
    with pytest.raises(m.ArchitectureError, match="and 23 more") as caught:
        m.decode_model(safetensors.numpy.save(other), SHAPES)
    assert len(caught.value.faults) == 33


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32])
def test_tensors_of_another_type_are_refused(dtype):
    data = safetensors.numpy.save({name: tensor.astype(dtype) for name, tensor in TENSORS.items()})
    with pytest.raises(MalformedPayloadError, match="has dtype"):
        m.decode_model(data, SHAPES)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_place(value):
    with pytest.raises(NonFiniteError, match=rf"Value 6 of the tensor '0.weight' is {value} \(1 such"):
        m.decode_model(with_value(value), SHAPES)
    with pytest.raises(NonFiniteError, match=rf"is {value} \(3 such"):
        m.encode_model({"a": np.full(3, value, dtype=np.float32)})


@pytest.mark.parametrize("value", [1e-45, -1e-45, TINY * 0.999, -0.0])
def test_subnormal_numbers_and_negative_zero_are_read_as_zero(value):
    read = m.decode_model(with_value(value), SHAPES)["0.weight"][1, 2]
    assert read == 0
    assert not np.signbit(read)


@pytest.mark.parametrize("value", [TINY, -TINY, 3.4e38, -3.4e38])
def test_the_smallest_and_largest_normal_numbers_are_kept(value):
    assert m.decode_model(with_value(value), SHAPES)["0.weight"][1, 2] == np.float32(value)


finite = hnp.arrays(np.float32, 24, elements=st.floats(width=32, allow_nan=False, allow_infinity=False))


@given(finite)
def test_flattening_and_unflattening_are_inverse(values):
    vector = values[: m.parameter_count(SHAPES)]
    tensors = m.unflatten(vector, SHAPES)
    assert {name: tensor.shape for name, tensor in tensors.items()} == SHAPES
    assert np.array_equal(m.flatten(tensors, SHAPES), vector)


def test_a_vector_is_in_the_order_of_the_architecture_whatever_order_the_tensors_have():
    backwards = dict(reversed(TENSORS.items()))
    assert m.flatten(backwards, SHAPES).tolist() == [*range(12), *range(3), *range(6)]


@pytest.mark.parametrize("vector", [np.zeros(20, np.float32), np.zeros(22, np.float32), np.zeros((21, 1), np.float32)])
def test_a_vector_of_another_length_is_refused(vector):
    with pytest.raises(DimensionError):
        m.unflatten(vector, SHAPES)


def test_the_header_alone_tells_the_shapes():
    data = m.encode_model(TENSORS)
    assert read_shapes(data, len(data)) == SHAPES
