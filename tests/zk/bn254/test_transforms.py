import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zk.bn254.reference import R, scalars
from zk.bn254 import (
    ArrayError,
    autocorrelation,
    inverse_ntt,
    ntt,
    scalars_from_integers,
    scalars_to_integers,
    transforms,
)
from zk.bn254.parameters import SCALAR_GENERATOR


def random_integers(n: int, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    return [int.from_bytes(rng.bytes(32), "big") % R for _ in range(n)]


def lists_of_powers_of_two(largest: int):
    return st.integers(0, largest).flatmap(lambda k: st.lists(scalars, min_size=1 << k, max_size=1 << k))


def lags(values: list[int]) -> list[int]:
    return [sum(x * y for x, y in zip(values, values[lag:], strict=False)) % R for lag in range(1, len(values))]


@given(lists_of_powers_of_two(5))
def test_the_transform_is_the_sum_that_defines_it(integers):
    n = len(integers)
    root = pow(SCALAR_GENERATOR, (R - 1) // n, R)
    values = scalars_from_integers(integers)
    ntt(values)
    expected = [sum(value * pow(root, j * m, R) for j, value in enumerate(integers)) % R for m in range(n)]
    assert scalars_to_integers(values) == expected


@pytest.mark.parametrize("level", range(16))
def test_the_inverse_undoes_the_transform_at_sizes_where_blocks_and_threads_change(level):
    integers = random_integers(1 << level, level)
    values = scalars_from_integers(integers)
    ntt(values)
    assert level == 0 or scalars_to_integers(values[:1]) == [sum(integers) % R]
    inverse_ntt(values)
    assert scalars_to_integers(values) == integers


@pytest.mark.parametrize("level", [6, 13, 14, 15])
def test_large_transforms_hold_the_values_at_the_roots(level):
    """The transform of X^j is known, so a few coefficients in different blocks show every place."""
    n = 1 << level
    root = pow(SCALAR_GENERATOR, (R - 1) // n, R)
    places = {1: 3, n // 2: R - 5, n - 1: 2**200}
    integers = [places.get(j, 0) for j in range(n)]
    values = scalars_from_integers(integers)
    ntt(values)
    for m in (0, 1, 2, 3, n // 4, n // 2 + 1, n - 1):
        expected = sum(value * pow(root, j * m, R) for j, value in places.items()) % R
        assert scalars_to_integers(values[m : m + 1]) == [expected]


@pytest.mark.parametrize("cores", [1, 2, 3, 8])
def test_any_number_of_cores_gives_the_same(monkeypatch, cores):
    integers = random_integers(1 << 13, 7)
    expected = scalars_from_integers(integers)
    ntt(expected)
    monkeypatch.setattr(transforms, "core_count", lambda: cores)
    values = scalars_from_integers(integers)
    ntt(values)
    assert np.array_equal(values, expected)
    inverse_ntt(values)
    assert scalars_to_integers(values) == integers


@given(st.lists(scalars, max_size=20))
def test_autocorrelation_is_the_sum_that_defines_it(integers):
    assert scalars_to_integers(autocorrelation(scalars_from_integers(integers))) == lags(integers)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 31, 32, 33, 64, 127, 128, 129])
def test_autocorrelation_agrees_at_sizes_around_the_transform(n):
    integers = random_integers(n, n)
    values = scalars_from_integers(integers)
    assert scalars_to_integers(autocorrelation(values)) == lags(integers)
    assert scalars_to_integers(values) == integers


def test_autocorrelation_of_a_long_vector_agrees_at_a_few_lags():
    n = 2**14
    integers = random_integers(n, 9)
    found = scalars_to_integers(autocorrelation(scalars_from_integers(integers)))
    assert len(found) == n - 1
    for lag in (1, 2, 3, 1000, n // 2, n - 2, n - 1):
        assert found[lag - 1] == sum(x * y for x, y in zip(integers, integers[lag:], strict=False)) % R


@pytest.mark.parametrize("n", [0, 3, 5, 6, 12])
@pytest.mark.parametrize("transform", [ntt, inverse_ntt])
def test_other_lengths_than_powers_of_two_are_refused(transform, n):
    with pytest.raises(ArrayError, match=f"values are {n}, they must be a power of two"):
        transform(np.zeros((n, 4), np.uint64))


def test_arrays_that_can_not_be_changed_in_place_are_refused():
    read_only = np.zeros((8, 4), np.uint64)
    read_only.flags.writeable = False
    for array in (read_only, np.zeros((16, 4), np.uint64)[::2]):
        with pytest.raises(ArrayError, match="contiguous and writable"):
            ntt(array)
    with pytest.raises(ArrayError, match="int64"):
        ntt(np.zeros((8, 4), np.int64))
    with pytest.raises(ArrayError, match="uint64, shape"):
        autocorrelation(np.zeros((8, 3), np.uint64))
