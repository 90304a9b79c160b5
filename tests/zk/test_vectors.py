"""The published test vectors are what the readable prover makes, and the verifiers decide them as they say."""

from __future__ import annotations

import json

import pytest

from tests.zk.vectors.make import FILE, document
from zk.errors import ProofRejectedError
from zk.readable.transcript import VerificationKey
from zk.readable.verifier import derive_challenges, verify

PUBLISHED = json.loads(FILE.read_text("utf-8"))
KEY = VerificationKey(**{name: bytes.fromhex(value) for name, value in PUBLISHED["key"].items()})


@pytest.mark.slow
def test_the_published_file_is_what_is_made_anew():
    assert document() == PUBLISHED


@pytest.mark.parametrize("case", PUBLISHED["cases"], ids=lambda case: case["name"])
def test_the_readable_verifier_decides_each(case):
    inputs = [bytes.fromhex(case[name]) for name in ("context", "commitments", "gram", "proof")]
    if case["rejected"] is None:
        verify(KEY, *inputs)
        challenges = derive_challenges(KEY, *inputs)
        assert [hex(value) for value in challenges.rho] == case["rho"]
        assert (hex(challenges.z), hex(challenges.gamma)) == (case["z"], case["gamma"])
    else:
        with pytest.raises(ProofRejectedError) as caught:
            verify(KEY, *inputs)
        assert caught.value.reason == case["rejected"]
