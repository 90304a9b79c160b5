"""The simulator of the Gram proof: accepting transcripts without a witness, as in `docs/gram-proof.md`.

It may choose the verifier's messages before its own, as a simulator in the random oracle model may program the hash.
That it needs nothing but the public statement is why a proof shows nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from zk.readable.group import G1, SCALAR_ORDER, Point, add, bytes_to_point, linear_combination
from zk.readable.prover import random_scalar
from zk.readable.transcript import Challenges, VerificationKey
from zk.readable.verifier import Proof


def simulate(
    key: VerificationKey,
    tau_squared: Point,
    commitments: Sequence[Point],
    matrix: Sequence[Sequence[int]],
) -> tuple[Proof, Challenges]:
    """Return a proof and challenges that `zk.readable.verifier.check` accepts for this statement.

    Parameters
    ----------
    key
        Verification key of the structured reference string, whose secrets the simulator does not know.
    tau_squared
        `[tau^2]`.
    commitments
        `C_1 .. C_n`, to vectors that the simulator does not know.
    matrix
        `G`, n x n; whether it is the right one makes no difference.
    """
    r, n = SCALAR_ORDER, len(commitments)
    tau, beta = bytes_to_point(key.tau, "[tau]"), bytes_to_point(key.beta, "[beta]")

    # The verifier's messages, first.
    rho = tuple(secrets.randbits(128) for _ in range(n))
    z, gamma = secrets.randbits(256) % r, secrets.randbits(256) % r
    inverse = pow(z, -1, r)

    # What is opened is uniform but for the one relation (2).
    mu, u, v, w, e = (random_scalar() for _ in range(5))
    c = sum(rho[i] * rho[j] * matrix[i][j] for i in range(n) for j in range(n)) + mu
    w_inverse = z * (u * v - c - z * w) % r
    at_z, at_inverse = u + gamma * w, v + gamma * w_inverse
    slope = (at_z - at_inverse) * pow(z - inverse, -1, r) % r
    constant = (at_z - slope * z) % r

    # A uniform pi = [x] makes Q = x [Z(tau)] and with it C_P.
    x = random_scalar()
    pi = linear_combination([(x, G1)])
    q = linear_combination([(x, tau_squared), (-x * (z + inverse), tau), (x, G1)])
    commitment = add(q, linear_combination([(constant, G1), (slope, tau), (e, beta)]))

    # C_g is uniform, and C_M what makes C_P come out.
    correlation_commitment = linear_combination([(random_scalar(), G1)])
    known = [(-factor, point) for factor, point in zip(rho, commitments, strict=True)]
    mask_commitment = add(commitment, linear_combination([*known, (-gamma, correlation_commitment)]))
    return Proof(mask_commitment, mu, correlation_commitment, u, v, w, e, pi), Challenges(rho, z, gamma)
