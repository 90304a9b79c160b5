"""Checks of arrays before compiled code, which checks no bounds, sees them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from zk.bn254.errors import ArrayError
from zk.bn254.limbs import UInt64Array


def _described(array: object) -> str:
    return f"{array.dtype}, shape {array.shape}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"


def _expected(dtype: type[np.generic], shape: tuple[int | None, ...]) -> str:
    axes = ", ".join("n" if length is None else str(length) for length in shape)
    return f"{np.dtype(dtype)}, shape ({axes}{',' if len(shape) == 1 else ''})"


def _fits(array: object, dtype: type[np.generic], shape: tuple[int | None, ...]) -> bool:
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != len(shape):
        return False
    return all(axis is None or axis == length for axis, length in zip(shape, array.shape, strict=True))


def readable(
    what: str, array: npt.NDArray[Any], dtype: type[np.generic], shape: tuple[int | None, ...]
) -> npt.NDArray[Any]:
    """Return a read-only view of an array, or a copy of it if its layout in memory is not the plain one.

    Parameters
    ----------
    what
        The argument's name in the plural, for the message.
    array
        Of any origin, a read-only memory map included.
    dtype
        What its elements must be, in the machine's byte order.
    shape
        The lengths of its axes, None where any will do.

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    if not _fits(array, dtype, shape):
        raise ArrayError(what, _described(array), _expected(dtype, shape))
    view: npt.NDArray[Any] = np.require(array, requirements=["C", "A"]).view()
    view.flags.writeable = False
    return view


def writable(
    what: str, array: npt.NDArray[Any], dtype: type[np.generic], shape: tuple[int | None, ...]
) -> npt.NDArray[Any]:
    """Return an array that is to be changed in place, if it can be.

    Raises
    ------
    ArrayError
        If the array has another type, shape or layout in memory, or is read-only.
    """
    expected = _expected(dtype, shape)
    if not _fits(array, dtype, shape):
        raise ArrayError(what, _described(array), expected)
    if not (array.flags.c_contiguous and array.flags.aligned and array.flags.writeable):
        raise ArrayError(what, "not one writable block of memory", f"{expected}, contiguous and writable")
    return array


def readable_points(points: UInt64Array) -> UInt64Array:
    """Return a read-only view of points of G1, shape (n, 2, 4)."""
    return readable("points", points, np.uint64, (None, 2, 4))


def readable_scalars(scalars: UInt64Array) -> UInt64Array:
    """Return a read-only view of scalars, shape (n, 4)."""
    return readable("scalars", scalars, np.uint64, (None, 4))
