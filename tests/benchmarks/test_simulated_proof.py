import random

import numpy as np
import pytest

from benchmarks.simulated_proof import multiple_of_generator, quadratic_form, simulate_proof
from contribution.gram import pack_gram
from zk.errors import ProofRejectedError
from zk.gram_proof import verify_gram_proof
from zk.srs.development import development_key

MULTIPLES = [3, 5, 7]
CONTEXT = bytes(range(32))


def test_a_proof_of_any_matrix_is_accepted_for_the_development_set_up():
    rng = random.Random(0)
    commitments = b"".join(map(multiple_of_generator, MULTIPLES))
    gram = b"".join(rng.randrange(-(2**63), 2**63).to_bytes(8, "big", signed=True) for _ in range(6))
    proof = simulate_proof(CONTEXT, MULTIPLES, gram, rng)
    verify_gram_proof(development_key(), CONTEXT, commitments, gram, proof)
    with pytest.raises(ProofRejectedError):
        verify_gram_proof(development_key(), bytes(32), commitments, gram, proof)


def test_the_quadratic_form_counts_each_entry_beside_the_diagonal_twice():
    matrix = np.array([[1, -2, 3], [-2, 5, -6], [3, -6, 9]])
    rho = [7, 11, 13]
    assert quadratic_form(pack_gram(matrix), rho) == int(np.array(rho) @ matrix @ np.array(rho))
