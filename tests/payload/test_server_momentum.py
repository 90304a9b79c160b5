"""The model follows from the published sums by the recursions of momentum, to the bit and without them as ever."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import DimensionError, NonFiniteError
from marketplace.payload import server_momentum as sm

TINY = np.finfo(np.float32).smallest_normal

starts = st.lists(st.floats(width=32, min_value=-(2.0**100), max_value=2.0**100), min_size=6, max_size=6)
sums = st.lists(st.lists(st.integers(-(2**45), 2**45), min_size=6, max_size=6), min_size=1, max_size=8)


def models(initial, cumulatives, scale, momentum):
    """The job's model and the round's model after the last of the sums."""
    displacement = np.zeros(len(initial))
    for cumulative in cumulatives:
        displacement = sm.displace(displacement, cumulative, scale, momentum)
    ahead = sm.look_ahead(displacement, cumulatives[-1], scale, momentum)
    return sm.displaced(initial, displacement), sm.displaced(initial, ahead)


@given(starts, sums, st.integers(0, 48))
def test_without_momentum_both_models_are_the_initial_one_plus_the_last_sum(initial, cumulatives, scale):
    start = np.array(initial, dtype=np.float32)
    for model in models(start, np.array(cumulatives, dtype=np.int64), scale, 0.0):
        for theta, x, result in zip(start.tolist(), cumulatives[-1], model, strict=True):
            expected = np.float32((0.0 if abs(theta) < TINY else theta) + x / 2 ** (16 + scale))
            assert result.tobytes() == (np.float32(0) if abs(expected) < TINY else expected).tobytes()


@given(sums, st.integers(0, 48), st.floats(0, 0.99))
def test_the_closed_form_is_the_recursion_of_momentum(cumulatives, scale, momentum):
    """In rational numbers, up to what float64 rounds away."""
    mu, unit = Fraction(momentum), Fraction(1, 2 ** (16 + scale))
    theta, velocity, before = [Fraction(0)] * 6, [Fraction(0)] * 6, [0] * 6
    displacement = np.zeros(6)
    for cumulative in cumulatives:
        steps = [(now - then) * unit for now, then in zip(cumulative, before, strict=True)]
        ahead = [at + mu * v for at, v in zip(theta, velocity, strict=True)]
        velocity = [mu * v + s for v, s in zip(velocity, steps, strict=True)]
        theta = [at + v for at, v in zip(theta, velocity, strict=True)]
        assert theta == [at + s for at, s in zip(ahead, steps, strict=True)]
        before = cumulative
        displacement = sm.displace(displacement, np.array(cumulative, dtype=np.int64), scale, momentum)
    largest = 100 * max(abs(x) for row in cumulatives for x in row) * float(unit)
    np.testing.assert_allclose(displacement, [float(at) for at in theta], rtol=0, atol=1e-14 * largest)
    found = sm.look_ahead(displacement, np.array(cumulatives[-1], dtype=np.int64), scale, momentum)
    expected = [float(at + mu * v) for at, v in zip(theta, velocity, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14 * largest)


@given(sums, st.integers(0, 48), st.floats(0, 0.99))
def test_every_product_and_every_sum_is_rounded_once(cumulatives, scale, momentum):
    """Python's own floats give the same bits; with a fused multiplication and addition they would not."""
    expected = [0.0] * 6
    displacement = np.zeros(6)
    for cumulative in cumulatives:
        expected = [x / 2 ** (16 + scale) + momentum * c for x, c in zip(cumulative, expected, strict=True)]
        displacement = sm.displace(displacement, np.array(cumulative, dtype=np.int64), scale, momentum)
    assert displacement.tolist() == expected


def test_no_updates_leave_the_model_as_it_was():
    initial = np.arange(21, dtype=np.float32)
    zeros = np.zeros((2, 21), dtype=np.int64)
    assert all(np.array_equal(model, initial) for model in models(initial, zeros, 13, 0.9))


def test_subnormals_and_the_negative_zero_are_zero():
    initial = np.array([-0.0, 1e-45, TINY], dtype=np.float32)
    model = sm.displaced(initial, np.array([-0.0, 0.0, -TINY / 2]))
    assert model.tobytes() == bytes(12)


def test_a_model_that_leaves_float32_is_refused():
    initial = np.array([0, 3.4028235e38], dtype=np.float32)
    step = sm.displace(np.zeros(2), np.array([0, 2**62], dtype=np.int64), 0, 0.0)
    assert sm.displaced(initial, step)[1] == initial[1]
    with pytest.raises(NonFiniteError, match="Value 1 of the model is nan"):
        sm.displaced(np.array([0, math.nan], dtype=np.float32), step)
    with pytest.raises(NonFiniteError, match="Value 1 of the model is inf"):
        sm.displaced(initial, np.array([0.0, 1e38]))


def test_vectors_of_another_length_are_refused():
    with pytest.raises(DimensionError, match="aggregate has 4 coordinates, the job's model 3"):
        sm.displace(np.zeros(3), np.zeros(4, np.int64), 0, 0.9)
    with pytest.raises(DimensionError, match="displacement has 4 coordinates, the job's model 3"):
        sm.displaced(np.zeros(3, np.float32), np.zeros(4))


@pytest.mark.parametrize("momentum", [0, 0.0, 0.5, 0.99])
def test_momenta_in_range_are_taken(momentum):
    assert sm.server_momentum_faults(momentum) == []


@pytest.mark.parametrize("momentum", [-0.1, 0.991, 1, math.nan, math.inf, "0.9", True, None])
def test_others_are_refused(momentum):
    (fault,) = sm.server_momentum_faults(momentum)
    assert fault == f"server_momentum is {momentum!r}; it must be a number from 0 to 0.99"
