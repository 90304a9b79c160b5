"""A verification key is taken only if some secret gives it, and its identity is the documented hash."""

from __future__ import annotations

from dataclasses import replace

import pytest
from Crypto.Hash import keccak as independent_keccak
from py_ecc.optimized_bn128 import G1, G2, add, curve_order, field_modulus, multiply, normalize

from tests.zk.srs.powers_file import BETA, TAU, point_outside_subgroup
from zk.srs.errors import InvalidKeyError
from zk.srs.verification_key import VerificationKey, parse_verification_key

BASE_BYTES = 32


def g1(factor: int) -> bytes:
    return b"".join(int(value).to_bytes(32, "big") for value in normalize(multiply(G1, factor % curve_order)))


def g2(point) -> bytes:
    return b"".join(int(part).to_bytes(32, "big") for value in normalize(point) for part in reversed(value.coeffs))


def times(factor: int):
    return multiply(G2, factor % curve_order)


KEY = VerificationKey(g1(TAU), g1(BETA), g2(times(TAU)), g2(times(TAU * TAU)))


def refusal(key: VerificationKey) -> tuple[str, str]:
    with pytest.raises(InvalidKeyError) as caught:
        parse_verification_key(key.encode())
    return caught.value.element, caught.value.fault


def test_a_key_is_read_as_it_was_written():
    assert parse_verification_key(KEY.encode()) == KEY


def test_the_identity_is_the_documented_hash():
    hashed = b"cairn/gram-proof/1/srs" + bytes(10) + KEY.tau_g1 + KEY.beta_g1 + KEY.tau_g2 + KEY.tau_squared_g2
    assert KEY.identity == independent_keccak.new(digest_bits=256, data=hashed).digest()
    assert not KEY.is_for_development


@pytest.mark.parametrize("length", [0, 383, 385, 768])
def test_another_length_is_refused(length):
    with pytest.raises(InvalidKeyError, match=f"has {length} bytes instead of 384"):
        parse_verification_key((KEY.encode() * 2)[:length])


@pytest.mark.parametrize(
    ("field", "element"),
    [("tau_g1", "[tau]"), ("beta_g1", "[beta]"), ("tau_g2", "[tau]_2"), ("tau_squared_g2", "[tau^2]_2")],
)
def test_infinity_points_off_the_curve_and_coordinates_that_are_not_canonical_are_refused(field, element):
    honest = getattr(KEY, field)
    assert refusal(replace(KEY, **{field: bytes(len(honest))})) == (element, "is the point at infinity")
    for place in range(0, len(honest), BASE_BYTES):
        value = int.from_bytes(honest[place : place + 32], "big")
        for changed in (value + field_modulus, (value + 1) % field_modulus, 2**256 - 1):
            spoilt = honest[:place] + changed.to_bytes(32, "big") + honest[place + 32 :]
            assert refusal(replace(KEY, **{field: spoilt}))[0] == element


@pytest.mark.parametrize(("field", "factor"), [("tau_g2", TAU), ("tau_squared_g2", TAU * TAU)])
def test_points_outside_of_the_subgroup_are_refused(field, factor):
    stray = g2(add(times(factor), point_outside_subgroup()))
    assert "not in the group" in refusal(replace(KEY, **{field: stray}))[1]


def test_points_of_other_secrets_are_refused():
    assert refusal(replace(KEY, tau_g1=g1(TAU + 1)))[0] == "[tau]_2"
    assert refusal(replace(KEY, tau_g2=g2(times(TAU + 1))))[0] == "[tau]_2"
    assert refusal(replace(KEY, tau_squared_g2=g2(times(TAU * TAU + 1))))[0] == "[tau^2]_2"
    # The powers of -tau are those of tau in even places.
    assert refusal(replace(KEY, tau_g1=g1(-TAU)))[0] == "[tau]_2"


@pytest.mark.parametrize(("tau", "beta"), [(1, BETA), (-1, BETA), (TAU, 1), (TAU, -1), (TAU, TAU), (TAU, -TAU)])
def test_secrets_that_anybody_can_guess_are_refused(tau, beta):
    key = VerificationKey(g1(tau), g1(beta), g2(times(tau)), g2(times(tau * tau)))
    assert "no secret" in refusal(key)[1]


def test_swapped_points_are_refused():
    refusal(replace(KEY, tau_g2=KEY.tau_squared_g2, tau_squared_g2=KEY.tau_g2))
    refusal(replace(KEY, tau_g1=KEY.beta_g1, beta_g1=KEY.tau_g1))
