"""The contract and its Python twin decide the same, bit for bit."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from eth_abi import decode
from hypothesis import given, settings

from contribution.candidates import MAX_TRAINERS
from contribution.gram import GramMatrix
from contribution.outcome import Reason
from contribution.rule import NAME, evaluate
from contribution.shapley import fixed_coefficients
from tests.contribution.comparison import assert_equal, small_rounds

# Without referee, with the reference alone, and with curvature vectors.
REFERENCES = (0, 1, 1, 3)
COUNTS = {"honest": 300, "ties": 250, "zero rows": 250, "rank one": 250, "near int64": 250, "negative b": 250}
EXACT_FIT_COUNT = 250
MAXIMUM_COUNT = 200

Round = tuple[GramMatrix, int, int, int]


def rounds(rng: np.random.Generator, maker, count: int) -> Iterator[Round]:
    """Rounds of 1 to 20 trainers, most of them with as many as the tolerated number asks for."""
    for _ in range(count):
        tolerated = int(rng.integers(0, 5))
        trainers = int(rng.integers(max(1, 2 * tolerated), 2 * tolerated + 12))
        references = int(rng.choice(REFERENCES))
        yield maker(rng, trainers + references, trainers), trainers, references, tolerated


def test_at_least_two_thousand_matrices_are_compared_and_two_hundred_of_each_class() -> None:
    counts = [*COUNTS.values(), EXACT_FIT_COUNT, MAXIMUM_COUNT]
    assert sum(counts) >= 2_000
    assert min(counts) >= 200


@pytest.mark.parametrize("name", COUNTS)
def test_the_contract_equals_its_twin(name, matrix_makers, rule_contract, rng) -> None:
    compared = 0
    referees: Counter[int] = Counter()
    reasons: Counter[Reason] = Counter()
    for gram, trainers, references, tolerated in rounds(rng, matrix_makers[name], COUNTS[name]):
        outcome = assert_equal(evaluate, rule_contract, gram, trainers, references, tolerated)
        referees[references] += 1
        reasons.update(outcome.reasons)
        compared += 1
    assert compared == COUNTS[name]
    assert min(referees[references] for references in REFERENCES) >= 20
    expected = {"zero rows": Reason.ZERO_UPDATE, "rank one": Reason.DUPLICATE, "negative b": Reason.REFERENCE_FILTER}
    assert reasons[expected.get(name, Reason.MULTI_KRUM)] >= 50


def test_the_contract_equals_its_twin_with_no_trainer_to_spare(matrix_makers, rule_contract, rng) -> None:
    makers = list(matrix_makers.values())
    settled = 0
    for index in range(EXACT_FIT_COUNT):
        tolerated = int(rng.integers(0, 7))
        trainers = 2 * tolerated + 3
        references = int(rng.choice(REFERENCES))
        gram = makers[index % len(makers)](rng, trainers + references, trainers)
        outcome = assert_equal(evaluate, rule_contract, gram, trainers, references, tolerated)
        settled += not outcome.void
    assert settled >= 100


@pytest.mark.slow
def test_the_contract_equals_its_twin_at_the_maximum_of_trainers(matrix_makers, rule_contract, rng) -> None:
    makers = list(matrix_makers.values())
    settled = 0
    for index in range(MAXIMUM_COUNT):
        references = (1, 1, 2, 0, 1)[index % 5]
        tolerated = int(rng.choice([0, 1, 20, 80, (MAX_TRAINERS - 3) // 2]))
        gram = makers[index % len(makers)](rng, MAX_TRAINERS + references, MAX_TRAINERS)
        settled += not assert_equal(evaluate, rule_contract, gram, MAX_TRAINERS, references, tolerated).void
    assert settled >= 100


def test_the_contract_equals_its_twin_for_every_number_of_kept_trainers(matrix_makers, rule_contract, rng) -> None:
    # Each number has its own Shapley coefficients, which the contract computes and the twin takes from rationals.
    norms = [10**12 + 10**6 * i for i in range(MAX_TRAINERS)]
    for kept in range(3, MAX_TRAINERS + 1, 4):
        gram = np.zeros((kept + 1, kept + 1), dtype=np.int64)
        np.fill_diagonal(gram, [*norms[:kept], 10**12])
        gram[:kept, kept] = gram[kept, :kept] = rng.integers(1, 10**9, kept)
        outcome = assert_equal(evaluate, rule_contract, gram, kept, 1, 0)
        assert all(weight > 0 for weight in outcome.weights)


def test_harmonic_sums_of_192_bits_give_the_exact_coefficients() -> None:
    # The contract's arithmetic, for every number of trainers; the differential tests compare the contract itself.
    one = 2**192
    first = second = 0
    for n in range(1, MAX_TRAINERS + 1):
        first += one // n
        second += one // n**2
        if n < 3:
            continue
        pairs, triples = n * (n - 1), n * (n - 1) * (n - 2)
        exact = fixed_coefficients(n)
        assert (2 * first // n) >> 96 == exact.own_gain
        assert (2 * (first - one) // pairs) >> 96 == exact.other_gains
        assert (second // n) >> 96 == exact.own_curvature
        assert (2 * (first - second) // pairs) >> 96 == exact.cross_curvature
        assert ((second - one // n) // pairs) >> 96 == exact.other_curvatures
        assert ((2 * first - 2 * second - one + one // n) // triples) >> 96 == exact.other_pairs


@settings(max_examples=200, deadline=None)
@given(case=small_rounds(0, 2))
def test_the_contract_equals_its_twin_on_whatever_hypothesis_finds(rule_contract, case) -> None:
    assert_equal(evaluate, rule_contract, *case)


def test_more_tolerated_than_trainers_is_a_void_round_not_an_error(matrix_makers, rule_contract, rng) -> None:
    gram = matrix_makers["honest"](rng, 8, 7)
    for tolerated in (3, 7, 8, 2**255, 2**256 - 1):
        assert assert_equal(evaluate, rule_contract, gram, 7, 1, tolerated).void


@pytest.mark.parametrize(("trainers", "references"), [(0, 3), (2, 0), (3, 1), (2, 2**255), (256, 0)])
def test_the_contract_refuses_a_matrix_that_does_not_fit(trainers, references, rule_contract) -> None:
    rows = 256 if trainers == 256 else 3
    gram = np.eye(rows, dtype=np.int64)
    with pytest.raises(RuntimeError, match=r"[Rr]evert"):
        rule_contract.evaluate(gram, trainers, references, 0)


def test_the_contract_has_the_name_that_the_twin_is_registered_under(rule_contract) -> None:
    assert decode(["string"], rule_contract.call("name", [])) == (NAME,)
