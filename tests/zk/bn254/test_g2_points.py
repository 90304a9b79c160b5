import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from py_ecc.optimized_bn128 import FQ2, G2, b2, multiply

from tests.zk.bn254.reference import P, R, encode_g2, scalars
from zk.bn254 import (
    ArrayError,
    PointEncodingError,
    g2_from_bytes,
    g2_generator,
    g2_multiply,
    g2_to_bytes,
    require_g2,
)

GENERATOR = encode_g2(G2)


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def square_root(a: FQ2) -> FQ2 | None:
    """A root in the extended field, by the norm; None for no square."""
    c0, c1 = (int(part) for part in a.coeffs)
    norm_root = pow(c0 * c0 + c1 * c1, (P + 1) // 4, P)
    for sign in (1, -1):
        real = pow((c0 + sign * norm_root) * pow(2, -1, P) % P, (P + 1) // 4, P)
        if real:
            root = FQ2([real, c1 * pow(2 * real, -1, P) % P])
            if root * root == a:
                return root
    return None


def point_outside_the_group() -> bytes:
    """A point of the curve whose order is not r; nearly all are."""
    for x in range(1, 100):
        y = square_root(FQ2([x, 0]) ** 3 + b2)
        if y is not None:
            point = (FQ2([x, 0]), y, FQ2.one())
            assert multiply(point, R)[2] != FQ2.zero()
            return encode_g2(point)
    raise AssertionError("no point found")


@given(scalars | st.integers(0, 5))
def test_multiples_agree_with_py_ecc(factor):
    assert g2_to_bytes(g2_multiply(g2_generator(), factor)) == encode_g2(multiply(G2, factor))


def test_factors_of_any_size_and_sign_are_reduced():
    assert g2_to_bytes(g2_multiply(g2_generator(), -1)) == encode_g2(multiply(G2, R - 1))
    assert g2_to_bytes(g2_multiply(g2_generator(), R)) == bytes(128)
    assert g2_to_bytes(g2_multiply(g2_generator(), 5 + 2**40 * R)) == encode_g2(multiply(G2, 5))


def test_bytes_are_restored():
    data = GENERATOR + bytes(128) + encode_g2(multiply(G2, 2**200 + 1))
    points = g2_from_bytes(data)
    assert points.shape == (3, 2, 2, 4)
    assert g2_to_bytes(points) == data
    assert not points[1].any()
    assert g2_from_bytes(b"").shape == (0, 2, 2, 4)


@pytest.mark.parametrize("place", range(4))
def test_coordinates_of_p_or_more_are_refused(place):
    parts = [int.from_bytes(GENERATOR[k : k + 32], "big") for k in range(0, 128, 32)]
    parts[place] += P
    with pytest.raises(PointEncodingError, match="not below p") as caught:
        g2_from_bytes(GENERATOR + b"".join(map(word, parts)))
    assert caught.value.position == 1


@pytest.mark.parametrize("place", range(128))
def test_a_changed_byte_is_refused(place):
    changed = bytearray(GENERATOR)
    changed[place] ^= 1
    with pytest.raises(PointEncodingError, match=r"not on the curve|not below p"):
        g2_from_bytes(bytes(changed))


def test_swapped_parts_are_refused():
    swapped = GENERATOR[32:64] + GENERATOR[:32] + GENERATOR[96:] + GENERATOR[64:96]
    with pytest.raises(PointEncodingError, match="not on the curve"):
        g2_from_bytes(swapped)


def test_a_point_of_the_curve_outside_the_group_is_refused():
    with pytest.raises(PointEncodingError, match="not in the group of order r") as caught:
        g2_from_bytes(GENERATOR * 2 + point_outside_the_group())
    assert caught.value.position == 2


@pytest.mark.parametrize("length", [1, 64, 127, 129, 192])
def test_points_that_are_cut_off_are_refused(length):
    with pytest.raises(PointEncodingError, match=f"{length % 128} bytes instead of 128"):
        g2_from_bytes(bytes(length))


def test_arrays_that_are_not_of_the_group_are_refused():
    unreduced = g2_generator()
    unreduced[0, 1, 0] = np.array([P >> 64 * k & (2**64 - 1) for k in range(4)], np.uint64)
    with pytest.raises(PointEncodingError, match="not below p"):
        require_g2(unreduced)
    with pytest.raises(ArrayError, match="must be uint64, shape"):
        require_g2(np.zeros((1, 2, 4), np.uint64))
    with pytest.raises(ArrayError, match="must be uint64, shape"):
        g2_multiply(np.zeros((1, 2, 4), np.uint64), 1)
