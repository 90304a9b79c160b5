"""The verifier of the Gram proof, step by step as in `docs/gram-proof.md`."""

from __future__ import annotations

from dataclasses import dataclass

from zk.errors import ProofRejectedError, Rejection
from zk.readable.group import (
    G1,
    G2,
    POINT_BYTES,
    SCALAR_BYTES,
    SCALAR_ORDER,
    Point,
    add,
    bytes_to_g2,
    bytes_to_point,
    bytes_to_scalar,
    linear_combination,
    multiply,
    neg,
    product_of_pairings_is_one,
)
from zk.readable.transcript import (
    Challenges,
    VerificationKey,
    batch_hash,
    evaluation_hash,
    reduced,
    row_challenges,
    statement_hash,
)

MAX_COMMITMENTS = 255
CONTEXT_BYTES = 32
PROOF_BYTES = 3 * POINT_BYTES + 5 * SCALAR_BYTES


@dataclass(frozen=True)
class Proof:
    """A proof's elements, converted from bytes."""

    mask_commitment: Point
    mu: int
    correlation_commitment: Point
    u: int
    v: int
    w: int
    e: int
    pi: Point


def verify(key: VerificationKey, context: bytes, commitments: bytes, gram: bytes, proof: bytes) -> None:
    """Return if the proof shows that `gram` is the Gram matrix of what the commitments commit to.

    Parameters
    ----------
    key
        Verification key of the structured reference string, checked when it was read.
    context
        32 bytes that name the occasion.
    commitments
        n points of G1, 64 bytes each.
    gram
        Upper triangle of the matrix, 8 bytes an entry.
    proof
        352 bytes.

    Raises
    ------
    ProofRejectedError
        If anything is not encoded as specified, or the equation does not hold.
    """
    _require_lengths(context, commitments, gram, proof)
    points = bytes_to_commitments(commitments)
    matrix = bytes_to_matrix(gram, len(points))
    elements = bytes_to_proof(proof)
    challenges = derive_challenges(key, context, commitments, gram, proof)
    check(key, points, matrix, elements, challenges)


def check(
    key: VerificationKey,
    commitments: list[Point],
    matrix: list[list[int]],
    proof: Proof,
    challenges: Challenges,
) -> None:
    """Return if the verifier of the interactive protocol, having sent these challenges, accepts.

    Raises
    ------
    ProofRejectedError
        If the evaluation point is 0, 1 or -1, or the equation (3) does not hold.
    """
    rho, z, gamma = challenges.rho, challenges.z, challenges.gamma
    r = SCALAR_ORDER
    if z in (0, 1, r - 1):
        raise ProofRejectedError(
            Rejection.DEGENERATE_CHALLENGE, "z", f"The evaluation point is {z}; the prover must start again."
        )
    n = len(commitments)

    # Step 2: c = sum_ij rho_i rho_j G_ij + mu
    c = (sum(rho[i] * rho[j] * matrix[i][j] for i in range(n) for j in range(n)) + proof.mu) % r

    # Step 4: w' = z (u v - c - z w)
    w_inverse = z * (proof.u * proof.v - c - z * proof.w) % r

    # Step 5: the line through (z, u + gamma w) and (1/z, v + gamma w'), and s = z + 1/z
    inverse = pow(z, -1, r)
    at_z = (proof.u + gamma * proof.w) % r
    at_inverse = (proof.v + gamma * w_inverse) % r
    slope = (at_z - at_inverse) * pow(z - inverse, -1, r) % r
    constant = (at_z - slope * z) % r
    s = (z + inverse) % r

    # Step 5: C_P = sum_i rho_i C_i + C_M + gamma C_g
    commitment = linear_combination(
        [*zip(rho, commitments, strict=True), (1, proof.mask_commitment), (gamma, proof.correlation_commitment)]
    )

    # Step 6: Q = C_P - l_0 [1] - l_1 [tau] - e [beta]
    tau, beta = bytes_to_point(key.tau, "[tau]"), bytes_to_point(key.beta, "[beta]")
    q = add(commitment, linear_combination([(-constant, G1), (-slope, tau), (-proof.e, beta)]))
    pairs = [
        (add(q, neg(proof.pi)), G2),
        (multiply(proof.pi, s), bytes_to_g2(key.tau_g2)),
        (neg(proof.pi), bytes_to_g2(key.tau_squared_g2)),
    ]
    if not product_of_pairings_is_one(pairs):
        raise ProofRejectedError(
            Rejection.EQUATION_FAILS,
            "",
            "The pairing equation does not hold: the matrix is not the one of these commitments, or the proof was made "
            "for another occasion; compare context, commitments and matrix with the round's.",
        )


def derive_challenges(
    key: VerificationKey, context: bytes, commitments: bytes, gram: bytes, proof: bytes
) -> Challenges:
    """Derive the challenges of an encoded proof whose lengths were checked."""
    mask_commitment, mu, correlation_commitment = proof[0:64], proof[64:96], proof[96:160]
    u, v, w = proof[160:192], proof[192:224], proof[224:256]
    statement = statement_hash(key, context, commitments, gram, mask_commitment, mu)
    evaluation = evaluation_hash(statement, correlation_commitment)
    return Challenges(
        rho=row_challenges(statement, len(commitments) // POINT_BYTES),
        z=reduced(evaluation),
        gamma=reduced(batch_hash(evaluation, u, v, w)),
    )


def bytes_to_commitments(data: bytes) -> list[Point]:
    """Convert untrusted bytes, whose length was checked, to commitments."""
    places = range(0, len(data), POINT_BYTES)
    return [bytes_to_point(data[at : at + POINT_BYTES], f"commitment {number}") for number, at in enumerate(places, 1)]


def bytes_to_matrix(data: bytes, count: int) -> list[list[int]]:
    """Convert the encoded upper triangle, whose length was checked, to a symmetric matrix."""
    matrix = [[0] * count for _ in range(count)]
    at = 0
    for i in range(count):
        for j in range(i, count):
            matrix[i][j] = matrix[j][i] = int.from_bytes(data[at : at + 8], "big", signed=True)
            at += 8
    return matrix


def bytes_to_proof(data: bytes) -> Proof:
    """Convert untrusted bytes, whose length was checked, to the elements of a proof: points first, then scalars."""
    mask_commitment = bytes_to_point(data[0:64], "C_M")
    correlation_commitment = bytes_to_point(data[96:160], "C_g")
    pi = bytes_to_point(data[288:352], "pi")
    return Proof(
        mask_commitment=mask_commitment,
        mu=bytes_to_scalar(data[64:96], "mu"),
        correlation_commitment=correlation_commitment,
        u=bytes_to_scalar(data[160:192], "u"),
        v=bytes_to_scalar(data[192:224], "v"),
        w=bytes_to_scalar(data[224:256], "w"),
        e=bytes_to_scalar(data[256:288], "e"),
        pi=pi,
    )


def _require_lengths(context: bytes, commitments: bytes, gram: bytes, proof: bytes) -> None:
    """Refuse lengths that no statement has."""
    if len(context) != CONTEXT_BYTES:
        raise ProofRejectedError(
            Rejection.LENGTH_OF_CONTEXT, "", f"The context is {len(context)} bytes long; it must be {CONTEXT_BYTES}."
        )
    n, rest = divmod(len(commitments), POINT_BYTES)
    if rest:
        raise ProofRejectedError(
            Rejection.LENGTH_OF_COMMITMENTS,
            "",
            f"The commitments are {len(commitments)} bytes long; they must be a multiple of {POINT_BYTES}.",
        )
    if not 1 <= n <= MAX_COMMITMENTS:
        raise ProofRejectedError(
            Rejection.NUMBER_OF_COMMITMENTS, "", f"There are {n} commitments; there must be 1 to {MAX_COMMITMENTS}."
        )
    if len(gram) != 4 * n * (n + 1):
        raise ProofRejectedError(
            Rejection.LENGTH_OF_MATRIX,
            "",
            f"The matrix is {len(gram)} bytes long; for {n} commitments it must be {4 * n * (n + 1)}.",
        )
    if len(proof) != PROOF_BYTES:
        raise ProofRejectedError(
            Rejection.LENGTH_OF_PROOF, "", f"The proof is {len(proof)} bytes long; it must be {PROOF_BYTES}."
        )
