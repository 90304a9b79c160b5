"""The prover of the Gram proof, step by step as in `docs/gram-proof.md`; for small dimensions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zk.readable.group import SCALAR_ORDER, Point, bytes_to_point, commit, point_to_bytes
from zk.readable.polynomial import autocorrelation, divide_by_quadratic, evaluate
from zk.readable.transcript import (
    VerificationKey,
    batch_hash,
    evaluation_hash,
    reduced,
    row_challenges,
    statement_hash,
)

MASK_COEFFICIENTS = 12


@dataclass(frozen=True)
class Opening:
    """What a commitment commits to: the integers of a vector, and the blinder."""

    vector: Sequence[int]
    blinder: int


def random_scalar() -> int:
    """Draw a number below r from the operating system."""
    return secrets.randbelow(SCALAR_ORDER)


def prove(
    key: VerificationKey,
    powers: Sequence[Point],
    context: bytes,
    openings: Sequence[Opening],
    draw: Callable[[], int] = random_scalar,
) -> tuple[bytes, bytes, bytes]:
    """Prove the Gram matrix of committed vectors.

    Parameters
    ----------
    key, powers
        Verification key and `[tau^j]` of the structured reference string; at least 12 more powers than coordinates.
    context
        32 bytes that name the occasion.
    openings
        n vectors of one length d with their blinders.
    draw
        Source of uniform numbers below r; only tests give another than the operating system's.

    Returns
    -------
    commitments, gram, proof
        Encoded, as `zk.readable.verifier.verify` takes them.
    """
    r = SCALAR_ORDER
    beta = bytes_to_point(key.beta, "[beta]")
    vectors = [list(opening.vector) for opening in openings]
    n, d = len(vectors), len(vectors[0])
    commitments = b"".join(
        point_to_bytes(commit(opening.vector, opening.blinder, powers, beta)) for opening in openings
    )
    gram = b"".join(
        sum(a * b for a, b in zip(vectors[i], vectors[j], strict=True)).to_bytes(8, "big", signed=True)
        for i in range(n)
        for j in range(i, n)
    )

    # Step 1
    m = [draw() for _ in range(MASK_COEFFICIENTS)]
    mask = [0] * d + m
    mask_blinder = draw()
    mask_commitment = point_to_bytes(commit(mask, mask_blinder, powers, beta))
    mu = _encode(sum(x * x for x in m))

    # Step 2
    statement = statement_hash(key, context, commitments, gram, mask_commitment, mu)
    rho = row_challenges(statement, n)
    a = [sum(rho[i] * vectors[i][k] for i in range(n)) % r for k in range(d)] + m

    # Step 3
    g = autocorrelation(a)[1:]
    correlation_blinder = draw()
    correlation_commitment = point_to_bytes(commit(g, correlation_blinder, powers, beta))

    # Step 4
    evaluation = evaluation_hash(statement, correlation_commitment)
    z = reduced(evaluation)
    inverse = pow(z, -1, r)
    u, v, w = evaluate(a, z), evaluate(a, inverse), evaluate(g, z)

    # Step 5
    gamma = reduced(batch_hash(evaluation, _encode(u), _encode(v), _encode(w)))
    p = [(x + gamma * y) % r for x, y in zip(a, [*g, 0], strict=True)]
    e = sum(rho[i] * openings[i].blinder for i in range(n)) + mask_blinder + gamma * correlation_blinder
    quotient, _ = divide_by_quadratic(p, z + inverse)
    pi = point_to_bytes(commit(quotient, 0, powers, beta))
    proof = mask_commitment + mu + correlation_commitment + _encode(u) + _encode(v) + _encode(w) + _encode(e) + pi
    return commitments, gram, proof


def _encode(value: int) -> bytes:
    return (value % SCALAR_ORDER).to_bytes(32, "big")
