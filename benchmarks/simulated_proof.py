"""Gram proofs of any matrix, for measuring what the contract does with it: made with the development set-up's secrets.

A commitment is here a known multiple of the generator, `[a]`, and so is every sum of commitments. Equation (3) of
`docs/gram-proof.md` says `pi = Q / Z(tau)`: whoever knows tau and the multiples can divide. The contract can't tell
such a proof from one that an honest prover made, so its gas is the same.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from zk.bn254 import g1_generator, g1_multiply, g1_to_bytes
from zk.bn254.parameters import SCALAR_MODULUS
from zk.gram_proof.proof import POINT_BYTES, encode_scalar
from zk.gram_proof.transcript import batch_hash, evaluation_hash, row_challenges, statement_hash, to_scalar
from zk.srs.development import BETA, TAU
from zk.srs.identity import DEVELOPMENT_IDENTITY

R: Final = SCALAR_MODULUS


@cache
def multiple_of_generator(scalar: int) -> bytes:
    """Return `[scalar]`, encoded; 64 zero bytes for the point at infinity."""
    if scalar % R == 0:
        return bytes(POINT_BYTES)
    return g1_to_bytes(g1_multiply(g1_generator(), scalar))


def simulate_proof(context: bytes, multiples: Sequence[int], gram: bytes, rng: random.Random) -> bytes:
    """Return a proof for the development set-up that verifiers accept.

    Parameters
    ----------
    context
        32 bytes.
    multiples
        The numbers `a_i` of the commitments `[a_i]`.
    gram
        The packed matrix, true or not.
    rng
        Where everything comes from that a prover draws.

    Returns
    -------
    proof : bytes
        352 bytes.
    """
    mask, correlation, mu, u, v, w, e = (rng.randrange(1, R) for _ in range(7))
    commitments = b"".join(map(multiple_of_generator, multiples))
    encoded = multiple_of_generator(mask), encode_scalar(mu)
    statement = statement_hash(DEVELOPMENT_IDENTITY, context, commitments, gram, *encoded)
    rho = row_challenges(statement, len(multiples))
    evaluation = evaluation_hash(statement, multiple_of_generator(correlation))
    values = b"".join(map(encode_scalar, (u, v, w)))
    z, gamma = to_scalar(evaluation), to_scalar(batch_hash(evaluation, values))

    constant, slope = _line(z, gamma, (quadratic_form(gram, rho) + mu) % R, (u, v, w))
    opened = sum(a * b for a, b in zip(rho, multiples, strict=True)) + mask + gamma * correlation
    quotient = (opened - constant - slope * TAU - e * BETA) * pow(_vanishing_at_tau(z), -1, R)
    head = b"".join((*encoded, multiple_of_generator(correlation), values))
    return head + encode_scalar(e) + multiple_of_generator(quotient)


def quadratic_form(gram: bytes, rho: Sequence[int]) -> int:
    """Return `sum_ij rho_i rho_j G_ij`, from the packed upper triangle."""
    entries = iter(np.frombuffer(gram, dtype=">i8").tolist())
    count, total = len(rho), 0
    for i in range(count):
        row = [next(entries) for _ in range(i, count)]
        twice = 2 * sum(entry * rho[j] for j, entry in enumerate(row, i)) - row[0] * rho[i]
        total += rho[i] * twice
    return total


def _line(z: int, gamma: int, c: int, values: tuple[int, int, int]) -> tuple[int, int]:
    """Return `l_0` and `l_1` of step 5."""
    u, v, w = values
    reflected = z * (u * v - c - z * w)
    at_z, at_inverse = u + gamma * w, v + gamma * reflected
    slope = (at_z - at_inverse) * pow(z - pow(z, -1, R), -1, R) % R
    return (at_z - slope * z) % R, slope


def _vanishing_at_tau(z: int) -> int:
    """Return `Z(tau) = tau^2 - (z + 1/z) tau + 1`."""
    return (TAU * TAU - (z + pow(z, -1, R)) * TAU + 1) % R
