from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc.optimized_bn128 import FQ12, G1, G2, multiply, pairing

from tests.zk.bn254.reference import P, R, encode_g1, encode_g2, scalars
from zk.bn254 import (
    ArrayError,
    g1_from_bytes,
    g1_generator,
    g1_multiply,
    g2_from_bytes,
    g2_generator,
    g2_multiply,
    pairing_product_is_one,
)
from zk.bn254.pairing import final_exponentiation, miller_loop
from zk.bn254.parameters import BN_PARAMETER

nonzero = st.integers(1, R - 1)


def g1(factor: int) -> np.ndarray:
    return g1_multiply(g1_generator(), factor)


def g2(factor: int) -> np.ndarray:
    return g2_multiply(g2_generator(), factor)


def coefficients(value: np.ndarray) -> list[tuple[int, int]]:
    """The coefficients of w^k as pairs (a, b) for a + b i."""
    inverse = pow(2**256, -1, P)
    integers = [
        [sum(int(limb) << 64 * k for k, limb in enumerate(part)) * inverse % P for part in row] for row in value
    ]
    return [(a, b) for a, b in integers]


def of_py_ecc(value: FQ12) -> list[tuple[int, int]]:
    """py_ecc writes powers of w below 12 with w^6 = 9 + i, so i = w^6 - 9."""
    parts = [int(part) for part in value.coeffs]
    return [((parts[k] + 9 * parts[k + 6]) % P, parts[k + 6]) for k in range(6)]


@cache
def exponent() -> int:
    return (P**12 - 1) // R


def test_the_exponent_is_the_one_that_the_last_step_composes():
    u = BN_PARAMETER
    l2, l1, l0 = 6 * u**2 + 1, -36 * u**3 - 18 * u**2 - 12 * u + 1, -36 * u**3 - 30 * u**2 - 18 * u - 2
    assert (P**6 - 1) * (P**2 + 1) * (P**3 + l2 * P**2 + l1 * P + l0) == exponent()


@pytest.mark.parametrize(("a", "b"), [(1, 1), (12345, 2**200 + 7)])
def test_the_pairing_is_the_value_of_an_independent_library(a, b):
    first, second = multiply(G1, a), multiply(G2, b)
    points, others = g1_from_bytes(encode_g1(first)), g2_from_bytes(encode_g2(second))
    found = coefficients(final_exponentiation(miller_loop(points, others)))
    assert found == of_py_ecc(pairing(second, first))


@settings(max_examples=20)
@given(nonzero, nonzero)
def test_the_pairing_is_bilinear(a, b):
    assert pairing_product_is_one([(g1(a), g2(b)), (g1(-a * b), g2(1))])
    assert not pairing_product_is_one([(g1(a), g2(b)), (g1(-a * b + 1), g2(1))])


@settings(max_examples=20)
@given(st.lists(st.tuples(scalars, scalars), max_size=4))
def test_a_product_is_one_when_the_exponents_add_up_to_nothing(factors):
    pairs = [(g1(a), g2(b)) for a, b in factors]
    total = sum(a * b for a, b in factors) % R
    assert pairing_product_is_one(pairs) == (total == 0)
    assert pairing_product_is_one([*pairs, (g1(-total), g2(1))])


def test_infinity_on_either_side_gives_one():
    nowhere, nowhere_either = np.zeros((1, 2, 4), np.uint64), np.zeros((1, 2, 2, 4), np.uint64)
    assert pairing_product_is_one([])
    assert pairing_product_is_one([(nowhere, g2(5)), (g1(5), nowhere_either), (nowhere, nowhere_either)])
    assert not pairing_product_is_one([(nowhere, g2(5)), (g1(5), g2(1))])


def test_many_equal_pairs_multiply():
    assert pairing_product_is_one([(g1(3), g2(7))] * 10 + [(g1(-210), g2(1))])


def test_the_order_of_the_value_is_r():
    assert not pairing_product_is_one([(g1(1), g2(1))])
    assert pairing_product_is_one([(g1(R - 1), g2(1)), (g1(1), g2(1))])


@pytest.mark.parametrize(
    "pair",
    [
        (np.zeros((2, 4), np.uint64), np.zeros((1, 2, 2, 4), np.uint64)),
        (np.zeros((1, 2, 4), np.uint64), np.zeros((2, 2, 4), np.uint64)),
        (np.zeros((2, 2, 4), np.uint64), np.zeros((2, 2, 2, 4), np.uint64)),
        (np.zeros((1, 2, 4), np.int64), np.zeros((1, 2, 2, 4), np.uint64)),
    ],
    ids=lambda pair: f"{pair[0].shape}{pair[1].shape}" if isinstance(pair, tuple) else "",
)
def test_arrays_of_other_shapes_are_refused(pair):
    with pytest.raises(ArrayError, match="points are"):
        pairing_product_is_one([pair])
