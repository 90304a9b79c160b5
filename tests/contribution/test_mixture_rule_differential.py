"""The contract of the rule of the best mixture and its Python twin decide the same, bit for bit.

With CAIRN_DEEP=1 on more than 5,000 matrices, otherwise on a part of each class.
"""

import os
from collections import Counter
from math import isqrt

import numpy as np
import pytest
from eth_abi import decode
from hypothesis import given, settings

from contribution.candidates import MAX_TRAINERS
from contribution.gram import GramMatrix, gram_matrix
from contribution.mixture_rule import NAME, evaluate
from contribution.outcome import Reason
from tests.contribution.comparison import assert_equal, small_rounds

# More than nine, the market's maximum, too: the contract takes products in groups of eight.
REFERENCES = (2, 3, 5, 9, 9, 10, 18, 1, 0)
CLASSES = ("balanced", "colluding", "honest", "ties", "zero rows", "rank one", "near int64", "negative b")
DEEP_COUNT = 600
COUNT = DEEP_COUNT if os.environ.get("CAIRN_DEEP") else 90
MAXIMUM_COUNT = 60 if os.environ.get("CAIRN_DEEP") else 10
EXAMPLES = 200


def balanced(rng: np.random.Generator, rows: int, trainers: int, copies: int = 0) -> GramMatrix:
    """Gains and curvature of one size, as a referee scales them; some updates are copies up to noise."""
    own = rng.integers(-1000, 1001, (trainers, 40)) + rng.integers(-600, 601, 40)
    if copies and trainers > copies:
        own[-copies:] = own[0] + rng.integers(-60, 61, (copies, 40))
    gram = np.zeros((rows, rows), dtype=np.int64)
    gram[:trainers, :trainers] = gram_matrix((own * rng.integers(1, 4, (trainers, 1))).astype(np.int16))
    for vector in range(trainers, rows):
        gram[vector, vector] = 2**50
        size = 2**33 if vector == trainers else 2 ** int(rng.integers(20, 27))
        products = rng.integers(-size // 2, size, trainers)
        bounds = np.array([isqrt(int(gram[i, i]) * 2**50) for i in range(trainers)])
        gram[vector, :trainers] = gram[:trainers, vector] = np.clip(products, -bounds, bounds)
    return gram


def made(name: str, matrix_makers, rng: np.random.Generator, rows: int, trainers: int) -> GramMatrix:
    if name == "balanced":
        return balanced(rng, rows, trainers)
    if name == "colluding":
        return balanced(rng, rows, trainers, copies=int(rng.integers(1, 5)))
    return matrix_makers[name](rng, rows, trainers)


def test_at_least_five_thousand_matrices_are_compared_in_a_deep_run() -> None:
    assert len(CLASSES) * DEEP_COUNT + EXAMPLES >= 5_000


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSES)
def test_the_contract_equals_its_twin(name, matrix_makers, mixture_rule_contract, rng) -> None:
    reasons: Counter[Reason] = Counter()
    settled = 0
    for index in range(COUNT):
        tolerated = int(rng.integers(0, 5))
        trainers = int(rng.integers(max(1, 2 * tolerated), 2 * tolerated + 12))
        references = REFERENCES[index % len(REFERENCES)]
        gram = made(name, matrix_makers, rng, trainers + references, trainers)
        outcome = assert_equal(evaluate, mixture_rule_contract, gram, trainers, references, tolerated)
        reasons.update(outcome.reasons)
        settled += not outcome.void
    assert settled >= (0 if name == "rank one" else COUNT // 3)
    expected = {"zero rows": Reason.ZERO_UPDATE, "rank one": Reason.DUPLICATE, "colluding": Reason.DUPLICATE}
    assert reasons[expected.get(name, Reason.NO_GAIN)] >= COUNT // 12


@pytest.mark.slow
def test_the_contract_equals_its_twin_at_the_maximum_of_trainers(matrix_makers, mixture_rule_contract, rng) -> None:
    settled = 0
    for index in range(MAXIMUM_COUNT):
        references = (2, 9)[index % 2]
        tolerated = int(rng.choice([0, 1, 20, 80, (MAX_TRAINERS - 3) // 2]))
        gram = made(CLASSES[index % len(CLASSES)], matrix_makers, rng, MAX_TRAINERS + references, MAX_TRAINERS)
        settled += not assert_equal(evaluate, mixture_rule_contract, gram, MAX_TRAINERS, references, tolerated).void
    assert settled >= MAXIMUM_COUNT // 2


@settings(max_examples=EXAMPLES, deadline=None)
@given(case=small_rounds(2, 4))
def test_the_contract_equals_its_twin_on_whatever_hypothesis_finds(mixture_rule_contract, case) -> None:
    assert_equal(evaluate, mixture_rule_contract, *case)


def test_more_tolerated_than_trainers_is_a_void_round_not_an_error(mixture_rule_contract, rng) -> None:
    gram = balanced(rng, 9, 7)
    for tolerated in (3, 7, 8, 2**255, 2**256 - 1):
        assert assert_equal(evaluate, mixture_rule_contract, gram, 7, 2, tolerated).void


@pytest.mark.parametrize(("trainers", "references"), [(0, 3), (2, 2), (1, 3), (2, 2**255), (254, 2)])
def test_the_contract_refuses_a_matrix_that_does_not_fit(trainers, references, mixture_rule_contract) -> None:
    rows = 257 if trainers == 254 else 3
    with pytest.raises(RuntimeError, match=r"[Rr]evert"):
        mixture_rule_contract.evaluate(np.eye(rows, dtype=np.int64), trainers, references, 0)


def test_the_contract_has_the_name_that_the_twin_is_registered_under(mixture_rule_contract) -> None:
    assert decode(["string"], mixture_rule_contract.call("name", [])) == (NAME,)
