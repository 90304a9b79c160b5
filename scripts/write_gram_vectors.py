"""Write the Gram proofs that the contracts' unit tests verify, with every value that the verifier derives on the way.

All come from the readable prover and verifier with fixed secrets and fixed randomness. With ``--check`` nothing is
written: the vectors are made afresh and compared with the file that is there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from eth_hash.auto import keccak
from py_ecc.optimized_bn128 import FQ, FQ2, G2, b2, is_inf, is_on_curve, normalize

from zk.readable.group import (
    BASE_ORDER,
    G1,
    SCALAR_ORDER,
    Point,
    bytes_to_point,
    linear_combination,
    multiply,
    point_to_bytes,
)
from zk.readable.prover import MASK_COEFFICIENTS, Opening, prove
from zk.readable.transcript import VerificationKey, statement_hash
from zk.readable.verifier import bytes_to_commitments, bytes_to_matrix, derive_challenges, verify

VECTORS = Path(__file__).resolve().parent.parent / "contracts" / "test" / "vectors" / "gram.json"
TAU = int.from_bytes(keccak(b"tau of the contracts' test vectors"), "big") % SCALAR_ORDER
BETA = int.from_bytes(keccak(b"beta of the contracts' test vectors"), "big") % SCALAR_ORDER
# By name, the committed vectors. Five rows don't fill the blocks of four in which the contract reads the matrix.
STATEMENTS: dict[str, Sequence[Sequence[int]]] = {
    "one": [[3]],
    "three": [[1, -2, 3, 4], [5, 6, -7, 8], [-9, 10, 11, 12]],
    "zero": [[0, 0], [0, 0]],
    "extremes": [[-(2**15)] * 3, [2**15 - 1] * 3, [-(2**15), 0, 2**15 - 1], [0, 0, 1], [-1, 0, 0]],
}
WEIGHTS = [3, 0, 2**16]


def encode_g2(point: Point) -> bytes:
    """Encode a point of G2 as the precompiles take it."""
    x, y = normalize(point)
    return b"".join(int(part).to_bytes(32, "big") for part in (*reversed(x.coeffs), *reversed(y.coeffs)))


def make_key(tau: int, beta: int) -> VerificationKey:
    """Return the verification key with these secrets."""
    return VerificationKey(
        tau=point_to_bytes(multiply(G1, tau)),
        beta=point_to_bytes(multiply(G1, beta)),
        tau_g2=encode_g2(multiply(G2, tau)),
        tau_squared_g2=encode_g2(multiply(G2, tau * tau % SCALAR_ORDER)),
    )


def encode_key(key: VerificationKey) -> bytes:
    """Return the key's points one after the other."""
    return key.tau + key.beta + key.tau_g2 + key.tau_squared_g2


def identity(key: VerificationKey) -> bytes:
    """Return the hash that identifies the key's reference string."""
    return bytes(keccak(b"cairn/gram-proof/1/srs".ljust(32, b"\0") + encode_key(key)))


def development_secret(name: str) -> int:
    """Return a secret of the development set-up, as `zk.srs.development` publishes it."""
    return int.from_bytes(keccak(f"cairn/development/{name}".encode("ascii")), "big") % SCALAR_ORDER


def point_outside_subgroup() -> bytes:
    """Return a point of the curve of G2 that does not have the order r; nearly every one is such."""
    for first in range(1, 100):
        x = FQ2([first, 1])
        y = square_root(x * x * x + b2)
        if y is None:
            continue
        point = (x, y, FQ2([1, 0]))
        if is_on_curve(point, b2) and not is_inf(multiply(point, SCALAR_ORDER)):
            return encode_g2(point)
    raise AssertionError("no point found")


def square_root(square: FQ2) -> FQ2 | None:
    """Return a root in the quadratic field, if there is one, by the roots of the norm."""
    real, imaginary = (int(part) for part in square.coeffs)
    norm = _base_root(real * real + imaginary * imaginary)
    for signed in (norm, -norm) if norm is not None else ():
        first = _base_root((real + signed) * pow(2, -1, BASE_ORDER))
        if first:
            return FQ2([first, imaginary * pow(2 * first, -1, BASE_ORDER) % BASE_ORDER])
    return None


def _base_root(square: int) -> int | None:
    root = FQ(square) ** ((BASE_ORDER + 1) // 4)
    return int(root) if root * root == FQ(square) else None


def describe(name: str, vectors: Sequence[Sequence[int]], key: VerificationKey) -> dict[str, object]:
    """Prove one statement; return it with the challenges and the value of its quadratic form."""
    rng = random.Random(name)  # noqa: S311 - these vectors are public
    openings = [Opening(vector, rng.randrange(SCALAR_ORDER)) for vector in vectors]
    powers = [multiply(G1, pow(TAU, j, SCALAR_ORDER)) for j in range(len(vectors[0]) + MASK_COEFFICIENTS)]
    context = bytes(keccak(name.encode()))
    commitments, gram, proof = prove(key, powers, context, openings, lambda: rng.randrange(SCALAR_ORDER))
    verify(key, context, commitments, gram, proof)
    challenges = derive_challenges(key, context, commitments, gram, proof)
    matrix, rows = bytes_to_matrix(gram, len(vectors)), range(len(vectors))
    form = sum(challenges.rho[i] * challenges.rho[j] * matrix[i][j] for i in rows for j in rows)
    return {
        "context": _hex(context),
        "commitments": _hex(commitments),
        "gram": _hex(gram),
        "proof": _hex(proof),
        "statement": _hex(statement_hash(key, context, commitments, gram, proof[:64], proof[64:96])),
        "rho": [_word(rho) for rho in challenges.rho],
        "z": _word(challenges.z),
        "gamma": _word(challenges.gamma),
        "form": _word(form % SCALAR_ORDER),
    }


def advance(previous: bytes, commitments: bytes) -> bytes:
    """Return the model commitment after the weighted commitments were added to it."""
    points = bytes_to_commitments(commitments)
    terms = [*zip(WEIGHTS, points, strict=True)]
    if any(previous):
        terms.append((1, bytes_to_point(previous, "model")))
    return point_to_bytes(linear_combination(terms))


def build() -> str:
    """Make all vectors; return the file's text."""
    key = make_key(TAU, BETA)
    proofs = {name: describe(name, vectors, key) for name, vectors in STATEMENTS.items()}
    commitments = bytes.fromhex(str(proofs["three"]["commitments"])[2:])
    first = advance(bytes(64), commitments)
    development = make_key(development_secret("tau"), development_secret("beta"))
    content = {
        "key": _hex(encode_key(key)),
        "srs": _hex(identity(key)),
        "developmentKey": _hex(encode_key(development)),
        "developmentSrs": _hex(identity(development)),
        "tauTimesTwo": _hex(point_to_bytes(multiply(G1, 2 * TAU % SCALAR_ORDER))),
        "outsideSubgroup": _hex(point_outside_subgroup()),
        "proofs": proofs,
        "model": {
            "weights": [_word(weight) for weight in WEIGHTS],
            "first": _hex(first),
            "second": _hex(advance(first, commitments)),
        },
    }
    return json.dumps(content, indent=1) + "\n"


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _word(value: int) -> str:
    return _hex(value.to_bytes(32, "big"))


def main() -> int:
    """Write or check, and say what was done."""
    parser = argparse.ArgumentParser(prog="write-gram-vectors", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed vectors, write nothing")
    check = parser.parse_args().check
    text = build()
    if not check:
        VECTORS.parent.mkdir(exist_ok=True)
        temporary = VECTORS.with_suffix(".json.new")
        temporary.write_text(text, "utf-8")
        os.replace(temporary, VECTORS)  # noqa: PTH105 - a reader sees the old file or the new one
    elif not VECTORS.exists() or VECTORS.read_text("utf-8") != text:
        print(f"write-gram-vectors: {VECTORS} is not what the readable prover gives; write it again and commit it")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
