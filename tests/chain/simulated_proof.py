"""Proofs of any matrix, from the development set-up's secrets: what `contracts/test/SimulatedProver.sol` makes."""

from __future__ import annotations

import random
from collections.abc import Sequence

from zk.readable.group import G1, SCALAR_ORDER, linear_combination, multiply, point_to_bytes
from zk.readable.transcript import VerificationKey
from zk.readable.verifier import bytes_to_matrix, derive_challenges
from zk.srs.development import BETA, TAU, development_key

R = SCALAR_ORDER


def commitment_to(scalar: int) -> bytes:
    """A commitment that everybody can open: a multiple of the generator."""
    return point_to_bytes(multiply(G1, scalar))


def simulate(context: bytes, scalars: Sequence[int], gram: bytes, seed: int = 0) -> bytes:
    """A proof that the verifier with the development key accepts, for the commitments to these scalars."""
    known = development_key()
    key = VerificationKey(known.tau_g1, known.beta_g1, known.tau_g2, known.tau_squared_g2)
    draws = random.Random(seed)
    mask, correlation, mu, u, v, w, e = (draws.randrange(1, R) for _ in range(7))
    encoded = commitment_to(mask) + mu.to_bytes(32, "big") + commitment_to(correlation)
    encoded += b"".join(scalar.to_bytes(32, "big") for scalar in (u, v, w, e))
    commitments = b"".join(map(commitment_to, scalars))
    challenges = derive_challenges(key, context, commitments, gram, encoded)
    rho, z, gamma = challenges.rho, challenges.z, challenges.gamma
    matrix = bytes_to_matrix(gram, len(scalars))
    c = sum(a * b * entry for a, row in zip(rho, matrix, strict=True) for b, entry in zip(rho, row, strict=True)) + mu
    inverse = pow(z, -1, R)
    at_z, at_inverse = u + gamma * w, v + gamma * z * (u * v - c - z * w)
    slope = (at_z - at_inverse) * pow(z - inverse, -1, R)
    constant = at_z - slope * z
    combined = mask + gamma * correlation + sum(r * s for r, s in zip(rho, scalars, strict=True))
    quotient = (combined - constant - slope * TAU - e * BETA) * pow(TAU * TAU - (z + inverse) * TAU + 1, -1, R)
    return encoded + point_to_bytes(linear_combination([(quotient, G1)]))
