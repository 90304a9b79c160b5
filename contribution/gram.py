"""The Gram matrix of integer updates: computed exactly, packed for the chain, and checked as the contract checks it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contribution.errors import GramError
from contribution.integer_products import LANES, TILE, Rows, Sums, add_products

IntegerRow = npt.NDArray[np.signedinteger[Any]]
GramMatrix = npt.NDArray[np.int64]

# Doubles hold every integer up to this size, so a sum of integer products that stays within it is exact in any order.
_EXACT_IN_FLOAT64: Final = 2**53
_INT64_LIMIT: Final = 2**63
# Rows of more than 16 bits are split at this bit, so that the parts' products leave room for long exact sums.
_LIMB_BITS: Final = 15
_CHUNK_BYTES: Final = 2**24
_ROW_TYPES: Final = ("int8", "int16", "int32")
# Below so many coordinates no sum of products of 16 bits leaves int64.
_NARROW_DIMENSION: Final = 2**33
# Coordinates of all rows that are brought together at a time, a multiple of LANES: as many as the caches hold.
_BLOCK: Final = 2**15
# A thread is not worth its while for fewer coordinates.
_THREAD_DIMENSION: Final = 2**17
_CACHE_LINE_BYTES: Final = 64


def gram_matrix(updates: Sequence[IntegerRow] | IntegerRow) -> GramMatrix:
    """Return `G_ij = sum_k q_i[k] q_j[k]`, exactly.

    Rows of at most 16 bits are multiplied as integers, on all cores (`contribution.integer_products`). Wider ones are
    multiplied as floating-point matrices over chunks of coordinates so short that every partial sum stays within 2^53
    and is therefore exact; chunks are added up in integers.

    Parameters
    ----------
    updates
        m rows of equal length d, int8, int16 or int32: a sequence of arrays of shape (d,), or one of shape (m, d).

    Returns
    -------
    GramMatrix
        int64, shape (m, m), symmetric.

    Raises
    ------
    GramError
        If there is no row, the rows differ in length, hold something other than int8, int16 or int32, or an entry
        does not fit int64.
    """
    rows = _checked_rows(updates)
    if all(row.dtype.itemsize <= 2 for row in rows) and rows[0].size < _NARROW_DIMENSION:
        return _narrow_matrix(rows)
    largest = max((_largest(row) for row in rows), default=0)
    if largest < 2**16:
        return _to_int64(_sum_chunks(rows, largest, split=False))
    stacked = _sum_chunks(rows, 2**16, split=True).astype(object)
    m = len(rows)
    high, mixed, low = stacked[:m, :m], stacked[:m, m:], stacked[m:, m:]
    return _to_int64((high << (2 * _LIMB_BITS)) + ((mixed + mixed.T) << _LIMB_BITS) + low)


def gram_matrix_plain(updates: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the Gram matrix in Python integers: the definition, for tests and for auditors who trust no library."""
    return [[sum(x * y for x, y in zip(first, second, strict=True)) for second in updates] for first in updates]


def pack_gram(matrix: GramMatrix) -> bytes:
    """Pack a Gram matrix as the contracts read it.

    Parameters
    ----------
    matrix
        int64, shape (m, m), symmetric.

    Returns
    -------
    bytes
        The upper triangle, diagonal included, row by row, each entry an int64 in big-endian byte order: 4 m (m + 1)
        bytes.

    Raises
    ------
    GramError
        If the matrix is not square, not of int64, or not symmetric.
    """
    if matrix.dtype != np.int64 or matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise GramError(
            f"cannot pack an array of {matrix.dtype} and shape {matrix.shape}; a Gram matrix is square and of int64"
        )
    if not np.array_equal(matrix, matrix.T):
        i, j = (int(index) for index in np.argwhere(matrix != matrix.T)[0])
        raise GramError(
            f"the matrix is not symmetric: entry ({i}, {j}) is {matrix[i, j]}, entry ({j}, {i}) is {matrix[j, i]}; "
            "compute it with gram_matrix"
        )
    return matrix[np.triu_indices(len(matrix))].astype(">i8").tobytes()


def unpack_gram(packed: bytes, rows: int) -> GramMatrix:
    """Convert untrusted bytes to the symmetric matrix that they pack.

    Every string of the right length is the packing of exactly one matrix; whether it can be a Gram matrix is for
    `check_gram` to say.

    Parameters
    ----------
    packed
        As `pack_gram` returns it.
    rows
        m, trainers and references together.

    Raises
    ------
    GramError
        If the length is not 4 m (m + 1) bytes.
    """
    if rows < 0 or len(packed) != 4 * rows * (rows + 1):
        raise GramError(
            f"a packed matrix of {rows} rows has {4 * rows * (rows + 1)} bytes, this one {len(packed)}; "
            "fetch the settlement again, or count the accepted updates and references"
        )
    matrix = np.zeros((rows, rows), dtype=np.int64)
    upper = np.triu_indices(rows)
    matrix[upper] = np.frombuffer(packed, dtype=">i8")
    matrix[upper[1], upper[0]] = matrix[upper]
    return matrix


def check_gram(matrix: GramMatrix, dimension: int, bits: int) -> None:
    """Make the checks that the contract makes of every matrix.

    They are necessary, not sufficient: that the matrix belongs to the committed updates is the proof's matter.

    Parameters
    ----------
    matrix
        int64, shape (m, m), symmetric.
    dimension
        d, coordinates per update.
    bits
        b, bits per signed coordinate.

    Raises
    ------
    GramError
        Naming the first entry with `G_ii < 0`, `G_ii > d 2^(2b-2)` or `G_ij^2 > G_ii G_jj`.
    """
    entries = matrix.tolist()
    maximum = dimension << (2 * bits - 2)
    for i, row in enumerate(entries):
        if not 0 <= row[i] <= maximum:
            raise GramError(
                f"the squared norm of row {i} is {row[i]}, outside 0..{maximum} for {dimension} coordinates of "
                f"{bits} bits; the matrix is not that of updates in range"
            )
    for i, row in enumerate(entries):
        for j in range(i + 1, len(entries)):
            if row[j] * row[j] > row[i] * entries[j][j]:
                raise GramError(
                    f"the inner product of rows {i} and {j} is {row[j]}, but their squared norms {row[i]} and "
                    f"{entries[j][j]} allow no more than their geometric mean; the matrix is not that of any updates"
                )


def _checked_rows(updates: Sequence[IntegerRow] | IntegerRow) -> list[IntegerRow]:
    """Return the rows as a list, all known to be integer vectors of one length."""
    rows = [np.asarray(row) for row in updates]
    if not rows:
        raise GramError("there is no update to take inner products of; a round needs at least one")
    for index, row in enumerate(rows):
        if row.dtype.name not in _ROW_TYPES or row.ndim != 1:
            raise GramError(
                f"row {index} is an array of {row.dtype} and shape {row.shape}; a quantised update is a vector of "
                + ", ".join(_ROW_TYPES)
            )
        if row.size != rows[0].size:
            raise GramError(
                f"row {index} has {row.size} coordinates, row 0 has {rows[0].size}; all rows belong to one model"
            )
    return rows


def _largest(row: IntegerRow) -> int:
    """Return the largest absolute value of a row, 0 for an empty one."""
    return max(abs(int(row.max())), abs(int(row.min()))) if row.size else 0


def _narrow_matrix(rows: list[IntegerRow]) -> GramMatrix:
    """Return the Gram matrix of rows of at most 16 bits."""
    threads = max(1, min(_core_count(), rows[0].size // _THREAD_DIMENSION))
    cuts = [rows[0].size * k // threads for k in range(threads + 1)]
    if threads == 1:
        total = _upper_sums(rows, *cuts)
    else:
        with ThreadPoolExecutor(threads) as pool:
            total = np.sum(list(pool.map(_upper_sums, [rows] * threads, cuts[:-1], cuts[1:])), axis=0)
    upper = np.triu(total[: len(rows), : len(rows)])
    return upper + np.triu(upper, 1).T


def _core_count() -> int:
    """Return on how many cores this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _upper_sums(rows: list[IntegerRow], start: int, stop: int) -> Sums:
    """Return the upper triangle of the Gram matrix of the coordinates from start to stop.

    The rows may lie anywhere in memory; block by block they are brought together in 16 bits, aligned, and with zeros
    added where `add_products` asks for more rows or coordinates than there are.
    """
    height = _round_up(len(rows), TILE)
    block = _aligned_zeros(height, min(_BLOCK, _round_up(stop - start, LANES)))
    sums = np.zeros((height, height), dtype=np.int64)
    for at in range(start, stop, _BLOCK):
        width = min(_BLOCK, stop - at)
        padded = _round_up(width, LANES)
        block[:, width:padded] = 0
        for place, row in zip(block, rows, strict=False):
            place[:width] = row[at : at + width]
        add_products(block[:, :padded], sums)
    return sums


def _aligned_zeros(height: int, width: int) -> Rows:
    """Return zeros that begin at a line of the cache, so that a vector is loaded from one line."""
    data = np.zeros(2 * height * width + _CACHE_LINE_BYTES, dtype=np.int8)
    skipped = -data.ctypes.data % _CACHE_LINE_BYTES
    return data[skipped : skipped + 2 * height * width].view(np.int16).reshape(height, width)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _sum_chunks(rows: list[IntegerRow], largest: int, split: bool) -> npt.NDArray[Any]:
    """Add up the exact Gram matrices of consecutive coordinates.

    Returns
    -------
    ndarray
        int64 if no entry can leave it, else Python integers; (m, m), or (2m, 2m) for split rows.
    """
    dimension = rows[0].size
    height = 2 * len(rows) if split else len(rows)
    fits = largest * largest * dimension < _INT64_LIMIT
    total: npt.NDArray[Any] = np.zeros((height, height), dtype=np.int64 if fits else object)
    exact_length = _EXACT_IN_FLOAT64 // max(largest * largest, 1)
    length = max(1, min(exact_length, _CHUNK_BYTES // (8 * height)))
    for chunk in _chunks(rows, length, split):
        total += (chunk @ chunk.T).astype(np.int64).astype(total.dtype)
    return total


def _chunks(rows: list[IntegerRow], length: int, split: bool) -> Iterator[npt.NDArray[np.float64]]:
    """Yield consecutive coordinates of all rows; of split rows, first all high parts, then all low parts."""
    for start in range(0, rows[0].size, length):
        columns = [row[start : start + length] for row in rows]
        if split:
            columns = [c.astype(np.int32) for c in columns]
            columns = [c >> _LIMB_BITS for c in columns] + [c & (2**_LIMB_BITS - 1) for c in columns]
        yield np.array(columns, dtype=np.float64)


def _to_int64(matrix: npt.NDArray[Any]) -> GramMatrix:
    """Return the matrix in int64, refusing entries that don't fit."""
    if matrix.dtype != np.int64:
        for i, row in enumerate(matrix.tolist()):
            for j, entry in enumerate(row):
                if not -_INT64_LIMIT <= entry < _INT64_LIMIT:
                    raise GramError(
                        f"the inner product of rows {i} and {j} is {entry}, which needs more than 64 bits; "
                        "use fewer bits per coordinate or fewer coordinates"
                    )
    return matrix.astype(np.int64)
