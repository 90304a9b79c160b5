"""The precompiles on revm give py-evm's results, and refuse what it refuses."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from eth.exceptions import VMError
from eth.vm.forks.prague.computation import PragueComputation
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as bn128

from marketplace.chain.devnet.precompiles import REVM_PRECOMPILES, precompile_address

ADD, MULTIPLY, PAIRING = 6, 7, 8
P, ORDER = bn128.field_modulus, bn128.curve_order


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def g1(scalar: int) -> bytes:
    if scalar % ORDER == 0:
        return bytes(64)
    x, y = bn128.normalize(bn128.multiply(bn128.G1, scalar))
    return words(x.n, y.n)


def g2(scalar: int) -> bytes:
    x, y = bn128.normalize(bn128.multiply(bn128.G2, scalar))
    return words(x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0])


def field_root(square: int) -> int | None:
    root = pow(square, (P + 1) // 4, P)  # the modulus is 3 mod 4
    return root if root * root % P == square % P else None


def twist_root(square: bn128.FQ2) -> bn128.FQ2 | None:
    real, imaginary = (int(coefficient) for coefficient in square.coeffs)
    norm = field_root(real * real + imaginary * imaginary)
    for signed in (norm, -norm) if norm is not None else ():
        first = field_root((real + signed) * pow(2, -1, P))
        if first:
            return bn128.FQ2([first, imaginary * pow(2 * first, -1, P) % P])
    return None


def outside_subgroup() -> bytes:
    """Return a point of the twist whose order is not the group's; nearly every point is such."""
    for first in range(1, 100):
        x = bn128.FQ2([first, 1])
        y = twist_root(x * x * x + bn128.b2)
        if y is not None:
            assert y * y == x * x * x + bn128.b2
            return words(*(int(part) for part in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0])))
    raise AssertionError("no point found")


class Outcome(SimpleNamespace):
    gas: int
    output: bytes | None


def run(precompile, data: bytes) -> Outcome:
    gas = 0

    def consume_gas(amount: int, reason: str) -> None:
        nonlocal gas
        gas += amount

    message = SimpleNamespace(data=data, data_as_bytes=data)
    computation = SimpleNamespace(msg=message, consume_gas=consume_gas, output=b"")
    try:
        output = precompile(computation).output
    except VMError:
        output = None
    return Outcome(gas=gas, output=output)


def compare(number: int, data: bytes) -> Outcome:
    address = precompile_address(number)
    own = run(PragueComputation.get_precompiles()[address], data)
    fast = run(REVM_PRECOMPILES[address], data)
    assert fast == own
    return fast


CASES = {
    "add nothing": (ADD, b""),
    "add": (ADD, g1(2) + g1(3)),
    "add, double": (ADD, g1(2) + g1(2)),
    "add, opposite": (ADD, g1(2) + g1(ORDER - 2)),
    "add, short input": (ADD, g1(2)),
    "add, half a word": (ADD, g1(2)[:50]),
    "add, long input": (ADD, g1(2) + g1(3) + b"\xff" * 70),
    "add, off the curve": (ADD, words(1, 1) + g1(1)),
    "add, coordinate not reduced": (ADD, words(1 + P, 2) + g1(1)),
    "add, coordinate is the modulus": (ADD, words(P, 0) + g1(1)),
    "multiply nothing": (MULTIPLY, b""),
    "multiply": (MULTIPLY, g1(5) + words(7)),
    "multiply by zero": (MULTIPLY, g1(5) + words(0)),
    "multiply by the order": (MULTIPLY, g1(5) + words(ORDER)),
    "multiply by the largest": (MULTIPLY, g1(5) + b"\xff" * 32),
    "multiply infinity": (MULTIPLY, bytes(64) + words(9)),
    "multiply, off the curve": (MULTIPLY, words(2, 1, 3)),
    "multiply, not reduced": (MULTIPLY, words(1, 2 + P, 3)),
    "pair nothing": (PAIRING, b""),
    "pair, equal": (PAIRING, g1(6) + g2(5) + g1(ORDER - 30) + g2(1)),
    "pair, unequal": (PAIRING, g1(6) + g2(5) + g1(ORDER - 31) + g2(1)),
    "pair infinity": (PAIRING, bytes(64) + g2(5)),
    "pair with infinity": (PAIRING, g1(5) + bytes(128)),
    "pair, odd length": (PAIRING, (g1(1) + g2(1))[:191]),
    "pair, first off the curve": (PAIRING, words(1, 1) + g2(1)),
    "pair, second off the curve": (PAIRING, g1(1) + words(1, 2, 3, 4)),
    "pair, not reduced": (PAIRING, g1(1) + words(P, 0, 0, 0)),
    "pair, outside the subgroup": (PAIRING, g1(1) + outside_subgroup()),
}


@pytest.mark.parametrize("case", CASES)
def test_result_and_gas_are_py_evms(case: str) -> None:
    compare(*CASES[case])


def test_cases_hold_accepted_and_refused_inputs() -> None:
    outputs = [run(REVM_PRECOMPILES[precompile_address(number)], data).output for number, data in CASES.values()]
    assert outputs.count(None) >= 9
    assert len([output for output in outputs if output is not None]) >= 15
    assert run(REVM_PRECOMPILES[precompile_address(PAIRING)], CASES["pair, equal"][1]).output == words(1)
    assert run(REVM_PRECOMPILES[precompile_address(PAIRING)], CASES["pair, unequal"][1]).output == words(0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_addition_and_multiplication_agree_everywhere(first: int, second: int, scalar: int) -> None:
    compare(ADD, g1(first) + g1(second))
    compare(MULTIPLY, g1(first) + words(scalar))
    compare(ADD, words(first, second) + g1(scalar))
