import pytest
from py_ecc.optimized_bn128 import G1, G2, b, b2, curve_order, field_modulus, normalize

from zk.bn254 import parameters


def test_the_constants_are_those_of_an_independent_library():
    assert field_modulus == parameters.BASE_MODULUS
    assert curve_order == parameters.SCALAR_MODULUS
    assert b == parameters.G1_COEFFICIENT
    assert tuple(map(int, normalize(G1))) == parameters.G1_GENERATOR
    assert tuple(tuple(map(int, x.coeffs)) for x in normalize(G2)) == parameters.G2_GENERATOR
    assert tuple(map(int, b2.coeffs)) == parameters.divide_extended((3, 0), parameters.TWIST)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BN_PARAMETER", parameters.BN_PARAMETER + 1),
        ("BASE_MODULUS", parameters.BASE_MODULUS + 2),
        ("SCALAR_MODULUS", parameters.SCALAR_MODULUS + 2),
        ("G1_GENERATOR", (1, 3)),
        ("G2_GENERATOR", parameters.G2_GENERATOR[::-1]),
        ("G1_COEFFICIENT", 4),
        ("TWIST", (9, 2)),
        ("SCALAR_GENERATOR", 25),
        ("TWO_ADICITY", 29),
    ],
)
def test_a_changed_constant_is_noticed(monkeypatch, name, value):
    monkeypatch.setattr(parameters, name, value)
    with pytest.raises(ArithmeticError, match="constants of BN254 were changed"):
        parameters._check()
