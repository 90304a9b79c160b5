"""Zero knowledge: proofs can be made without a witness, and the mask hides what it must."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.zk.conftest import BETA, CONTEXT, TAU
from zk.errors import ProofRejectedError, Rejection
from zk.readable.group import (
    SCALAR_ORDER,
    bytes_to_point,
    commit,
    eq,
    point_to_bytes,
)
from zk.readable.prover import MASK_COEFFICIENTS
from zk.readable.simulator import simulate
from zk.readable.transcript import Challenges
from zk.readable.verifier import bytes_to_matrix, check, verify


def statement(proven):
    points = [bytes_to_point(proven.commitments[at : at + 64], "") for at in range(0, len(proven.commitments), 64)]
    return points, bytes_to_matrix(proven.gram, len(points))


def test_the_simulator_convinces_the_verifier_without_a_witness(setup, proven):
    points, matrix = statement(proven)
    proof, challenges = simulate(setup.key, setup.powers[2], points, matrix)
    check(setup.key, points, matrix, proof, challenges)


def test_it_simulates_false_statements_as_well(setup, proven):
    points, matrix = statement(proven)
    matrix[0][0] += 1
    proof, challenges = simulate(setup.key, setup.powers[2], points, matrix)
    check(setup.key, points, matrix, proof, challenges)


@pytest.mark.parametrize("changed", ["rho", "z", "gamma"])
def test_the_proof_simulated_for_some_challenges_fails_for_others(setup, proven, changed):
    points, matrix = statement(proven)
    proof, challenges = simulate(setup.key, setup.powers[2], points, matrix)
    values = {"rho": challenges.rho, "z": challenges.z, "gamma": challenges.gamma}
    values[changed] = (values["rho"][0] + 1, *values["rho"][1:]) if changed == "rho" else values[changed] + 1
    with pytest.raises(ProofRejectedError) as caught:
        check(setup.key, points, matrix, proof, Challenges(**values))
    assert caught.value.reason is Rejection.EQUATION_FAILS


def test_a_simulated_proof_is_worth_nothing_where_hashes_are_computed(setup, proven):
    points, matrix = statement(proven)
    proof, _ = simulate(setup.key, setup.powers[2], points, matrix)
    encoded = encode(proof)
    with pytest.raises(ProofRejectedError) as caught:
        verify(setup.key, CONTEXT, proven.commitments, proven.gram, encoded)
    assert caught.value.reason is Rejection.EQUATION_FAILS


def encode(proof) -> bytes:
    scalars = [value.to_bytes(32, "big") for value in (proof.mu, proof.u, proof.v, proof.w, proof.e)]
    points = [point_to_bytes(point) for point in (proof.mask_commitment, proof.correlation_commitment, proof.pi)]
    return points[0] + scalars[0] + points[1] + b"".join(scalars[1:]) + points[2]


def rank(matrix: list[list[int]], prime: int) -> int:
    rows, found = [[x % prime for x in row] for row in matrix], 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(found, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        inverse = pow(rows[found][column], -1, prime)
        for i in range(found + 1, len(rows)):
            factor = rows[i][column] * inverse
            rows[i] = [(x - factor * y) % prime for x, y in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


def restricted_form(a: int, b: int, c: int, z: int, tau: int, size: int, prime: int) -> list[list[int]]:
    """`B^T (a I + b K_z + c K_tau) B`, where B's columns span the masks that leave u and v as they are."""

    def entry(i: int, j: int) -> int:
        return a * (i == j) + b * pow(z, abs(i - j), prime) + c * pow(tau, abs(i - j), prime)

    inverse = pow(z, -1, prime)
    # Two columns of the system m(z) = m(1/z) = 0 are solved for; the others are free.
    determinant = pow(inverse - z, -1, prime)
    basis = []
    for free in range(2, size):
        p, q = pow(z, free, prime), pow(inverse, free, prime)
        m1 = -(q - p) * determinant
        m0 = -p - m1 * z
        basis.append([m0, m1] + [int(k == free) for k in range(2, size)])
    full = [[entry(i, j) for j in range(size)] for i in range(size)]
    halves = [[sum(x * y for x, y in zip(row, vector, strict=True)) for row in full] for vector in basis]
    return [[sum(x * y for x, y in zip(half, vector, strict=True)) for vector in basis] for half in halves]


@pytest.mark.parametrize("prime", [7, 11, 13])
def test_no_combination_of_what_is_opened_has_a_low_rank(prime):
    """The rank lemma, for every combination over small fields: at least k - 6 on the masks with given u and v."""
    size = MASK_COEFFICIENTS
    units = list(range(2, prime - 1))
    pairs = [(z, tau) for z in units for tau in units if tau not in (z, pow(z, -1, prime))]
    for z, tau in random.Random(prime).sample(pairs, min(4, len(pairs))):
        ranks = {
            rank(restricted_form(a, b, c, z, tau, size, prime), prime)
            for a, b, c in itertools.product(range(prime), repeat=3)
            # A multiple of a form has its rank.
            if next((x for x in (a, b, c) if x), 0) == 1
        }
        assert min(ranks) >= size - 6


def test_a_mask_of_three_coefficients_would_not_do():
    """With too few coefficients some combination is constant: what is opened then shows something of the update."""
    prime, z, tau = 13, 2, 3
    ranks = [
        rank(restricted_form(a, b, c, z, tau, 3, prime), prime)
        for a, b, c in itertools.product(range(prime), repeat=3)
        if (a, b, c) != (0, 0, 0)
    ]
    assert min(ranks) == 0


def test_a_commitment_is_uniform_by_its_blinder_alone(setup):
    """For any two vectors there are blinders with equal commitments: nothing of a vector is in a commitment."""
    beta = bytes_to_point(setup.key.beta, "[beta]")
    first, second, blinder = [1, 2, 3], [-4, 5, 6], 99
    difference = sum((x - y) * TAU**k for k, (x, y) in enumerate(zip(first, second, strict=True)))
    other = (blinder + difference * pow(BETA, -1, SCALAR_ORDER)) % SCALAR_ORDER
    assert eq(commit(first, blinder, setup.powers, beta), commit(second, other, setup.powers, beta))
    assert not eq(commit(first, blinder, setup.powers, beta), commit(second, blinder, setup.powers, beta))
