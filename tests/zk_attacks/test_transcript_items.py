"""Every item of the transcript matters: without it there is a forgery or a replay, which the real verifier refuses.

Each laboratory verifier here leaves one item out of the hashes and is otherwise the readable one. The attacker knows no
secret of the set-up. Items that the others determine are argued for in `docs/gram-proof.md`: n and the lengths, the
tags; nothing is drawn after e and pi.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest
from py_ecc.optimized_bn128 import G1, multiply

from tests.zk.conftest import BETA, CONTEXT, Setup, random_openings
from tests.zk_attacks.lattice import short_relation
from zk.errors import ProofRejectedError, Rejection
from zk.readable import transcript
from zk.readable.group import (
    SCALAR_ORDER,
    Point,
    add,
    bytes_to_point,
    commit,
    linear_combination,
    point_to_bytes,
)
from zk.readable.group import (
    multiply as times,
)
from zk.readable.polynomial import autocorrelation, divide_by_quadratic, evaluate
from zk.readable.prover import MASK_COEFFICIENTS, Opening
from zk.readable.transcript import Challenges
from zk.readable.verifier import Proof, bytes_to_commitments, bytes_to_matrix, bytes_to_proof, check, verify

R = SCALAR_ORDER
NOTHING = frozenset[str]()


@dataclass(frozen=True)
class Statement:
    """What is public, decoded."""

    context: bytes
    commitments: list[Point]
    matrix: list[list[int]]


def scalar(value: int) -> bytes:
    return (value % R).to_bytes(32, "big")


def statement_hash(setup: Setup, public: Statement, mask: Point, mu: int, without: frozenset[str]) -> bytes:
    empty = dict.fromkeys(without, b"")
    parts = {
        "context": public.context,
        "commitments": b"".join(map(point_to_bytes, public.commitments)),
        "gram": encode_matrix(public.matrix),
        "mask_commitment": point_to_bytes(mask),
        "mu": scalar(mu),
    } | empty
    key = setup.key
    if "srs" in without:
        key = transcript.VerificationKey(b"", b"", b"", b"")
    return transcript.statement_hash(
        key, parts["context"], parts["commitments"], parts["gram"], parts["mask_commitment"], parts["mu"]
    )


def row_challenges(statement: bytes, count: int, without: frozenset[str]) -> tuple[int, ...]:
    if "row number" in without:
        return transcript.row_challenges(statement, 1) * count
    return transcript.row_challenges(statement, count)


def evaluation_hash(statement: bytes, correlation: Point, without: frozenset[str]) -> bytes:
    return transcript.evaluation_hash(statement, b"" if "C_g" in without else point_to_bytes(correlation))


def batch_challenge(evaluation: bytes, u: int, v: int, w: int, without: frozenset[str]) -> int:
    items = [b"" if name in without else scalar(value) for name, value in (("u", u), ("v", v), ("w", w))]
    return transcript.reduced(transcript.batch_hash(evaluation, *items))


def laboratory_verify(setup: Setup, public: Statement, proof: Proof, without: frozenset[str] = NOTHING) -> None:
    """The readable verifier with items left out of its hashes."""
    statement = statement_hash(setup, public, proof.mask_commitment, proof.mu, without)
    evaluation = evaluation_hash(statement, proof.correlation_commitment, without)
    challenges = Challenges(
        rho=row_challenges(statement, len(public.commitments), without),
        z=transcript.reduced(evaluation),
        gamma=batch_challenge(evaluation, proof.u, proof.v, proof.w, without),
    )
    check(setup.key, public.commitments, public.matrix, proof, challenges)


def encode_matrix(matrix: list[list[int]]) -> bytes:
    n = len(matrix)
    return b"".join(matrix[i][j].to_bytes(8, "big", signed=True) for i in range(n) for j in range(i, n))


def encode_proof(proof: Proof) -> bytes:
    points = [point_to_bytes(point) for point in (proof.mask_commitment, proof.correlation_commitment, proof.pi)]
    scalars = [scalar(value) for value in (proof.u, proof.v, proof.w, proof.e)]
    return points[0] + scalar(proof.mu) + points[1] + b"".join(scalars) + points[2]


def assert_forged(setup: Setup, public: Statement, proof: Proof, left_out: str) -> None:
    """The laboratory verifier accepts, the same one with all items does not, nor does the real one."""
    laboratory_verify(setup, public, proof, frozenset({left_out}))
    with pytest.raises(ProofRejectedError) as caught:
        laboratory_verify(setup, public, proof)
    assert caught.value.reason is Rejection.EQUATION_FAILS
    commitments = b"".join(map(point_to_bytes, public.commitments))
    with pytest.raises(ProofRejectedError) as caught:
        verify(setup.key, public.context, commitments, encode_matrix(public.matrix), encode_proof(proof))
    assert caught.value.reason is Rejection.EQUATION_FAILS


class Attacker:
    """The honest prover's steps, one at a time, so that an attack can deviate where it has to."""

    def __init__(self, setup: Setup, openings: list[Opening], seed: int, without: frozenset[str]) -> None:
        self.setup, self.openings, self.without = setup, openings, without
        self.rng = random.Random(seed)
        self.beta = bytes_to_point(setup.key.beta, "")
        vectors = [list(opening.vector) for opening in openings]
        self.vectors, self.dimension = vectors, len(vectors[0])
        points = [commit(opening.vector, opening.blinder, setup.powers, self.beta) for opening in openings]
        matrix = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in vectors] for x in vectors]
        self.public = Statement(CONTEXT, points, matrix)

    def claim(self, i: int, j: int, value: int) -> None:
        """Claim another inner product than the true one."""
        self.public.matrix[i][j] = self.public.matrix[j][i] = value

    def commit_to_mask(self) -> None:
        self.m = [self.rng.randrange(R) for _ in range(MASK_COEFFICIENTS)]
        self.mask_blinder = self.rng.randrange(R)
        self.mask = commit([0] * self.dimension + self.m, self.mask_blinder, self.setup.powers, self.beta)
        self.mu = sum(x * x for x in self.m) % R

    def receive_rows(self) -> None:
        self.statement = statement_hash(self.setup, self.public, self.mask, self.mu, self.without)
        self.rho = row_challenges(self.statement, len(self.openings), self.without)
        combined = [
            sum(factor * x for factor, x in zip(self.rho, column, strict=True)) % R
            for column in zip(*self.vectors, strict=True)
        ]
        self.a = combined + self.m
        self.g = autocorrelation(self.a)[1:]

    def commit_to_correlation(self) -> None:
        self.correlation_blinder = self.rng.randrange(R)
        self.correlation = commit(self.g, self.correlation_blinder, self.setup.powers, self.beta)

    def receive_point(self) -> None:
        self.evaluation = evaluation_hash(self.statement, self.correlation, self.without)
        self.z = transcript.reduced(self.evaluation)
        self.inverse = pow(self.z, -1, R)
        self.u, self.v = evaluate(self.a, self.z), evaluate(self.a, self.inverse)
        self.w = evaluate(self.g, self.z)

    def c(self) -> int:
        """`c` as the verifier computes it from the claimed matrix."""
        n = len(self.openings)
        matrix = self.public.matrix
        return sum(self.rho[i] * self.rho[j] * matrix[i][j] for i in range(n) for j in range(n)) + self.mu

    def receive_batch(self) -> None:
        self.gamma = batch_challenge(self.evaluation, self.u, self.v, self.w, self.without)

    def open(self) -> Proof:
        """The last message: an honest opening of `P = A + gamma g`."""
        p = [(x + self.gamma * y) % R for x, y in zip(self.a, [*self.g, 0], strict=True)]
        blinders = [factor * opening.blinder for factor, opening in zip(self.rho, self.openings, strict=True)]
        e = (sum(blinders) + self.mask_blinder + self.gamma * self.correlation_blinder) % R
        quotient, _ = divide_by_quadratic(p, self.z + self.inverse)
        pi = commit(quotient, 0, self.setup.powers, self.beta)
        return Proof(self.mask, self.mu, self.correlation, self.u % R, self.v % R, self.w % R, e, pi)

    def run(self) -> Proof:
        self.commit_to_mask()
        self.receive_rows()
        self.commit_to_correlation()
        self.receive_point()
        self.receive_batch()
        return self.open()


def attacker(setup: Setup, left_out: str, count: int = 2, seed: int = 0) -> Attacker:
    openings = random_openings(random.Random(100 + seed), count, 5)
    return Attacker(setup, openings, seed, frozenset({left_out}))


def test_the_attackers_steps_without_an_attack_are_the_honest_prover(setup):
    honest = Attacker(setup, random_openings(random.Random(9), 2, 5), 0, NOTHING)
    laboratory_verify(setup, honest.public, honest.run())


def test_without_the_context_a_proof_is_replayed_elsewhere(setup):
    attack = attacker(setup, "context")
    proof = attack.run()
    assert_forged(setup, replace(attack.public, context=bytes(32)), proof, "context")


def test_without_the_set_up_a_proof_is_replayed_under_another_key(setup):
    """Commitments without blinders mean the same under two keys that differ in beta."""
    other = Setup(replace(setup.key, beta=point_to_bytes(multiply(G1, BETA + 1))), setup.powers)
    openings = [replace(opening, blinder=0) for opening in random_openings(random.Random(1), 2, 5)]
    attack = Attacker(setup, openings, 0, frozenset({"srs"}))
    attack.rng = random.Random(5)
    attack.commit_to_mask()
    attack.mask_blinder = 0
    attack.mask = commit([0] * attack.dimension + attack.m, 0, setup.powers, attack.beta)
    attack.receive_rows()
    attack.correlation_blinder = 0
    attack.correlation = commit(attack.g, 0, setup.powers, attack.beta)
    attack.receive_point()
    attack.receive_batch()
    proof = attack.open()
    laboratory_verify(setup, attack.public, proof, frozenset({"srs"}))
    assert_forged(other, attack.public, proof, "srs")


def test_without_a_commitment_it_is_chosen_last(setup):
    """Everything else is fixed first; then some `C_1` satisfies the equation, whatever matrix was claimed."""
    attack = attacker(setup, "commitments")
    attack.claim(0, 0, 1)
    attack.claim(0, 1, 2)
    attack.commit_to_mask()
    proof, commitment = solve_for_commitment(attack)
    rest = [times(attack.public.commitments[1], -attack.rho[1] % R), times(attack.mask, R - 1)]
    rest.append(times(attack.correlation, -attack.gamma % R))
    first = times(linear_combination([(1, commitment), *((1, point) for point in rest)]), pow(attack.rho[0], -1, R))
    forged = replace(attack.public, commitments=[first, attack.public.commitments[1]])
    assert_forged(setup, forged, proof, "commitments")


def test_without_the_masks_commitment_it_is_chosen_last(setup):
    attack = attacker(setup, "mask_commitment")
    attack.claim(0, 0, attack.public.matrix[0][0] + 1)
    attack.mask, attack.mu, attack.m, attack.mask_blinder = G1, 3, [0] * MASK_COEFFICIENTS, 0
    proof, commitment = solve_for_commitment(attack)
    others = linear_combination(
        [*zip(attack.rho, attack.public.commitments, strict=True), (attack.gamma, attack.correlation)]
    )
    assert_forged(
        setup,
        attack.public,
        replace(proof, mask_commitment=add(commitment, times(others, R - 1))),
        "mask_commitment",
    )


def test_without_the_correlations_commitment_it_is_chosen_last(setup):
    attack = attacker(setup, "C_g")
    attack.claim(0, 0, attack.public.matrix[0][0] + 1)
    attack.commit_to_mask()
    proof, commitment = solve_for_commitment(attack)
    others = linear_combination([*zip(attack.rho, attack.public.commitments, strict=True), (1, attack.mask)])
    correlation = times(add(commitment, times(others, R - 1)), pow(attack.gamma, -1, R))
    assert_forged(setup, attack.public, replace(proof, correlation_commitment=correlation), "C_g")


def solve_for_commitment(attack: Attacker) -> tuple[Proof, Point]:
    """Choose all that is opened at random; return a proof and the `C_P` that would make it valid."""
    attack.receive_rows()
    attack.correlation_blinder, attack.correlation = 0, G1
    attack.receive_point()
    attack.u, attack.v, attack.w, e, x = (attack.rng.randrange(R) for _ in range(5))
    attack.receive_batch()
    z, inverse = attack.z, attack.inverse
    other = z * (attack.u * attack.v - attack.c() - z * attack.w)
    at_z, at_inverse = attack.u + attack.gamma * attack.w, attack.v + attack.gamma * other
    slope = (at_z - at_inverse) * pow(z - inverse, -1, R)
    one, tau, tau_squared = attack.setup.powers[:3]
    commitment = linear_combination(
        [
            (x + at_z - slope * z, one),
            (slope - x * (z + inverse), tau),
            (x, tau_squared),
            (e, attack.beta),
        ]
    )
    proof = Proof(attack.mask, attack.mu, attack.correlation, attack.u, attack.v, attack.w, e, times(one, x))
    return proof, commitment


def test_without_mu_it_makes_up_for_a_wrong_entry(setup):
    attack = attacker(setup, "mu")
    attack.claim(0, 1, attack.public.matrix[0][1] + 1000)
    attack.commit_to_mask()
    attack.receive_rows()
    attack.mu = (attack.mu - 2 * attack.rho[0] * attack.rho[1] * 1000) % R
    attack.commit_to_correlation()
    attack.receive_point()
    attack.receive_batch()
    assert_forged(setup, attack.public, attack.open(), "mu")


def test_without_the_matrix_it_is_chosen_when_the_rows_challenges_are_known(setup):
    """A short vector of a lattice changes every entry and keeps the quadratic form modulo r."""
    attack = attacker(setup, "gram", count=4)
    proof = attack.run()
    places = [(i, j) for i in range(4) for j in range(i, 4)]
    factors = [attack.rho[i] * attack.rho[j] * (1 if i == j else 2) % R for i, j in places]
    change = short_relation(factors, R)
    assert any(change)
    assert all(abs(value) < 2**60 for value in change)
    matrix = [row[:] for row in attack.public.matrix]
    for (i, j), difference in zip(places, change, strict=True):
        matrix[i][j] = matrix[j][i] = matrix[i][j] + difference
    assert_forged(setup, replace(attack.public, matrix=matrix), proof, "gram")


def test_without_the_rows_number_norms_are_moved_from_one_to_another(setup):
    attack = attacker(setup, "row number")
    attack.claim(0, 0, attack.public.matrix[0][0] + 5)
    attack.claim(1, 1, attack.public.matrix[1][1] - 5)
    assert_forged(setup, attack.public, attack.run(), "row number")


def false_claim(setup: Setup, left_out: str, seed: int) -> Attacker:
    """Up to the challenge `z`, with a matrix that is wrong in one entry."""
    attack = attacker(setup, left_out, seed=seed)
    attack.claim(0, 1, attack.public.matrix[0][1] + 1)
    attack.commit_to_mask()
    attack.receive_rows()
    attack.commit_to_correlation()
    attack.receive_point()
    return attack


def test_without_u_zeros_prove_any_matrix(setup):
    """With A = 0 and v = 0 the second equation is satisfied before gamma is known, the first by u afterwards."""
    attack = Attacker(setup, [Opening([0] * 5, 7), Opening([0] * 5, 9)], 0, frozenset({"u"}))
    attack.claim(0, 0, 10**6)
    attack.claim(0, 1, -5)
    attack.claim(1, 1, 3)
    attack.m, attack.mask_blinder, attack.mu = [0] * MASK_COEFFICIENTS, 11, 0
    attack.mask = commit([0], 11, setup.powers, attack.beta)
    attack.receive_rows()
    attack.g = [1, 2, 3] + [0] * (attack.dimension + MASK_COEFFICIENTS - 4)
    attack.commit_to_correlation()
    attack.receive_point()
    at_inverse = evaluate(attack.g, attack.inverse)
    attack.v = 0
    attack.w = -(attack.c() * attack.z + at_inverse) * pow(attack.z, -2, R) % R
    attack.receive_batch()
    attack.u = attack.gamma * (evaluate(attack.g, attack.z) - attack.w) % R
    assert_forged(setup, attack.public, attack.open(), "u")


def test_without_v_it_is_chosen_when_the_batch_challenge_is_known(setup):
    attack = false_claim(setup, "v", 0)
    attack.receive_batch()
    z, gamma = attack.z, attack.gamma
    at_inverse = attack.v + gamma * evaluate(attack.g, attack.inverse)
    # v + gamma z (u v - c - z w) = P(1/z), linear in v
    attack.v = (at_inverse + gamma * z * (attack.c() + z * attack.w)) * pow(1 + gamma * z * attack.u, -1, R) % R
    assert_forged(setup, attack.public, attack.open(), "v")


def test_without_w_the_others_are_chosen_so_that_it_can_be_solved_for(setup):
    """u + gamma w = P(z) gives w; that the other equation holds for every gamma is a quadratic equation in u."""
    for seed in range(20):
        attack = false_claim(setup, "w", seed)
        z, a_z, a_inverse = attack.z, attack.u, attack.v
        g_z, g_inverse = attack.w, evaluate(attack.g, attack.inverse)
        # v = A(1/z) + z^2 (A(z) - u) and u v = c + z g(z) + g(1/z) / z
        half = (a_inverse + z * z * a_z) * pow(2, -1, R) % R
        product = (attack.c() + z * g_z + g_inverse * attack.inverse) % R
        root = square_root((half * half - z * z * product) % R)
        if root is not None:
            break
    attack.u = (half + root) * pow(z * z, -1, R) % R
    attack.v = (a_inverse + z * z * (a_z - attack.u)) % R
    attack.receive_batch()
    attack.w = (g_z + (a_z - attack.u) * pow(attack.gamma, -1, R)) % R
    assert_forged(setup, attack.public, attack.open(), "w")


def square_root(value: int) -> int | None:
    """A square root modulo r (Tonelli and Shanks), None if there is none."""
    if pow(value, (R - 1) // 2, R) != 1:
        return None
    odd, twos = R - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    generator = pow(5, odd, R)
    root, rest = pow(value, (odd + 1) // 2, R), pow(value, odd, R)
    while rest != 1:
        order, power = 0, rest
        while power != 1:
            power, order = power * power % R, order + 1
        factor = pow(generator, 2 ** (twos - order - 1), R)
        root, generator, twos = root * factor % R, factor * factor % R, order
        rest = rest * generator % R
    return root


def test_encodings_round_trip(setup, proven):
    """The laboratory encodes as the specification does, so that what it shows holds for the real thing."""
    proof = bytes_to_proof(proven.proof)
    assert encode_proof(proof) == proven.proof
    matrix = bytes_to_matrix(proven.gram, 3)
    assert encode_matrix(matrix) == proven.gram
    laboratory_verify(setup, Statement(proven.context, bytes_to_commitments(proven.commitments), matrix), proof)
