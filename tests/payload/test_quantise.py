import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from marketplace.errors import NonFiniteError
from marketplace.payload.quantise import QuantisationError, coordinate_range, dequantise, quantise

finite_vectors = hnp.arrays(
    np.float32, st.integers(0, 30), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)
)
bit_widths = st.integers(2, 16)
scales = st.integers(0, 48)


def generator():
    return np.random.default_rng(0)


@pytest.mark.parametrize("bits", range(2, 17))
def test_the_range_is_that_of_a_signed_integer(bits):
    low, high = coordinate_range(bits)
    assert (low, high) == (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    result = quantise(np.array([-1e30, 1e30]), bits=bits, scale_exponent=3)
    assert result.coordinates.tolist() == [low, high]
    assert result.clipped == 2


@given(finite_vectors, bit_widths, scales)
def test_nearest_rounding_is_within_half_a_step_unless_clipped(delta, bits, scale):
    low, high = coordinate_range(bits)
    result = quantise(delta, bits=bits, scale_exponent=scale, rounding="nearest")
    exact = [math.ldexp(float(x), scale) for x in delta]
    assert result.clipped == sum(not low <= x <= high for x in exact)
    assert result.coordinates.tolist() == [round(min(max(x, low), high)) for x in exact]


@given(finite_vectors, bit_widths, scales)
def test_stochastic_rounding_goes_to_one_of_the_two_neighbours(delta, bits, scale):
    low, high = coordinate_range(bits)
    result = quantise(delta, bits=bits, scale_exponent=scale)
    assert result.coordinates.dtype == np.int16
    for q, x in zip(result.coordinates.tolist(), delta, strict=True):
        exact = min(max(math.ldexp(float(x), scale), low), high)
        assert q in (math.floor(exact), math.ceil(exact))


def test_stochastic_rounding_has_the_right_mean():
    delta = np.repeat([0.3, -0.3, 1.75, -1.75], 40_000)
    q = quantise(delta, bits=8, scale_exponent=0, generator=generator()).coordinates
    means = q.reshape(4, -1).mean(axis=1)
    # Six standard deviations of a mean of 40,000 coins.
    assert np.abs(means - [0.3, -0.3, 1.75, -1.75]).max() < 6 * 0.5 / 200


def test_the_same_update_twice_is_rounded_differently_unless_a_generator_is_given():
    delta = np.full(200, 0.5)
    free = [quantise(delta, bits=16, scale_exponent=0).coordinates for _ in range(2)]
    fixed = [quantise(delta, bits=16, scale_exponent=0, generator=generator()).coordinates for _ in range(2)]
    assert not np.array_equal(*free)
    assert np.array_equal(*fixed)


def test_whole_steps_are_never_moved():
    whole = np.arange(-100, 100) / 2**10
    result = quantise(whole, bits=16, scale_exponent=10)
    assert result.coordinates.tolist() == list(range(-100, 100))
    assert result.clipped == 0
    assert np.array_equal(dequantise(result.coordinates, 10), whole)


def test_an_update_longer_than_a_block_is_quantised_throughout():
    delta = np.zeros((1 << 20) + 3)
    delta[[0, (1 << 20) - 1, 1 << 20, -1]] = [1, 2, 3, 9_000]
    result = quantise(delta, bits=8, scale_exponent=1)
    assert result.coordinates[[0, (1 << 20) - 1, 1 << 20, -1]].tolist() == [2, 4, 6, 127]
    assert result.clipped == 1
    assert np.count_nonzero(result.coordinates) == 4


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_one_value_that_is_not_finite_is_refused_with_its_place(value):
    delta = np.zeros(10, dtype=np.float32)
    delta[7] = value
    with pytest.raises(NonFiniteError, match=rf"Value 7 of the update is {value} \(1 such values in all\)") as caught:
        quantise(delta, bits=16, scale_exponent=10)
    assert caught.value.index == 7
    assert str(caught.value.value) == str(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_update_that_is_nowhere_finite_is_refused(value):
    with pytest.raises(NonFiniteError, match=rf"Value 0 of the update is {value} \(1000 such"):
        quantise(np.full(1000, value), bits=16, scale_exponent=10)


@pytest.mark.parametrize("count", [1, 1000])
def test_the_largest_floats_become_the_end_of_the_range(count):
    result = quantise(np.full(count, 3.4e38, dtype=np.float32), bits=16, scale_exponent=48)
    assert (result.coordinates == 32767).all()
    assert result.clipped == count
    assert quantise(np.array([1e308, -1e308]), bits=16, scale_exponent=48).coordinates.tolist() == [32767, -32768]


@pytest.mark.parametrize("value", [1e-45, -1e-45, -0.0, 1.1754942e-38])
def test_subnormal_numbers_and_negative_zero_become_zero(value):
    result = quantise(np.full(100, value, dtype=np.float32), bits=16, scale_exponent=48, rounding="nearest")
    assert not result.coordinates.any()
    assert result.clipped == 0


def test_a_zero_update_stays_zero():
    assert not quantise(np.zeros(1000), bits=2, scale_exponent=48).coordinates.any()


@pytest.mark.parametrize(("bits", "scale", "shape"), [(1, 0, 3), (17, 0, 3), (16, -1, 3), (16, 49, 3), (16, 0, (3, 1))])
def test_settings_that_no_job_has_are_refused(bits, scale, shape):
    with pytest.raises(QuantisationError, match="it must be from"):
        quantise(np.zeros(shape), bits=bits, scale_exponent=scale)
    if scale:
        with pytest.raises(QuantisationError, match="scale exponent"):
            dequantise(np.zeros(3, dtype=np.int16), scale)
