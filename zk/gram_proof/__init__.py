"""The Gram proof, fast: prover and verifier on the engine of `zk.bn254`; `zk.readable` is their specification."""

from zk.gram_proof.proof import MAX_COMMITMENTS, PROOF_BYTES
from zk.gram_proof.prover import prove_gram
from zk.gram_proof.verifier import verify_gram_proof

__all__ = ["MAX_COMMITMENTS", "PROOF_BYTES", "prove_gram", "verify_gram_proof"]
