"""The fast prover and verifier are what the readable ones are."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from contribution.gram import gram_matrix, pack_gram
from tests.zk.conftest import CONTEXT
from zk.bn254 import scalars_from_integers, scalars_to_integers
from zk.errors import CommitmentError, ProofRejectedError, Rejection
from zk.gram_proof import prove_gram, verify_gram_proof
from zk.gram_proof.prover import _masked_autocorrelation
from zk.polynomial_commitment import Opening, commit, new_blinder
from zk.readable.polynomial import autocorrelation
from zk.readable.transcript import VerificationKey as ReadableKey
from zk.readable.verifier import verify
from zk.srs.development import development_srs
from zk.srs.errors import TooFewPowersError
from zk.srs.verification_key import VerificationKey


@pytest.fixture(scope="session")
def srs(tmp_path_factory):
    return development_srs(tmp_path_factory.mktemp("srs") / "development.srs", 4200)


def statement(srs, updates) -> tuple[list[Opening], bytes, bytes]:
    openings = [Opening(np.array(update, dtype=np.int16), new_blinder()) for update in updates]
    commitments = b"".join(commit(srs, opening) for opening in openings)
    return openings, commitments, pack_gram(gram_matrix([opening.update for opening in openings]))


def readable_key(srs) -> ReadableKey:
    return ReadableKey(srs.key.tau_g1, srs.key.beta_g1, srs.key.tau_g2, srs.key.tau_squared_g2)


def random_updates(seed: int, count: int, dimension: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-(2**15), 2**15, (count, dimension))


@pytest.mark.parametrize(
    "updates",
    [
        [[1]],
        [[0]],
        [[0] * 5] * 3,
        [[-32768] * 4, [32767] * 4],
        [[1, 2, 3], [1, 2, 3], [-1, -2, -3]],
        random_updates(1, 4, 2),
        random_updates(2, 3, 1023),
        random_updates(3, 2, 1024),
        random_updates(4, 1, 1025),
        random_updates(5, 5, 4188),
        random_updates(6, 40, 9),
    ],
    ids=lambda updates: f"{len(updates)} of {len(updates[0])}",
)
def test_both_verifiers_accept_what_the_fast_prover_makes(srs, updates):
    openings, commitments, gram = statement(srs, updates)
    proof = prove_gram(srs, CONTEXT, commitments, gram, openings)
    assert len(proof) == 352
    verify_gram_proof(srs.key, CONTEXT, commitments, gram, proof)
    verify(readable_key(srs), CONTEXT, commitments, gram, proof)


def test_the_largest_number_of_updates_is_proven(srs):
    openings, commitments, gram = statement(srs, random_updates(7, 255, 3))
    verify_gram_proof(srs.key, CONTEXT, commitments, gram, prove_gram(srs, CONTEXT, commitments, gram, openings))


def test_two_proofs_of_one_statement_differ_in_every_element(srs):
    openings, commitments, gram = statement(srs, random_updates(8, 2, 50))
    first, second = (prove_gram(srs, CONTEXT, commitments, gram, openings) for _ in range(2))
    places = [0, 64, 96, 160, 192, 224, 256, 288, 352]
    assert all(first[a:b] != second[a:b] for a, b in itertools.pairwise(places))


@pytest.mark.parametrize("dimension", [1, 2, 11, 12, 13, 64, 65])
def test_the_masks_lags_are_added_where_they_belong(dimension):
    rng = random.Random(dimension)
    combined = [rng.randrange(2**250) for _ in range(dimension)]
    mask = [rng.randrange(2**250) for _ in range(12)]
    found = scalars_to_integers(_masked_autocorrelation(scalars_from_integers(combined), mask))
    assert found == autocorrelation(combined + mask)[1:]


def rejection(*arguments) -> Rejection:
    with pytest.raises(ProofRejectedError) as caught:
        prove_gram(*arguments)
    return caught.value.reason


def test_a_wrong_matrix_is_not_proven(srs):
    openings, commitments, gram = statement(srs, random_updates(9, 2, 20))
    assert rejection(srs, CONTEXT, commitments, bytes(len(gram)), openings) is Rejection.EQUATION_FAILS


def test_a_wrong_blinder_is_not_proven(srs):
    openings, commitments, gram = statement(srs, random_updates(10, 2, 20))
    wrong = [replace(openings[0], blinder=openings[0].blinder ^ 1), openings[1]]
    assert rejection(srs, CONTEXT, commitments, gram, wrong) is Rejection.EQUATION_FAILS


def test_updates_that_do_not_fit_are_refused(srs):
    openings, commitments, gram = statement(srs, random_updates(11, 2, 20))
    shorter = replace(openings[1], update=openings[1].update[:-1])
    for wrong in ([openings[0]], [openings[0], shorter], [], [openings[0], replace(openings[1], update=np.zeros(20))]):
        with pytest.raises(CommitmentError):
            prove_gram(srs, CONTEXT, commitments, gram, wrong)
    long = [Opening(np.zeros(4189, dtype=np.int16), new_blinder())] * 2
    with pytest.raises(TooFewPowersError):
        prove_gram(srs, CONTEXT, commitments, gram, long)


def test_progress_names_the_steps(srs):
    openings, commitments, gram = statement(srs, random_updates(12, 2, 20))
    steps: list[str] = []
    prove_gram(srs, CONTEXT, commitments, gram, openings, steps.append)
    assert steps[0] == "masking"
    assert steps[-1] == "verifying"


def test_the_context_has_32_bytes(srs):
    openings, commitments, gram = statement(srs, random_updates(13, 1, 5))
    assert rejection(srs, bytes(31), commitments, gram, openings) is Rejection.LENGTH_OF_CONTEXT


def test_it_decides_the_readable_provers_proofs(srs, setup, proven):
    key = VerificationKey(setup.key.tau, setup.key.beta, setup.key.tau_g2, setup.key.tau_squared_g2)
    verify_gram_proof(key, proven.context, proven.commitments, proven.gram, proven.proof)
