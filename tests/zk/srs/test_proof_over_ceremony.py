"""Proofs over powers that snarkjs made are accepted by both verifiers, and by neither under another key."""

from __future__ import annotations

import numpy as np
import pytest

from contribution.gram import gram_matrix, pack_gram
from tests.zk.srs.conftest import Ceremony, silent
from zk.errors import ProofRejectedError
from zk.gram_proof import prove_gram, verify_gram_proof
from zk.polynomial_commitment import Opening, commit, new_blinder
from zk.readable.transcript import VerificationKey as ReadableKey
from zk.readable.verifier import verify as verify_readable
from zk.srs.ceremony import import_ptau
from zk.srs.development import development_key
from zk.srs.verification_key import VerificationKey

CONTEXT = bytes(range(32))

pytestmark = pytest.mark.slow


def readable(key: VerificationKey) -> ReadableKey:
    return ReadableKey(key.tau_g1, key.beta_g1, key.tau_g2, key.tau_squared_g2)


def test_updates_of_the_largest_dimension_are_proven(tmp_path, ceremony: Ceremony):
    srs = import_ptau(ceremony.prepared, tmp_path / "ceremony.srs", None, silent)
    updates = np.random.default_rng(0).integers(-(2**15), 2**15, (3, srs.largest_dimension)).astype(np.int16)
    openings = [Opening(update, new_blinder()) for update in updates]
    commitments = b"".join(commit(srs, opening) for opening in openings)
    gram = pack_gram(gram_matrix(list(updates)))
    proof = prove_gram(srs, CONTEXT, commitments, gram, openings)
    verify_gram_proof(srs.key, CONTEXT, commitments, gram, proof)
    verify_readable(readable(srs.key), CONTEXT, commitments, gram, proof)
    other = development_key()
    with pytest.raises(ProofRejectedError):
        verify_gram_proof(other, CONTEXT, commitments, gram, proof)
    with pytest.raises(ProofRejectedError):
        verify_readable(readable(other), CONTEXT, commitments, gram, proof)
