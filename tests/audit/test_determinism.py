"""What an audit recomputes comes out alike to the byte, however many threads and whichever kernels compute it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, sys
from pathlib import Path
import numpy as np
from contribution.aggregate import weighted_sum
from contribution.gram import gram_matrix, pack_gram
from contribution.rule import evaluate
from marketplace.payload.model_file import encode_model
from marketplace.payload.server_momentum import displace, displaced, look_ahead
from zk.polynomial_commitment import commit_sum
from zk.srs.development import development_srs

draws = np.random.default_rng(1)
updates = draws.integers(-2**15, 2**15, (12, 4001)).astype(np.int16)
gram = gram_matrix(updates)
outcome = evaluate(gram, 12, 0, 2)
total = weighted_sum(updates, outcome.weights)
initial = draws.standard_normal(4001).astype(np.float32)
displacement = displace(draws.standard_normal(4001), total, 12, 0.9)
vectors = {"theta": displaced(initial, displacement)}
vectors["y"] = displaced(initial, look_ahead(displacement, total, 12, 0.9))
srs = development_srs(Path(sys.argv[1]), 4096)
parts = [pack_gram(gram), repr((outcome.weights, outcome.contributions)).encode(), total.tobytes()]
parts += [encode_model(vectors), commit_sum(srs, total, 7)]
print(hashlib.sha256(b"".join(parts)).hexdigest())
"""


@pytest.mark.slow
def test_gram_matrix_scores_aggregate_model_and_commitment_do_not_depend_on_the_machine(tmp_path):
    kernels = [
        {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"},
        {"OPENBLAS_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Prescott"},
        {"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Haswell"},
    ]
    digests = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / f"{place}.srs")],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for place, variables in enumerate(kernels)
    ]
    assert len(set(digests)) == 1
    assert len(digests[0]) == 65
