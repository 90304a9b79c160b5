import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zk.bn254.reference import R, scalars
from zk.bn254 import (
    ArrayError,
    add_scaled,
    combine_int16,
    divide_by_quadratic,
    evaluate,
    scalars_from_integers,
    scalars_to_integers,
)

# A second core takes part from 8192 on.
SIZES = [0, 1, 2, 3, 4095, 8191, 8192, 8193]
any_integers = scalars | st.integers(-(2**300), 2**300)


def random_integers(n: int, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    return [int.from_bytes(rng.bytes(32), "big") % R for _ in range(n)]


def value_at(coefficients: list[int], x: int) -> int:
    total = 0
    for coefficient in reversed(coefficients):
        total = (total * x + coefficient) % R
    return total


@given(st.lists(scalars, max_size=10), any_integers)
def test_evaluation_agrees_with_integers(coefficients, x):
    assert evaluate(scalars_from_integers(coefficients), x) == value_at(coefficients, x)


@pytest.mark.parametrize("n", SIZES)
def test_evaluation_agrees_at_sizes_where_threads_change(n):
    coefficients, x = random_integers(n, n), R - 12345
    assert evaluate(scalars_from_integers(coefficients), x) == value_at(coefficients, x)


@given(st.lists(st.tuples(scalars, scalars), max_size=10), any_integers)
def test_a_scaled_vector_is_added(pairs, factor):
    target = scalars_from_integers([a for a, _ in pairs])
    add_scaled(target, scalars_from_integers([b for _, b in pairs]), factor)
    assert scalars_to_integers(target) == [(a + factor * b) % R for a, b in pairs]


@pytest.mark.parametrize("n", SIZES)
def test_a_scaled_vector_is_added_at_sizes_where_threads_change(n):
    first, second = random_integers(n, n), random_integers(n, n + 1)
    target = scalars_from_integers(first)
    add_scaled(target, scalars_from_integers(second), 5)
    assert scalars_to_integers(target) == [(a + 5 * b) % R for a, b in zip(first, second, strict=True)]


def test_a_scaled_vector_is_added_to_a_part():
    target = scalars_from_integers([1, 2, 3, 4])
    add_scaled(target[1:3], scalars_from_integers([10, 20]), -1)
    assert scalars_to_integers(target) == [1, R - 8, R - 17, 4]


coordinates = st.integers(-(2**15), 2**15 - 1) | st.sampled_from([-(2**15), 2**15 - 1, 0, -1])
factors = st.integers(0, 2**128 - 1) | st.sampled_from([0, 1, 2**64 - 1, 2**64, 2**128 - 1])


@given(
    st.integers(0, 6).flatmap(
        lambda d: st.lists(st.tuples(st.lists(coordinates, min_size=d, max_size=d), factors), min_size=1, max_size=6)
    )
)
def test_combinations_agree_with_integers(rows):
    updates = [np.array(row, np.int16) for row, _ in rows]
    found = combine_int16(updates, [factor for _, factor in rows])
    expected = [sum(factor * row[k] for row, factor in rows) % R for k in range(len(updates[0]))]
    assert scalars_to_integers(found) == expected


@pytest.mark.parametrize("value", [-(2**15), 2**15 - 1])
def test_many_extreme_rows_agree(value):
    found = combine_int16([np.full(3, value, np.int16)] * 1000, [2**128 - 1] * 1000)
    assert scalars_to_integers(found) == [1000 * value * (2**128 - 1) % R] * 3


@pytest.mark.parametrize("d", [16383, 16384, 16385, 40000])
def test_combinations_agree_at_sizes_where_threads_change(d):
    rng = np.random.default_rng(d)
    updates = [rng.integers(-(2**15), 2**15, d).astype(np.int16) for _ in range(3)]
    weights = [3**80, 1, 2**127]
    found = scalars_to_integers(combine_int16(updates, weights))
    expected = sum(weight * update.astype(object) for weight, update in zip(weights, updates, strict=True))
    assert found == [int(x) % R for x in expected]


@given(st.lists(scalars, max_size=10), any_integers, scalars)
def test_quotient_and_remainder_make_up_the_polynomial(coefficients, s, x):
    quotient, remainder = divide_by_quadratic(scalars_from_integers(coefficients), s)
    assert len(quotient) == max(0, len(coefficients) - 2)
    whole = value_at(scalars_to_integers(quotient), x) * (x * x - s * x + 1) + remainder[0] + remainder[1] * x
    assert whole % R == value_at(coefficients, x)
    assert all(0 <= part < R for part in remainder)


def test_division_of_a_multiple_leaves_nothing():
    s = 7
    quotient, remainder = divide_by_quadratic(scalars_from_integers([1, -s, 1]), s)
    assert scalars_to_integers(quotient) == [1]
    assert remainder == (0, 0)


ZEROS = np.zeros((3, 4), np.uint64)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evaluate(np.zeros((3, 2), np.uint64), 1), "must be uint64, shape"),
        (lambda: divide_by_quadratic(np.zeros(4, np.uint64), 1), "must be uint64, shape"),
        (lambda: add_scaled(ZEROS.copy(), ZEROS[:2], 1), "sums are 3, they must be as many as the 2"),
        (lambda: add_scaled(np.zeros((6, 4), np.uint64)[::2], ZEROS, 1), "contiguous and writable"),
        (lambda: combine_int16([], []), "at least one"),
        (lambda: combine_int16([np.zeros(2, np.int16)], []), "each with a factor"),
        (lambda: combine_int16([np.zeros(2, np.int16), np.zeros(3, np.int16)], [1, 1]), "of one length"),
        (lambda: combine_int16([np.zeros(2, np.int32)], [1]), "must be int16"),
        (lambda: combine_int16([np.zeros(2, np.int16)], [-1]), "factors are -1, they must be at least 0"),
        (lambda: combine_int16([np.zeros(2, np.int16)], [2**128]), "below 2"),
    ],
)
def test_what_can_not_be_computed_with_is_refused(call, message):
    with pytest.raises(ArrayError, match=message):
        call()
