"""Arithmetic in the extension of degree 12 against py_ecc, which writes it as one extension of the base field."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from py_ecc.optimized_bn128 import FQ12

from tests.zk.bn254.reference import P
from zk.bn254 import tower
from zk.bn254.limbs import to_limbs

parts = st.integers(0, P - 1) | st.sampled_from([0, 1, P - 1])
elements = st.lists(st.tuples(parts, parts), min_size=6, max_size=6)


def to_array(element) -> np.ndarray:
    return np.array([[to_limbs(part * 2**256 % P) for part in pair] for pair in element], np.uint64)


def to_py_ecc(element) -> FQ12:
    """With w^6 = 9 + i, `a + b i` is `(a - 9 b) + b w^6`."""
    return FQ12([(a - 9 * b) % P for a, b in element] + [b for _, b in element])


def from_array(array) -> FQ12:
    inverse = pow(2**256, -1, P)
    values = [[sum(int(limb) << 64 * k for k, limb in enumerate(part)) * inverse % P for part in row] for row in array]
    return to_py_ecc(values)


@given(elements, elements)
def test_products_and_squares_agree(a, b):
    assert from_array(tower.multiply(to_array(a), to_array(b))) == to_py_ecc(a) * to_py_ecc(b)
    assert from_array(tower.square(to_array(a))) == to_py_ecc(a) * to_py_ecc(a)


@given(elements)
def test_inverses_agree(a):
    array = to_array(a)
    if any(any(pair) for pair in a):
        assert tower.is_one(tower.multiply(array, tower.invert(array)))
    else:
        assert not tower.invert(array).any()


@pytest.mark.parametrize("exponent", range(4))
def test_the_powers_by_p_agree(exponent):
    element = [(k + 1, P - k * k) for k in range(6)]
    assert from_array(tower.frobenius(to_array(element), exponent)) == to_py_ecc(element) ** (P**exponent)


def test_conjugation_is_the_power_by_p_to_the_sixth():
    element = [(7 * k + 1, P - k) for k in range(6)]
    turned = to_array(element)
    for _ in range(2):
        turned = tower.frobenius(turned, 3)
    assert np.array_equal(tower.conjugate(to_array(element)), turned)


@pytest.mark.parametrize("exponent", [0, 1, 2, 6, 2**64 - 1])
def test_powers_agree(exponent):
    element = [(k + 1, k) for k in range(6)]
    assert from_array(tower.power(to_array(element), np.uint64(exponent))) == to_py_ecc(element) ** exponent


def test_only_one_is_one():
    assert tower.is_one(tower.one())
    for k in range(6):
        for part in range(2):
            changed = tower.one()
            changed[k, part, 0] ^= np.uint64(1)
            assert not tower.is_one(changed)
