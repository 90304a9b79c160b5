"""One row of the benchmark of the Gram proof, in a process of its own so that its peak of memory is its own.

`python -m benchmarks.zk_row SRS DIM TRAINERS SEED REPEATS` prints the row as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.memory import peak_mib
from contribution.gram import gram_matrix, pack_gram
from zk.gram_proof import prove_gram, verify_gram_proof
from zk.polynomial_commitment import Opening, commit, new_blinder, wrong_openings
from zk.readable.transcript import VerificationKey as ReadableKey
from zk.readable.verifier import verify as verify_readable
from zk.srs.file import StructuredReferenceString, open_srs

CONTEXT = b"benchmark".ljust(32, b"\0")
WARM_UP_DIMENSION = 300


def measure(srs: StructuredReferenceString, dimension: int, trainers: int, seed: int, repeats: int) -> dict[str, Any]:
    """Commit, prove and verify; times are medians in seconds, after a warm-up.

    Parameters
    ----------
    srs
        With at least `dimension + 12` powers.
    dimension, trainers
        d and n.
    seed
        Where the updates come from; blinders and masks come from the operating system as always.
    repeats
        How often each thing is timed.
    """
    _run(srs, _openings(WARM_UP_DIMENSION, trainers, seed))
    openings = _openings(dimension, trainers, seed)
    commit_seconds, commitments = _timed(lambda: commit(srs, openings[0]), max(3, repeats))
    encoded = b"".join([commitments, *(commit(srs, opening) for opening in openings[1:])])
    gram = pack_gram(gram_matrix([opening.update for opening in openings]))
    batch_seconds, wrong = _timed(lambda: wrong_openings(srs, _split(encoded), openings), 1)
    if wrong:
        raise SystemExit(f"zk_row: openings {wrong} were refused")
    prove_seconds, proof = _timed(lambda: prove_gram(srs, CONTEXT, encoded, gram, openings), repeats)
    peak = peak_mib()
    verify_seconds, _ = _timed(lambda: verify_gram_proof(srs.key, CONTEXT, encoded, gram, proof), 15)
    key = ReadableKey(srs.key.tau_g1, srs.key.beta_g1, srs.key.tau_g2, srs.key.tau_squared_g2)
    reference_seconds, _ = _timed(lambda: verify_readable(key, CONTEXT, encoded, gram, proof), 3)
    return {
        "dim": dimension,
        "trainers": trainers,
        "commit_s": commit_seconds,
        "check_openings_s": batch_seconds,
        "prove_s": prove_seconds,
        "verify_s": verify_seconds,
        "verify_reference_s": reference_seconds,
        "proof_bytes": len(proof),
        "matrix_bytes": len(gram),
        "peak_mib": peak,
    }


def _run(srs: StructuredReferenceString, openings: list[Opening]) -> None:
    encoded = b"".join(commit(srs, opening) for opening in openings)
    gram = pack_gram(gram_matrix([opening.update for opening in openings]))
    verify_gram_proof(srs.key, CONTEXT, encoded, gram, prove_gram(srs, CONTEXT, encoded, gram, openings))


def _openings(dimension: int, trainers: int, seed: int) -> list[Opening]:
    """Draw updates whose coordinates use all 16 bits."""
    rng = np.random.default_rng([seed, dimension, trainers])
    return [Opening(rng.integers(-(2**15), 2**15, dimension, dtype=np.int16), new_blinder()) for _ in range(trainers)]


def _split(encoded: bytes) -> list[bytes]:
    return [encoded[at : at + 64] for at in range(0, len(encoded), 64)]


def _timed(work: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Return the median of the wall-clock times, and the last result."""
    seconds, result = [], None
    for _ in range(repeats):
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), result


if __name__ == "__main__":
    print(json.dumps(measure(open_srs(Path(sys.argv[1])), *map(int, sys.argv[2:6]))))
