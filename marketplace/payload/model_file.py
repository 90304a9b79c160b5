"""Model files: safetensors with exactly the tensors of the job's architecture, all float32.

The file's structure is checked before the safetensors library sees it: its total length is known from the
architecture, its header is JSON without repeated keys, and the tensors fill the rest without holes or overlaps. There
is no other format and nothing to fall back on; formats that can carry code are never opened.

NaN and infinity are refused. Subnormal numbers and -0.0 become +0.0, in what is read and in what
`marketplace.payload.server_momentum` computes: processors differ in whether they keep subnormals (and libraries switch
it), and the same model must come out everywhere, bit for bit. The loss is below 1.2e-38 a parameter.
"""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from marketplace.errors import DimensionError, MalformedPayloadError, PayloadError
from marketplace.payload.quantise import refuse_non_finite
from marketplace.payload.safetensors_header import MAXIMUM_HEADER_BYTES, read_shapes

# Name -> shape, in the order in which the model's vector holds the tensors.
Shapes = Mapping[str, tuple[int, ...]]
Tensors = Mapping[str, npt.NDArray[np.float32]]
Vector = npt.NDArray[np.float32]

_SMALLEST_NORMAL: Final = np.finfo(np.float32).smallest_normal


class ArchitectureError(PayloadError):
    """Thrown when a model's tensors are not those of the job's architecture.

    Attributes
    ----------
    faults
        Every difference, one clause each.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        shown = "; ".join(faults[:10]) + (f"; and {len(faults) - 10} more" if len(faults) > 10 else "")
        super().__init__(f"The model is of another architecture: {shown}; give one of the job's specification.")


def parameter_count(shapes: Shapes) -> int:
    """Return d, the number of parameters of an architecture."""
    return sum(math.prod(shape) for shape in shapes.values())


def largest_model_file(shapes: Shapes) -> int:
    """Return the most bytes that a model file of this architecture can have; what to ask a content store for."""
    return 8 + MAXIMUM_HEADER_BYTES + 4 * parameter_count(shapes)


def encode_model(tensors: Tensors) -> bytes:
    """Encode tensors as a safetensors file; equal tensors give equal bytes.

    Raises
    ------
    NonFiniteError
        If a value is NaN or infinite.
    """
    for name, tensor in tensors.items():
        refuse_non_finite(tensor, f"tensor {name!r}")
    return save({name: np.ascontiguousarray(tensors[name], dtype="<f4") for name in sorted(tensors)})


def decode_model(data: bytes, shapes: Shapes) -> dict[str, npt.NDArray[np.float32]]:
    """Convert untrusted bytes to the tensors of a known architecture.

    Parameters
    ----------
    data
        The file.
    shapes
        The job's architecture.

    Returns
    -------
    dict of ndarray, float32
        In the order of `shapes`; subnormals and -0.0 have become +0.0.

    Raises
    ------
    MalformedPayloadError
        If the file is not one complete safetensors file of float32 tensors.
    ArchitectureError
        If names or shapes differ, with every difference.
    NonFiniteError
        If a value is NaN or infinite.
    """
    _check_architecture(read_shapes(data, largest_model_file(shapes)), shapes)
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise MalformedPayloadError("model file", f"safetensors refuses it ({error})") from error
    for name in shapes:
        refuse_non_finite(tensors[name], f"tensor {name!r}")
    return {name: without_subnormals(tensors[name]) for name in shapes}


def flatten(tensors: Tensors, shapes: Shapes) -> Vector:
    """Join tensors to one vector, in the order of `shapes`, each in row-major order.

    Returns
    -------
    ndarray, float32, shape (d,)

    Raises
    ------
    ArchitectureError
        If names or shapes differ.
    """
    _check_architecture({name: tensor.shape for name, tensor in tensors.items()}, shapes)
    return np.concatenate([tensors[name].astype(np.float32, copy=False).reshape(-1) for name in shapes])


def unflatten(vector: Vector, shapes: Shapes) -> dict[str, npt.NDArray[np.float32]]:
    """Split a vector into tensors; the inverse of `flatten`.

    Raises
    ------
    DimensionError
        If the vector's length is not the number of parameters.
    """
    if vector.shape != (parameter_count(shapes),):
        raise DimensionError("model vector", vector.size, parameter_count(shapes))
    tensors = {}
    start = 0
    for name, shape in shapes.items():
        stop = start + math.prod(shape)
        tensors[name] = vector[start:stop].astype(np.float32).reshape(shape)
        start = stop
    return tensors


def without_subnormals(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return a copy in which everything below the smallest normal number, -0.0 included, is +0.0."""
    return np.where(np.abs(values) < _SMALLEST_NORMAL, np.float32(0), values)


def _check_architecture(found: Mapping[str, tuple[int, ...]], expected: Shapes) -> None:
    """Raise `ArchitectureError` with every difference between two sets of tensors."""
    faults = [f"tensor {name!r} is missing" for name in expected if name not in found]
    faults += [f"tensor {name!r} is not part of it" for name in found if name not in expected]
    for name, shape in expected.items():
        if name in found and found[name] != shape:
            faults.append(f"tensor {name!r} has shape {list(found[name])}, not {list(shape)}")
    if faults:
        raise ArchitectureError(faults)
