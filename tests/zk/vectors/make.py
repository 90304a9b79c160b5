"""Test vectors of the Gram proof, for verifiers that others write: `python -m tests.zk.vectors.make` writes them again.

All randomness comes from a seed, so that the file can be compared with what is made anew.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tests.zk.conftest import Setup, make_setup
from zk.errors import ProofRejectedError
from zk.readable.group import SCALAR_ORDER
from zk.readable.prover import MASK_COEFFICIENTS, Opening, prove
from zk.readable.transcript import evaluation_hash, statement_hash
from zk.readable.verifier import derive_challenges, verify

FILE = Path(__file__).with_name("gram_proof.json")

VECTORS = {
    "one vector of one coordinate": [[-3]],
    "zeros": [[0, 0, 0], [0, 0, 0]],
    "the largest coordinates": [[32767, -32768], [-32768, -32768]],
    "equal and opposite vectors": [[1, 2, 3, 4], [1, 2, 3, 4], [-1, -2, -3, -4]],
    "five vectors": [[k * k - 7 * i * k + i for k in range(9)] for i in range(5)],
}


def accepted(setup: Setup, name: str, vectors: list[list[int]], rng: random.Random) -> dict[str, Any]:
    """A proof with everything that leads to it."""
    context = rng.randbytes(32)
    openings = [Opening(vector, rng.randrange(SCALAR_ORDER)) for vector in vectors]
    commitments, gram, proof = prove(setup.key, setup.powers, context, openings, lambda: rng.randrange(SCALAR_ORDER))
    statement = statement_hash(setup.key, context, commitments, gram, proof[:64], proof[64:96])
    challenges = derive_challenges(setup.key, context, commitments, gram, proof)
    return {
        "name": name,
        "vectors": vectors,
        "blinders": [hex(opening.blinder) for opening in openings],
        "context": context.hex(),
        "commitments": commitments.hex(),
        "gram": gram.hex(),
        "proof": proof.hex(),
        "statement": statement.hex(),
        "evaluation": evaluation_hash(statement, proof[96:160]).hex(),
        "rho": [hex(value) for value in challenges.rho],
        "z": hex(challenges.z),
        "gamma": hex(challenges.gamma),
        "rejected": None,
    }


def rejected(setup: Setup, good: dict[str, Any]) -> list[dict[str, Any]]:
    """What must be refused, each with the reason."""
    inputs = {name: bytes.fromhex(good[name]) for name in ("context", "commitments", "gram", "proof")}
    proof, r = inputs["proof"], SCALAR_ORDER.to_bytes(32, "big")
    changes = {
        "another context": {"context": bytes(32)},
        "an entry of the matrix changed": {"gram": inputs["gram"][:-1] + bytes([inputs["gram"][-1] ^ 1])},
        "a commitment missing": {"commitments": inputs["commitments"][:-64]},
        "half a commitment": {"commitments": inputs["commitments"][:-32]},
        "no commitment": {"commitments": b"", "gram": b""},
        "a proof too short": {"proof": proof[:-1]},
        "pi at infinity": {"proof": proof[:288] + bytes(64)},
        "C_M with x not below the order of the base field": {"proof": b"\xff" * 32 + proof[32:]},
        "C_g off the curve": {"proof": proof[:96] + proof[128:160] + proof[96:128] + proof[160:]},
        "mu not below r": {"proof": proof[:64] + r + proof[96:]},
        "u and v exchanged": {"proof": proof[:160] + proof[192:224] + proof[160:192] + proof[224:]},
    }
    cases = []
    for name, change in changes.items():
        given = inputs | change
        try:
            verify(setup.key, **given)
        except ProofRejectedError as refusal:
            cases.append(
                {"name": name} | {key: value.hex() for key, value in given.items()} | {"rejected": refusal.reason}
            )
        else:
            raise AssertionError(name)
    return cases


def document() -> dict[str, Any]:
    """Everything, as it is written."""
    rng = random.Random(2026)
    setup = make_setup(9 + MASK_COEFFICIENTS)
    good = [accepted(setup, name, vectors, rng) for name, vectors in VECTORS.items()]
    key = {
        "tau": setup.key.tau.hex(),
        "beta": setup.key.beta.hex(),
        "tau_g2": setup.key.tau_g2.hex(),
        "tau_squared_g2": setup.key.tau_squared_g2.hex(),
    }
    return {"key": key, "cases": good + rejected(setup, good[-1])}


if __name__ == "__main__":
    FILE.write_text(json.dumps(document(), indent=1) + "\n", "utf-8")
