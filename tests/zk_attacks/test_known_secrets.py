"""Whoever knows the secret of a set-up proves anything with it: that is why the development set-up is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.zk.conftest import TAU
from zk.gram_proof import verify_gram_proof
from zk.readable.group import (
    G1,
    SCALAR_ORDER,
    add,
    bytes_to_point,
    linear_combination,
    multiply,
    neg,
    point_to_bytes,
)
from zk.readable.verifier import bytes_to_commitments, bytes_to_matrix, bytes_to_proof, derive_challenges, verify
from zk.srs.verification_key import VerificationKey

R = SCALAR_ORDER


def forge(setup, proven, gram: bytes) -> bytes:
    """A proof of any matrix: with tau known, pi is Q divided by Z(tau)."""
    honest = bytes_to_proof(proven.proof)
    encoded = proven.proof
    challenges = derive_challenges(setup.key, proven.context, proven.commitments, gram, encoded)
    rho, z, gamma = challenges.rho, challenges.z, challenges.gamma
    points = bytes_to_commitments(proven.commitments)
    matrix = bytes_to_matrix(gram, len(points))
    n = range(len(points))
    c = sum(rho[i] * rho[j] * matrix[i][j] for i in n for j in n) + honest.mu
    other = z * (honest.u * honest.v - c - z * honest.w)
    inverse = pow(z, -1, R)
    at_z, at_inverse = honest.u + gamma * honest.w, honest.v + gamma * other
    slope = (at_z - at_inverse) * pow(z - inverse, -1, R)
    constant = at_z - slope * z
    q = linear_combination(
        [
            *zip(rho, points, strict=True),
            (1, honest.mask_commitment),
            (gamma, honest.correlation_commitment),
            (-constant - slope * TAU, G1),
            (-honest.e, bytes_to_point(setup.key.beta, "")),
        ]
    )
    vanishing = (TAU * TAU - (z + inverse) * TAU + 1) % R
    return encoded[:288] + point_to_bytes(multiply(q, pow(vanishing, -1, R)))


def test_with_the_secret_any_matrix_is_proven(setup, proven):
    gram = (10**6).to_bytes(8, "big") + proven.gram[8:]
    assert gram != proven.gram
    forged = forge(setup, proven, gram)
    verify(setup.key, proven.context, proven.commitments, gram, forged)
    key = VerificationKey(setup.key.tau, setup.key.beta, setup.key.tau_g2, setup.key.tau_squared_g2)
    verify_gram_proof(key, proven.context, proven.commitments, gram, forged)


def test_with_another_secret_the_same_recipe_fails(setup, proven):
    gram = (10**6).to_bytes(8, "big") + proven.gram[8:]
    forged = bytes_to_proof(forge(setup, proven, gram))
    wrong = replace(forged, pi=add(forged.pi, neg(G1)))
    encoded = proven.proof[:288] + point_to_bytes(wrong.pi)
    with pytest.raises(Exception, match="equation"):
        verify(setup.key, proven.context, proven.commitments, gram, encoded)
