"""The exact Gram matrix, its packing, and the checks that the contract makes."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from contribution.errors import CairnError, GramError
from contribution.gram import check_gram, gram_matrix, gram_matrix_plain, pack_gram, unpack_gram

ROWS = st.sampled_from(["int8", "int16", "int32"]).flatmap(
    lambda name: arrays(name, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7))
)


@settings(deadline=None)
@given(ROWS)
@example(np.full((1, 5), 1_358_187_914, dtype=np.int32))
def test_it_equals_the_definition_in_python_integers_or_is_refused_beyond_64_bits(updates) -> None:
    plain = gram_matrix_plain(updates.tolist())
    if all(-(2**63) <= entry < 2**63 for row in plain for entry in row):
        assert gram_matrix(updates).tolist() == plain
    else:
        with pytest.raises(GramError, match="more than 64 bits"):
            gram_matrix(updates)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_the_largest_entries_of_the_largest_models_are_exact(dtype) -> None:
    # At -2^15, a sum of 2^23 + 3 products needs more bits than a double has, so that only short partial sums are exact.
    dimension = 2**23 + 3
    lowest = np.iinfo(dtype).min
    updates = np.full((2, dimension), lowest, dtype=dtype)
    updates[1, ::2] = 1
    odd, even = dimension // 2, dimension - dimension // 2
    expected = [
        [lowest**2 * dimension, lowest**2 * odd + lowest * even],
        [lowest**2 * odd + lowest * even, lowest**2 * odd + even],
    ]
    assert gram_matrix(updates).tolist() == expected


def test_rows_may_be_separate_arrays_of_different_types(rng) -> None:
    rows = [
        rng.integers(-100, 100, 1000).astype(np.int8),
        rng.integers(-(2**25), 2**25, 1000).astype(np.int32),
        rng.integers(-(2**15), 2**15, 1000).astype(np.int16),
    ]
    assert gram_matrix(rows).tolist() == gram_matrix_plain([row.tolist() for row in rows])


def test_an_entry_of_exactly_int64_size_is_kept_and_one_beyond_refused() -> None:
    updates = np.full((1, 2), -(2**31), dtype=np.int32)
    with pytest.raises(GramError, match=r"rows 0 and 0 is 9223372036854775808.*64 bits"):
        gram_matrix(updates)
    opposite = np.array([[-(2**31)] * 2, [2**31 - 1] * 2], dtype=np.int32)
    with pytest.raises(GramError, match="64 bits"):
        gram_matrix(opposite)
    just_below = np.array([[-(2**31), 2**31 - 1]], dtype=np.int32)
    assert gram_matrix(just_below).tolist() == [[2**62 + (2**31 - 1) ** 2]]


def test_no_coordinates_give_zeros() -> None:
    assert gram_matrix(np.zeros((2, 0), dtype=np.int16)).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no update"),
        ([np.zeros(3)], "row 0 is an array of float64"),
        ([np.zeros(3, np.int64)], "row 0 is an array of int64"),
        ([np.zeros(3, np.uint8)], "row 0 is an array of uint8"),
        ([np.zeros(3, np.int16), np.zeros((3, 1), np.int16)], r"row 1 is an array of int16 and shape \(3, 1\)"),
        ([np.zeros(3, np.int16), np.zeros(2, np.int16)], "row 1 has 2 coordinates, row 0 has 3"),
    ],
)
def test_what_is_not_a_set_of_quantised_updates_is_refused(rows, message) -> None:
    with pytest.raises(GramError, match=message):
        gram_matrix(rows)


def test_a_packed_matrix_is_the_upper_triangle_row_by_row_in_big_endian() -> None:
    matrix = np.array([[1, -2, 3], [-2, 2**62, 5], [3, 5, 7]], dtype=np.int64)
    expected = b"".join(entry.to_bytes(8, "big", signed=True) for entry in (1, -2, 3, 2**62, 5, 7))
    assert pack_gram(matrix) == expected


@given(st.integers(0, 6).flatmap(lambda m: st.tuples(st.just(m), st.binary(min_size=4 * m * (m + 1), max_size=168))))
def test_every_string_of_the_right_length_packs_one_matrix(rows_and_bytes) -> None:
    rows, packed = rows_and_bytes
    packed = packed[: 4 * rows * (rows + 1)]
    matrix = unpack_gram(packed, rows)
    assert np.array_equal(matrix, matrix.T)
    assert pack_gram(matrix) == packed


@pytest.mark.parametrize(("length", "rows"), [(23, 2), (25, 2), (0, 1), (24, 3), (8, -2)])
def test_a_packed_matrix_of_another_length_is_refused(length, rows) -> None:
    with pytest.raises(GramError, match=f"this one {length}"):
        unpack_gram(bytes(length), rows)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((2, 3), np.int64), "square"),
        (np.zeros(4, np.int64), "square"),
        (np.zeros((2, 2), np.int32), "int64"),
        (np.array([[1, 2], [3, 4]], np.int64), r"entry \(0, 1\) is 2, entry \(1, 0\) is 3"),
    ],
)
def test_what_is_not_a_symmetric_matrix_is_not_packed(matrix, message) -> None:
    with pytest.raises(GramError, match=message):
        pack_gram(matrix)


def test_the_gram_matrix_of_updates_in_range_passes_the_check(rng) -> None:
    updates = rng.integers(-128, 128, (6, 40)).astype(np.int8)
    check_gram(gram_matrix(updates), dimension=40, bits=8)
    check_gram(gram_matrix(np.full((2, 5), -128, np.int8)), dimension=5, bits=8)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([[-1, 0], [0, 4]], "row 0 is -1, outside 0..64"),
        ([[4, 0], [0, 65]], "row 1 is 65, outside 0..64 for 4 coordinates of 3 bits"),
        ([[4, 7], [7, 9]], "rows 0 and 1 is 7"),
        ([[4, -7], [-7, 9]], "rows 0 and 1 is -7"),
        ([[0, 1], [1, 9]], "rows 0 and 1 is 1"),
    ],
)
def test_what_no_updates_in_range_can_give_is_refused_by_its_entry(entries, message) -> None:
    with pytest.raises(GramError, match=message):
        check_gram(np.array(entries, dtype=np.int64), dimension=4, bits=3)


def test_the_bounds_themselves_are_accepted() -> None:
    check_gram(np.array([[4, -6], [-6, 9]], dtype=np.int64), dimension=9, bits=1)


def test_its_errors_are_caught_as_errors_of_normal_operation() -> None:
    assert issubclass(GramError, CairnError)
