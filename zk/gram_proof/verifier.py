"""The fast verifier of the Gram proof."""

from __future__ import annotations

import numpy as np

from zk.bn254 import (
    g1_add,
    g1_from_bytes,
    g1_generator,
    g1_multiply,
    g1_negate,
    g2_from_bytes,
    g2_generator,
    multi_scalar_multiplication,
    pairing_product_is_one,
    scalars_from_integers,
)
from zk.bn254.parameters import SCALAR_MODULUS
from zk.errors import ProofRejectedError, Rejection
from zk.gram_proof.proof import Points, Proof, Statement, parse
from zk.gram_proof.transcript import (
    batch_hash,
    evaluation_hash,
    is_degenerate,
    row_challenges,
    statement_hash,
    to_scalar,
)
from zk.srs.verification_key import VerificationKey


def verify_gram_proof(key: VerificationKey, context: bytes, commitments: bytes, gram: bytes, proof: bytes) -> None:
    """Return if the proof shows that `gram` is the Gram matrix of what the commitments commit to.

    Parameters
    ----------
    key
        Verification key of the structured reference string.
    context
        32 bytes that name the occasion.
    commitments
        n points of G1, 64 bytes each, 1 <= n <= 255.
    gram
        Upper triangle with diagonal, row by row, signed 64-bit big-endian integers: `4 n (n + 1)` bytes.
    proof
        352 bytes.

    Raises
    ------
    ProofRejectedError
        If anything is not encoded as specified, or the equation does not hold.
    """
    statement, elements = parse(context, commitments, gram, proof)
    _verify(key, statement, elements)


def _verify(key: VerificationKey, statement: Statement, proof: Proof) -> None:
    """Verify.

    pairing(Q - pi, [1]_2) * pairing(s pi, [tau]_2) * pairing(-pi, [tau^2]_2) = 1
    with Q = sum_i rho_i C_i + C_M + gamma C_g - l_0 [1] - l_1 [tau] - e [beta].
    """
    r = SCALAR_MODULUS
    seed = statement_hash(
        key.identity,
        statement.context,
        statement.commitments,
        statement.gram,
        proof.encoded_mask,
        proof.encoded_mu,
    )
    rho = row_challenges(seed, statement.count)
    evaluation = evaluation_hash(seed, proof.encoded_correlation)
    z = to_scalar(evaluation)
    if is_degenerate(z):
        raise ProofRejectedError(
            Rejection.DEGENERATE_CHALLENGE, "z", f"The evaluation point is {z}; the prover must start again."
        )
    gamma = to_scalar(batch_hash(evaluation, proof.encoded_openings))

    inverse = pow(z, -1, r)
    c = quadratic_form(rho, statement.matrix) + proof.mu
    constant, slope = _line(z, inverse, gamma, proof, c % r)
    terms = [
        *zip(rho, statement.points[:, None], strict=True),
        (1, proof.mask),
        (gamma, proof.correlation),
        (-constant, g1_generator()),
        (-slope, g1_from_bytes(key.tau_g1)),
        (-proof.e, g1_from_bytes(key.beta_g1)),
    ]
    q = multi_scalar_multiplication(
        np.concatenate([point for _, point in terms]), scalars_from_integers([factor for factor, _ in terms])
    )
    if not _pairing_holds(key, q, proof.pi, (z + inverse) % r):
        raise ProofRejectedError(
            Rejection.EQUATION_FAILS,
            "",
            "The pairing equation does not hold: the matrix is not the one of these commitments, or the proof was made "
            "for another occasion; compare context, commitments and matrix with the round's.",
        )


def quadratic_form(rho: list[int], triangle: list[int]) -> int:
    """Return `sum_ij rho_i rho_j G_ij`, an integer, from the upper triangle of G."""
    total, at, n = 0, 0, len(rho)
    for i, factor in enumerate(rho):
        row = triangle[at : at + n - i]
        off_diagonal = sum(x * y for x, y in zip(row[1:], rho[i + 1 :], strict=True))
        total += factor * (row[0] * factor + 2 * off_diagonal)
        at += n - i
    return total


def _line(z: int, inverse: int, gamma: int, proof: Proof, c: int) -> tuple[int, int]:
    """Return `l_0, l_1` of the line through `(z, u + gamma w)` and `(1/z, v + gamma w')`."""
    r = SCALAR_MODULUS
    at_z = proof.u + gamma * proof.w
    other = z * (proof.u * proof.v - c - z * proof.w)
    at_inverse = proof.v + gamma * other
    slope = (at_z - at_inverse) * pow(z - inverse, -1, r) % r
    return (at_z - slope * z) % r, slope


def _pairing_holds(key: VerificationKey, q: Points, pi: Points, s: int) -> bool:
    """Whether equation (3) holds."""
    negated = g1_negate(pi)
    return pairing_product_is_one(
        [
            (g1_add(q, negated), g2_generator()),
            (g1_multiply(pi, s), g2_from_bytes(key.tau_g2)),
            (negated, g2_from_bytes(key.tau_squared_g2)),
        ]
    )
