"""The structure of a safetensors file, checked strictly.

A safetensors file is the header's length (8 bytes, little-endian), the header (JSON: name -> dtype, shape, first and
last byte in the data), and the data. Format: https://github.com/huggingface/safetensors#format.
"""

import math
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from marketplace.errors import MalformedPayloadError
from marketplace.strict_json import parse_json

MAXIMUM_HEADER_BYTES: Final = 1 << 20
MAXIMUM_TENSORS: Final = 4_096
MAXIMUM_AXES: Final = 8

_LENGTH_BYTES: Final = 8
_METADATA: Final = "__metadata__"
_FIELDS: Final = {"dtype", "shape", "data_offsets"}
# The header, a tensor in it, its shape.
_HEADER_DEPTH: Final = 3


def read_shapes(data: bytes, max_bytes: int) -> dict[str, tuple[int, ...]]:
    """Check the whole structure of a safetensors file of float32 tensors and return their shapes.

    Parameters
    ----------
    data
        The file.
    max_bytes
        The most that it may have.

    Raises
    ------
    MalformedPayloadError
        If the file is too long; if the header's length is 0, beyond the file or above 1 MiB; if the header is not a
        JSON object, or names something twice; if there are no or more than 4,096 tensors; if a tensor is not float32,
        is empty, or has another number of bytes than its shape says; if tensors leave holes or overlap, or bytes
        follow the last.
    """
    if len(data) > max_bytes:
        _refuse(f"it has {len(data)} bytes where at most {max_bytes} can be right")
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    available = len(data) - _LENGTH_BYTES
    if not 0 < length <= min(available, MAXIMUM_HEADER_BYTES):
        _refuse(f"its header claims {length} bytes of {available} present and {MAXIMUM_HEADER_BYTES} allowed")
    header = _parse_header(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
    shapes = {}
    spans = []
    for name, entry in header.items():
        shape, begin, end = _check_entry(name, entry)
        shapes[name] = shape
        spans.append((begin, end))
    _check_spans(sorted(spans), available - length)
    return shapes


def _parse_header(encoded: bytes) -> dict[str, Any]:
    """Parse the header and take out the metadata, which says nothing about the tensors."""
    try:
        header = parse_json(encoded, _HEADER_DEPTH)
    except ValueError as error:
        raise MalformedPayloadError("model file", f"its header is no valid JSON ({str(error)[:200]})") from error
    if not isinstance(header, dict):
        _refuse(f"its header is a JSON {type(header).__name__}, not an object")
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        _refuse("its metadata is not an object of texts")
    if not 0 < len(header) <= MAXIMUM_TENSORS:
        _refuse(f"it has {len(header)} tensors, it must have 1 to {MAXIMUM_TENSORS}")
    return header


def _check_entry(name: str, entry: object) -> tuple[tuple[int, ...], int, int]:
    """Return shape, first and last byte of one tensor."""
    tensor = f"tensor {name[:80]!r}"
    if not isinstance(entry, dict) or set(entry) != _FIELDS:
        _refuse(f"{tensor} is not described by exactly {', '.join(sorted(_FIELDS))}")
    if entry["dtype"] != "F32":
        _refuse(f"{tensor} has dtype {str(entry['dtype'])[:80]!r}, not 'F32'")
    shape = tuple(_integers(entry["shape"], f"the shape of {tensor}"))
    offsets = tuple(_integers(entry["data_offsets"], f"the offsets of {tensor}"))
    if len(shape) > MAXIMUM_AXES or len(offsets) != 2:
        _refuse(f"{tensor} has {len(shape)} axes and {len(offsets)} offsets, not at most {MAXIMUM_AXES} and 2")
    size = 4 * math.prod(shape)
    if size == 0 or offsets[1] - offsets[0] != size:
        _refuse(f"{tensor} of shape {list(shape)} takes {size} bytes, its offsets are {list(offsets)}")
    return shape, *offsets


def _integers(values: object, what: str) -> Iterator[int]:
    """Yield the members of a list of unsigned 63-bit integers."""
    if not isinstance(values, list):
        _refuse(f"{what} is not a list")
    for value in values:
        if type(value) is not int or not 0 <= value < 1 << 63:
            _refuse(f"{what} has the member {str(value)[:80]}, not an integer from 0 to 2^63 - 1")
        yield value


def _check_spans(spans: list[tuple[int, int]], available: int) -> None:
    """Refuse unless the tensors fill the data from its first to its last byte."""
    at = 0
    for begin, end in spans:
        if begin != at:
            _refuse(f"a tensor starts at byte {begin} of the data where the one before it ends at {at}")
        at = end
    if at != available:
        _refuse(f"its tensors take {at} bytes, {available} follow the header")


def _refuse(fault: str) -> NoReturn:
    """Raise `MalformedPayloadError` for a model file."""
    raise MalformedPayloadError("model file", fault)
