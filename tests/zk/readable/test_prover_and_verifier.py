"""The readable prover's proofs are accepted, and nothing close to them is."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.zk.conftest import CONTEXT, random_openings
from zk.errors import ProofRejectedError, Rejection
from zk.readable.group import SCALAR_ORDER
from zk.readable.polynomial import autocorrelation, divide_by_quadratic, evaluate
from zk.readable.prover import Opening, prove
from zk.readable.verifier import PROOF_BYTES, verify


def reason(*arguments) -> Rejection:
    with pytest.raises(ProofRejectedError) as caught:
        verify(*arguments)
    return caught.value.reason


@pytest.mark.parametrize(
    "vectors",
    [
        [[5]],
        [[0, 0, 0]],
        [[0, 0], [0, 0]],
        [[3, -4], [3, -4]],
        [[1, 2, 3], [-1, -2, -3], [0, 0, 1]],
        [[32767] * 4, [-32768] * 4],
    ],
)
def test_edge_vectors_are_proven(setup, vectors):
    openings = [Opening(vector, 7 + i) for i, vector in enumerate(vectors)]
    commitments, gram, proof = prove(setup.key, setup.powers, CONTEXT, openings)
    assert len(proof) == PROOF_BYTES
    verify(setup.key, CONTEXT, commitments, gram, proof)


@pytest.mark.parametrize("entry", range(6))
@pytest.mark.parametrize("change", [1, -1])
def test_no_entry_of_the_matrix_can_be_changed(setup, proven, entry, change):
    gram = bytearray(proven.gram)
    value = int.from_bytes(gram[8 * entry : 8 * entry + 8], "big", signed=True) + change
    gram[8 * entry : 8 * entry + 8] = value.to_bytes(8, "big", signed=True)
    assert reason(setup.key, CONTEXT, proven.commitments, bytes(gram), proven.proof) is Rejection.EQUATION_FAILS


@pytest.mark.parametrize("length", [0, 31, 33, 112])
def test_a_context_has_32_bytes(setup, proven, length):
    assert (
        reason(setup.key, bytes(length), proven.commitments, proven.gram, proven.proof) is Rejection.LENGTH_OF_CONTEXT
    )


def test_a_reference_string_that_is_too_short_proves_nothing(setup):
    openings = random_openings(random.Random(4), 1, 5)
    with pytest.raises(ValueError, match="powers"):
        prove(setup.key, setup.powers[:10], CONTEXT, openings)


def test_a_proof_is_bound_to_its_context(setup, proven):
    assert reason(setup.key, bytes(32), proven.commitments, proven.gram, proven.proof) is Rejection.EQUATION_FAILS


def test_a_proof_of_another_matrix_by_the_honest_algorithm_fails(setup):
    openings = random_openings(random.Random(2), 2, 5)
    others = [Opening([x + 1 for x in openings[0].vector], openings[0].blinder), openings[1]]
    commitments, _, _ = prove(setup.key, setup.powers, CONTEXT, openings)
    _, gram, proof = prove(setup.key, setup.powers, CONTEXT, others)
    assert reason(setup.key, CONTEXT, commitments, gram, proof) is Rejection.EQUATION_FAILS


def test_two_proofs_of_one_statement_share_no_element(setup, proven):
    _, _, again = prove(setup.key, setup.powers, CONTEXT, proven.openings)
    places = [0, 64, 96, 160, 192, 224, 256, 288, 352]
    for start, end in itertools.pairwise(places):
        assert proven.proof[start:end] != again[start:end]


def test_equal_vectors_have_different_commitments(setup):
    openings = [Opening([1, 2, 3], 10), Opening([1, 2, 3], 11)]
    commitments, _, _ = prove(setup.key, setup.powers, CONTEXT, openings)
    assert commitments[:64] != commitments[64:]


def test_the_laurent_identity_holds():
    rng = random.Random(3)
    a = [rng.randrange(SCALAR_ORDER) for _ in range(9)]
    lags = autocorrelation(a)
    z = rng.randrange(2, SCALAR_ORDER - 1)
    inverse = pow(z, -1, SCALAR_ORDER)
    left = evaluate(a, z) * evaluate(a, inverse)
    right = lags[0] + z * evaluate(lags[1:], z) + inverse * evaluate(lags[1:], inverse)
    assert (left - right) % SCALAR_ORDER == 0


@pytest.mark.parametrize("size", [0, 1, 2, 3, 10])
def test_division_by_a_quadratic(size):
    rng = random.Random(size)
    p = [rng.randrange(SCALAR_ORDER) for _ in range(size)]
    s, x = rng.randrange(SCALAR_ORDER), rng.randrange(SCALAR_ORDER)
    quotient, remainder = divide_by_quadratic(p, s)
    product = evaluate(quotient, x) * (x * x - s * x + 1) + evaluate(remainder, x)
    assert (product - evaluate(p, x)) % SCALAR_ORDER == 0
    assert len(quotient) == max(size - 2, 0)
