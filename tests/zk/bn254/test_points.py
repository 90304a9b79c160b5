import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from py_ecc.optimized_bn128 import FQ, G1, add, multiply, neg

from tests.zk.bn254.reference import P, R, encode_g1, multiple, pool, scalars
from zk.bn254 import (
    ArrayError,
    PointEncodingError,
    g1_add,
    g1_from_bytes,
    g1_generator,
    g1_multiply,
    g1_negate,
    g1_to_bytes,
    require_g1,
)

small = st.integers(-100, 100)


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def point(factor: int) -> np.ndarray:
    points, factors = pool()
    return points[factors.index(factor) :][:1]


@given(scalars)
def test_multiples_agree_with_py_ecc(factor):
    assert g1_to_bytes(g1_multiply(g1_generator(), factor)) == multiple(factor)


@pytest.mark.parametrize("factor", [-1, -R, R, R + 1, 2**256, -(2**300)])
def test_factors_of_any_size_and_sign_are_reduced(factor):
    assert g1_to_bytes(g1_multiply(g1_generator(), factor)) == multiple(factor)


@given(small, small)
def test_sums_agree_with_py_ecc(a, b):
    assert g1_to_bytes(g1_add(point(a), point(b))) == multiple(a + b)


@given(small)
def test_a_point_its_double_and_its_negative_add_up_rightly(a):
    assert g1_to_bytes(g1_add(point(a), point(a))) == multiple(2 * a)
    assert g1_to_bytes(g1_negate(point(a))) == multiple(-a)
    assert g1_to_bytes(g1_add(point(a), g1_negate(point(a)))) == bytes(64)


def test_arrays_of_points_are_worked_on_element_by_element():
    points, factors = pool()
    assert g1_to_bytes(g1_add(points, points[::-1])) == b"".join(
        map(multiple, map(sum, zip(factors, factors[::-1], strict=True)))
    )
    assert g1_to_bytes(g1_multiply(points, 3)) == b"".join(multiple(3 * factor) for factor in factors)
    with pytest.raises(ArrayError, match="points are 2, they must be as many as the 1"):
        g1_add(points[:2], points[:1])


def test_bytes_are_restored():
    points, factors = pool()
    data = b"".join(map(multiple, factors))
    assert g1_to_bytes(points) == data
    assert np.array_equal(g1_from_bytes(data), points)
    assert g1_from_bytes(b"").shape == (0, 2, 4)
    assert g1_to_bytes(g1_from_bytes(b"")) == b""


def test_infinity_is_all_zeros():
    assert not g1_from_bytes(bytes(64)).any()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (word(1) + word(3), "not on the curve"),
        (word(0) + word(1), "not on the curve"),
        (word(1) + word(0), "not on the curve"),
        (word(P) + word(0), "not below p"),
        (word(0) + word(P), "not below p"),
        (word(1 + P) + word(2), "not below p"),
        (word(1) + word(2 + P), "not below p"),
        (word(2**256 - 1) * 2, "not below p"),
    ],
)
@pytest.mark.parametrize("position", [0, 2])
def test_bytes_that_are_no_point_are_refused_at_their_position(data, reason, position):
    encoded = (word(1) + word(2)) * position + data + bytes(64)
    with pytest.raises(PointEncodingError, match=reason) as caught:
        g1_from_bytes(encoded)
    assert caught.value.position == position


@pytest.mark.parametrize("length", [1, 32, 63, 65, 127])
def test_points_that_are_cut_off_are_refused(length):
    with pytest.raises(PointEncodingError, match=f"{length % 64} bytes instead of 64"):
        g1_from_bytes(bytes(length))


@given(st.integers(1, P - 1), st.integers(1, P - 1))
def test_random_coordinates_are_refused(x, y):
    assert (y * y - x**3 - 3) % P, "a point by chance"
    with pytest.raises(PointEncodingError, match="not on the curve"):
        g1_from_bytes(word(x) + word(y))


def test_arrays_with_unreduced_or_wrong_coordinates_are_refused():
    points, _ = pool()
    require_g1(points)
    assert require_g1(points[:0]) is None
    wrong = points[:5].copy()
    wrong[3, 1, 0] ^= np.uint64(1)
    unreduced = points[:5].copy()
    unreduced[4, 0] = np.array([P >> 64 * k & (2**64 - 1) for k in range(4)], np.uint64)
    for array, position in ((wrong, 3), (unreduced, 4)):
        with pytest.raises(PointEncodingError) as caught:
            require_g1(array)
        assert caught.value.position == position


def test_sums_of_long_chains_agree_with_py_ecc():
    """The reference's pool is itself a chain of sums; one more, from another point."""
    start = multiply(G1, 12345)
    total, expected = g1_from_bytes(encode_g1(start)), start
    for _ in range(20):
        total, expected = g1_add(total, total), add(expected, expected)
        total, expected = g1_add(total, g1_negate(g1_generator())), add(expected, neg(G1))
    assert expected[2] != FQ.zero()
    assert g1_to_bytes(total) == encode_g1(expected)
