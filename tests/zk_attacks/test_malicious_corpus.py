"""Thousands of malicious variations of honest proofs: no verifier accepts one, and all give the same reason.

The fast verifier and the contract see them all, the readable one a part that covers every class. With CAIRN_DEEP=1
there are fifty times as many.
"""

from __future__ import annotations

import multiprocessing
import os
import random
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple

import pytest

from tests.zk.conftest import CONTEXT, Setup, random_openings
from tests.zk.contract import ContractVerifier, deploy
from tests.zk_attacks.corpus import CLASSES, Case, malicious_cases
from zk.errors import ProofRejectedError, Rejection
from zk.gram_proof import verify_gram_proof
from zk.readable.prover import prove
from zk.readable.verifier import verify
from zk.srs.verification_key import VerificationKey

DEEP = os.environ.get("CAIRN_DEEP") == "1"
CASES = 100_000 if DEEP else 2_000
READABLE_CASES = 2_000 if DEEP else 80
BATCHES = 10


@pytest.fixture(scope="module")
def contract(setup: Setup) -> ContractVerifier:
    return deploy(setup.key)


@pytest.fixture(scope="module")
def honest(setup: Setup) -> list[Case]:
    """Several statements of several sizes, one of them proven twice, one for another occasion as well."""
    rng = random.Random(7)
    cases = []
    for count in (1, 2, 3):
        openings = random_openings(rng, count, 5)
        cases.append(Case(CONTEXT, *prove(setup.key, setup.powers, CONTEXT, openings)))
    cases.append(Case(CONTEXT, *prove(setup.key, setup.powers, CONTEXT, openings)))
    other = bytes(reversed(CONTEXT))
    cases.append(Case(other, *prove(setup.key, setup.powers, other, openings)))
    return cases


def fast_key(setup: Setup) -> VerificationKey:
    """The same key as the fast verifier takes it."""
    return VerificationKey(setup.key.tau, setup.key.beta, setup.key.tau_g2, setup.key.tau_squared_g2)


def reason(verifier, key, case: Case) -> tuple[Rejection | None, str]:
    try:
        verifier(key, *astuple(case))
    except ProofRejectedError as refused:
        return refused.reason, refused.place
    return None, ""


def test_every_verifier_accepts_the_honest_ones(setup, honest, contract):
    for case in honest:
        assert reason(verify, setup.key, case) == (None, "")
        assert reason(verify_gram_proof, fast_key(setup), case) == (None, "")
        assert contract.verify(*astuple(case)).accepted


def judge_batch(setup: Setup, honest: list[Case], seed: int, number: int) -> Counter[Rejection]:
    """Ask the fast verifier and the contract about so many cases; count the reasons."""
    key, contract, reasons = fast_key(setup), deploy(setup.key), Counter[Rejection]()
    for name, case in malicious_cases(seed, number, honest):
        found = reason(verify_gram_proof, key, case)
        on_chain = contract.verify(*astuple(case))
        assert found[0] is not None, name
        assert not on_chain.accepted, name
        assert (on_chain.reason, on_chain.place) == found, name
        reasons[found[0]] += 1
    return reasons


def test_nothing_malicious_is_accepted_by_the_fast_verifier_or_the_contract(setup, honest):
    size = CASES // BATCHES
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        batches = [pool.submit(judge_batch, setup, honest, seed, size) for seed in range(BATCHES)]
        reasons = sum((batch.result() for batch in batches), Counter[Rejection]())
    assert sum(reasons.values()) == CASES
    assert reasons[Rejection.EQUATION_FAILS] >= CASES / 2, "most are well-formed enough to reach the pairing"
    assert set(reasons) == set(Rejection) - {Rejection.DEGENERATE_CHALLENGE, Rejection.LENGTH_OF_CONTEXT}


def compare_with_readable(setup: Setup, honest: list[Case], seed: int, number: int) -> set[str]:
    """Ask the readable and the fast verifier about so many cases; return the classes that came up."""
    key, classes = fast_key(setup), set[str]()
    for name, case in malicious_cases(seed, number, honest):
        found = reason(verify, setup.key, case)
        assert found[0] is not None, name
        assert found == reason(verify_gram_proof, key, case), name
        classes.add(name)
    return classes


def test_the_readable_verifier_agrees_on_every_class(setup, honest):
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        halves = [pool.submit(compare_with_readable, setup, honest, seed, READABLE_CASES // 2) for seed in (1000, 1001)]
        classes = [half.result() for half in halves]
    assert set.union(*classes) == {mutation.__name__ for mutation in CLASSES}
