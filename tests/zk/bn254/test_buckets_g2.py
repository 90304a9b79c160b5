"""Sums of points of the curve of G2 by buckets are those of another implementation, outside of the subgroup too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc.optimized_bn128 import G2, Z2, add, curve_order, field_modulus, multiply, neg

from tests.zk.srs.powers_file import encode, encode_all, point_outside_subgroup, scaled
from zk.bn254.buckets_g2 import add_to_buckets, empty_buckets, first_reject, sum_of_buckets
from zk.srs.powers_g2 import COEFFICIENT_BITS

LARGEST = 15
STRAY = point_outside_subgroup()
POOL = [G2, neg(G2), scaled(2, G2), scaled(7, G2), STRAY, neg(STRAY), add(STRAY, G2)]
ENCODED = [encode(point) for point in POOL]


def array(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint64).reshape(-1, 2, 2, 4)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, len(POOL) - 1), st.integers(0, LARGEST)), max_size=12),
    st.integers(0, 12),
)
def test_sums_are_those_of_another_implementation(terms, cut):
    # Few different points and factors, so that buckets meet the same, the opposite and no points.
    points = array(b"".join(ENCODED[index] for index, _ in terms))
    factors = np.array([factor for _, factor in terms], np.int16)
    buckets = empty_buckets(LARGEST)
    add_to_buckets(points[:cut], factors[:cut], buckets)
    add_to_buckets(points[cut:], factors[cut:], buckets)
    expected = Z2
    for index, factor in terms:
        expected = add(expected, multiply(POOL[index], factor))
    assert sum_of_buckets(buckets).tobytes() == (encode(expected) if expected[2] != Z2[2] else bytes(128))


def test_nothing_adds_up_to_infinity():
    assert not sum_of_buckets(empty_buckets(LARGEST)).any()


def test_points_of_the_curve_are_told_from_others():
    honest = array(encode_all(POOL))
    assert first_reject(honest) == -1
    assert first_reject(honest[:0]) == -1
    for place in range(len(POOL)):
        for row in range(4):
            changed = honest.copy()
            changed[place].reshape(4, 4)[row, 0] ^= np.uint64(1)
            assert first_reject(changed) == place
            changed = honest.copy()
            value = sum(int(limb) << 64 * k for k, limb in enumerate(changed[place].reshape(4, 4)[row])) + field_modulus
            changed[place].reshape(4, 4)[row] = [value >> 64 * k & 2**64 - 1 for k in range(4)]
            assert first_reject(changed) == place
        changed = honest.copy()
        changed[place] = 0
        assert first_reject(changed) == place


def test_the_cofactor_has_no_factor_that_a_coefficient_can_hide():
    cofactor = 2 * field_modulus - curve_order
    assert min(factor for factor in range(2, 20_000) if cofactor % factor == 0) == 10069 > 2**COEFFICIENT_BITS
    assert cofactor % curve_order != 0


def test_the_order_of_the_curve_is_r_times_the_cofactor():
    total = Z2
    for bit in bin(curve_order * (2 * field_modulus - curve_order))[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, STRAY)
    assert total[2] == Z2[2]


@pytest.mark.parametrize("shape", [(1, 2, 4), (2, 2, 2, 4)])
def test_arrays_of_another_shape_are_refused(shape):
    from zk.bn254 import ArrayError

    with pytest.raises(ArrayError):
        add_to_buckets(np.zeros(shape, np.uint64), np.zeros(1, np.int16), empty_buckets(LARGEST))
