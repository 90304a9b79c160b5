"""The compiled arithmetic of both fields, one element at a time, against integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from zk.bn254 import base_field, scalar_field
from zk.bn254.limbs import load, store
from zk.bn254.parameters import BASE_MODULUS, SCALAR_MODULUS


def all_operations(field):
    to_montgomery, from_montgomery, multiply, square = (
        field.to_montgomery,
        field.from_montgomery,
        field.multiply,
        field.square,
    )
    add, subtract, negate, double, invert = field.add, field.subtract, field.negate, field.double, field.invert

    @njit
    def operate(pair, results):
        a, b = to_montgomery(load(pair, 0)), to_montgomery(load(pair, 1))
        store(results, 0, from_montgomery(a))
        store(results, 1, from_montgomery(multiply(a, b)))
        store(results, 2, from_montgomery(square(a)))
        store(results, 3, from_montgomery(add(a, b)))
        store(results, 4, from_montgomery(subtract(a, b)))
        store(results, 5, from_montgomery(negate(a)))
        store(results, 6, from_montgomery(double(a)))
        store(results, 7, from_montgomery(invert(a)))

    return operate


FIELDS = [(all_operations(base_field), BASE_MODULUS), (all_operations(scalar_field), SCALAR_MODULUS)]
edges = st.sampled_from(
    [modulus * k + d for modulus in (BASE_MODULUS, SCALAR_MODULUS) for k in (1, 2, 5) for d in (-1, 0, 1)]
    + [0, 1, 2, 2**64 - 1, 2**64, 2**128 - 1, 2**192, 2**255, 2**256 - 1]
)
integers = edges | st.integers(0, 2**256 - 1)


def to_array(values):
    return np.array([[value >> 64 * k & (2**64 - 1) for k in range(4)] for value in values], np.uint64)


@pytest.mark.parametrize(("operate", "modulus"), FIELDS, ids=["base", "scalar"])
def test_arithmetic_agrees_with_integers(operate, modulus):
    @given(integers, integers)
    def agrees(a, b):
        results = np.zeros((8, 4), np.uint64)
        operate(to_array([a, b]), results)
        found = [sum(int(limb) << 64 * k for k, limb in enumerate(row)) for row in results]
        inverse = pow(a, -1, modulus) if a % modulus else 0
        expected = [a, a * b, a * a, a + b, a - b, -a, 2 * a, inverse]
        assert found == [value % modulus for value in expected]

    agrees()
