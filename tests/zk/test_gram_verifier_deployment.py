"""With which verification keys the contract can be deployed, and where."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from eth_hash.auto import keccak
from py_ecc.optimized_bn128 import G2, multiply

from tests.zk.conftest import BETA, TAU, Setup, encode_g2
from tests.zk.contract import MAIN_CHAIN, ContractError, deploy, encode_key
from zk.readable.group import G1, SCALAR_ORDER, neg, point_to_bytes
from zk.readable.transcript import VerificationKey, statement_hash
from zk.srs import development
from zk.srs.identity import DEVELOPMENT_IDENTITY

ROOT = Path(__file__).parents[2]
SLOTS = {"tau": "[tau]", "beta": "[beta]", "tau_g2": "[tau]_2", "tau_squared_g2": "[tau^2]_2"}
P = 21888242871839275222246405745257275088696311157297823662689037894645226208583


def g1(scalar: int) -> bytes:
    return point_to_bytes(multiply(G1, scalar % SCALAR_ORDER))


def g2(scalar: int) -> bytes:
    return encode_g2(multiply(G2, scalar % SCALAR_ORDER))


def refusal(key: VerificationKey | bytes, chain_id: int = MAIN_CHAIN) -> tuple[str, str]:
    """Return the error's name and its element."""
    with pytest.raises(ContractError) as refused:
        deploy(key, chain_id)
    error = refused.value.args[0]
    return error.name.removeprefix("GramVerifier_"), error.arguments.get("element", b"").rstrip(b"\0").decode()


def test_the_identity_is_the_one_that_readable_proofs_are_bound_to(setup: Setup, monkeypatch) -> None:
    hashed = []
    monkeypatch.setattr("zk.readable.transcript.keccak", lambda data: hashed.append(data) or bytes(32))
    statement_hash(setup.key, bytes(32), b"", b"", b"", b"")
    monkeypatch.undo()
    assert deploy(setup.key).srs() == keccak(hashed[0])


@pytest.mark.parametrize("slot", SLOTS)
def test_infinity_is_refused(slot: str, setup: Setup) -> None:
    key = replace(setup.key, **{slot: bytes(len(getattr(setup.key, slot)))})
    assert refusal(key) == ("PointAtInfinity", SLOTS[slot])


@pytest.mark.parametrize("slot", ["tau", "beta"])
def test_what_is_no_point_of_g1_is_refused(slot: str, setup: Setup) -> None:
    point = getattr(setup.key, slot)
    raised = (int.from_bytes(point[:32], "big") + P).to_bytes(32, "big") + point[32:]
    assert refusal(replace(setup.key, **{slot: raised})) == ("CoordinateOutOfRange", SLOTS[slot])
    assert refusal(replace(setup.key, **{slot: point[32:] + point[:32]})) == ("PointNotOnCurve", SLOTS[slot])


@pytest.mark.parametrize("slot", ["tau_g2", "tau_squared_g2"])
def test_what_is_no_point_of_g2_is_refused(slot: str, setup: Setup) -> None:
    point = getattr(setup.key, slot)
    real_first = point[32:64] + point[:32] + point[96:] + point[64:96]
    raised = (int.from_bytes(point[:32], "big") + P).to_bytes(32, "big") + point[32:]
    for bad in (real_first, raised, point[:127] + bytes([point[127] ^ 1])):
        assert refusal(replace(setup.key, **{slot: bad})) == ("PrecompileFailed", "")


@pytest.mark.parametrize(
    ("key", "element"),
    [
        (VerificationKey(g1(1), g1(BETA), g2(1), g2(1)), "[tau]"),
        (VerificationKey(g1(-1), g1(BETA), g2(-1), g2(1)), "[tau]"),
        (VerificationKey(g1(TAU), g1(1), g2(TAU), g2(TAU * TAU)), "[beta]"),
        (VerificationKey(g1(TAU), g1(-1), g2(TAU), g2(TAU * TAU)), "[beta]"),
        (VerificationKey(g1(TAU), g1(TAU), g2(TAU), g2(TAU * TAU)), "[beta]"),
        (VerificationKey(g1(TAU), g1(-TAU), g2(TAU), g2(TAU * TAU)), "[beta]"),
    ],
)
def test_secrets_that_are_none_are_refused(key: VerificationKey, element: str) -> None:
    assert refusal(key) == ("WeakKey", element)


@pytest.mark.parametrize(
    ("change", "element"),
    [
        ({"tau_g2": g2(1)}, "[tau]_2"),
        ({"tau_g2": g2(TAU + 1)}, "[tau]_2"),
        ({"tau_g2": g2(-TAU)}, "[tau]_2"),
        ({"tau": point_to_bytes(neg(multiply(G1, TAU)))}, "[tau]_2"),
        ({"tau_squared_g2": g2(TAU)}, "[tau^2]_2"),
        ({"tau_squared_g2": g2(TAU**3)}, "[tau^2]_2"),
        ({"tau_squared_g2": g2(-TAU * TAU)}, "[tau^2]_2"),
    ],
)
def test_powers_of_different_secrets_are_refused(change: dict, element: str, setup: Setup) -> None:
    assert refusal(replace(setup.key, **change)) == ("InconsistentKey", element)


def test_a_truncated_key_is_refused(setup: Setup) -> None:
    for truncated in (encode_key(setup.key)[:-1], encode_key(setup.key)[:352], b""):
        assert refusal(truncated) == ("", "")


@pytest.mark.slow
def test_the_contracts_test_vectors_are_what_the_readable_prover_gives() -> None:
    command = [sys.executable, ROOT / "scripts" / "write_gram_vectors.py", "--check"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_the_development_set_up_is_refused_on_every_chain_but_local_ones() -> None:
    key = VerificationKey(g1(development.TAU), g1(development.BETA), g2(development.TAU), g2(development.TAU**2))
    assert encode_key(key) == development.development_key().encode()
    for chain_id in (MAIN_CHAIN, 10, 1336, 31_338, 2**64 - 1):
        assert refusal(key, chain_id) == ("DevelopmentSetup", "")
    for chain_id in (1337, 31_337, 131_277_322_940_537):
        assert deploy(key, chain_id).srs() == DEVELOPMENT_IDENTITY
