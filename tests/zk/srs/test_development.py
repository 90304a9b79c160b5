"""Everybody makes the same structured reference string for development, and it is known for what it is."""

from __future__ import annotations

import numpy as np
import pytest
from Crypto.Hash import keccak as independent_keccak
from py_ecc.optimized_bn128 import G1, G2, curve_order, multiply, normalize

from tests.zk.srs.conftest import silent
from zk.bn254 import g1_to_bytes
from zk.srs import development as module
from zk.srs.check import check_srs
from zk.srs.development import development_key, development_srs
from zk.srs.errors import SrsFileError, TooFewPowersError
from zk.srs.header import Kind
from zk.srs.identity import DEVELOPMENT_IDENTITY
from zk.srs.verification_key import parse_verification_key


def secret(name: bytes) -> int:
    digest = independent_keccak.new(digest_bits=256, data=b"cairn/development/" + name).digest()
    return int.from_bytes(digest, "big") % curve_order


def encoded(point) -> bytes:
    parts = [part for value in normalize(point) for part in reversed(getattr(value, "coeffs", (value,)))]
    return b"".join(int(part).to_bytes(32, "big") for part in parts)


def test_the_key_is_that_of_the_public_secrets():
    tau, beta = secret(b"tau"), secret(b"beta")
    key = development_key()
    assert key.tau_g1 == encoded(multiply(G1, tau))
    assert key.beta_g1 == encoded(multiply(G1, beta))
    assert key.tau_g2 == encoded(multiply(G2, tau))
    assert key.tau_squared_g2 == encoded(multiply(G2, tau * tau % curve_order))
    assert parse_verification_key(key.encode()) == key


def test_the_identity_is_the_constant_that_is_refused_off_local_chains():
    assert development_key().identity == DEVELOPMENT_IDENTITY
    assert DEVELOPMENT_IDENTITY.hex() == "8b3f5e79fb7cc1fb3deeda3f7874097fb318c40dec9b4207a18dba1cf75a330d"
    assert development_key().is_for_development


def test_the_powers_are_those_of_the_public_secret(tmp_path):
    tau = secret(b"tau")
    srs = development_srs(tmp_path / "dev.srs", 15)
    expected = b"".join(encoded(multiply(G1, pow(tau, j, curve_order))) for j in range(15))
    assert g1_to_bytes(np.array(srs.powers)) == expected
    assert (srs.kind, srs.identity, srs.header.provenance) == (Kind.DEVELOPMENT, DEVELOPMENT_IDENTITY, bytes(32))
    assert srs.header.ceremony_powers == 15


def test_everybody_makes_the_same_file(tmp_path, monkeypatch):
    one = development_srs(tmp_path / "one.srs", 300)
    monkeypatch.setattr(module, "_CHUNK", 64)
    other = development_srs(tmp_path / "other.srs", 300)
    assert one.path.read_bytes() == other.path.read_bytes()
    check_srs(one, silent)


def test_the_identity_does_not_depend_on_the_number_of_powers(tmp_path):
    one, other = (development_srs(tmp_path / f"{count}.srs", count) for count in (13, 40))
    assert one.identity == other.identity
    assert (one.powers == other.powers[:13]).all()


def test_fewer_powers_than_the_shortest_update_needs_are_refused(tmp_path):
    with pytest.raises(TooFewPowersError, match="needs 13 powers and there are 12"):
        development_srs(tmp_path / "dev.srs", 12)


def test_a_place_that_can_not_be_written_is_told(tmp_path):
    with pytest.raises(SrsFileError, match="Can't write"):
        development_srs(tmp_path / "none" / "dev.srs", 13)
