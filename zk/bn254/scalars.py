"""Conversion between integers and arrays of scalars: uint64, shape (n, 4), in Montgomery form, each below r."""

from collections.abc import Sequence

import numpy as np

from zk.bn254 import scalar_field as fr
from zk.bn254.arrays import readable, readable_scalars
from zk.bn254.jit import compiled
from zk.bn254.limbs import ZERO, Int64Array, Limbs, UInt64Array, load, store
from zk.bn254.parameters import SCALAR_MODULUS


def scalars_from_integers(integers: Sequence[int]) -> UInt64Array:
    """Return scalars for integers of any size and sign, reduced modulo r; uint64, shape (n, 4)."""
    data = b"".join((integer % SCALAR_MODULUS).to_bytes(32, "little") for integer in integers)
    scalars = np.frombuffer(data, "<u8").astype(np.uint64).reshape(-1, 4)
    _encode(scalars)
    return scalars


def scalars_to_integers(scalars: UInt64Array) -> list[int]:
    """Return the integers of [0, r) of scalars, uint64 of shape (n, 4).

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    integers = readable_scalars(scalars).copy()
    _decode(integers)
    data = integers.astype("<u8").tobytes()
    return [int.from_bytes(data[k : k + 32], "little") for k in range(0, len(data), 32)]


def scalars_from_int64(integers: Int64Array) -> UInt64Array:
    """Return scalars, uint64 of shape (n, 4), for signed integers, int64 of shape (n,).

    Raises
    ------
    ArrayError
        If the array has another type or shape.
    """
    integers = readable("integers", integers, np.int64, (None,))
    scalars = np.empty((len(integers), 4), np.uint64)
    _encode_int64(integers, scalars)
    return scalars


@compiled
def _encode(scalars: UInt64Array) -> None:
    for i in range(scalars.shape[0]):
        store(scalars, i, fr.to_montgomery(load(scalars, i)))


@compiled
def _decode(scalars: UInt64Array) -> None:
    for i in range(scalars.shape[0]):
        store(scalars, i, fr.from_montgomery(load(scalars, i)))


@compiled
def from_int64(integer: np.int64) -> Limbs:
    """Return the element of a signed integer."""
    if integer < 0:
        # The magnitude of -2^63 is right too, as an unsigned integer.
        return fr.negate(fr.to_montgomery((ZERO - np.uint64(integer), ZERO, ZERO, ZERO)))
    return fr.to_montgomery((np.uint64(integer), ZERO, ZERO, ZERO))


@compiled
def _encode_int64(integers: Int64Array, scalars: UInt64Array) -> None:
    for i in range(integers.size):
        store(scalars, i, from_int64(integers[i]))
