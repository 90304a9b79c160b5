"""The rule's twin: against its readable version, and case by case."""

from math import isqrt

import numpy as np
import pytest

from contribution.errors import RuleInputError
from contribution.gram import gram_matrix
from contribution.outcome import Reason
from contribution.readable import decide
from contribution.rule import NAME, evaluate
from contribution.rules import RULES

REFERENCES = (0, 1, 3)


def of(*updates: list[int]) -> np.ndarray:
    return gram_matrix(np.array(updates, dtype=np.int16))


def spread(count: int, size: int = 100) -> list[list[int]]:
    """Updates of equal norm, mutually orthogonal."""
    return [[size if column == row else 0 for column in range(count)] for row in range(count)]


@pytest.mark.parametrize("name", ["honest", "ties", "zero rows", "rank one", "near int64", "negative b"])
def test_it_decides_what_the_readable_version_decides(name, matrix_makers, rng) -> None:
    for index in range(150):
        trainers = int(rng.integers(1, 16))
        references = REFERENCES[index % 3]
        tolerated = int(rng.integers(0, 6))
        gram = matrix_makers[name](rng, trainers + references, trainers)
        outcome = evaluate(gram, trainers, references, tolerated)
        weights, contributions = decide(gram.tolist(), trainers, references, tolerated)
        assert list(outcome.weights) == weights
        assert list(outcome.contributions) == contributions
        assert outcome.void == (sum(weights) == 0)
        assert len(outcome.reasons) == trainers
        assert all((reason is Reason.KEPT) == (w > 0) for reason, w in zip(outcome.reasons, weights, strict=True))


def test_zero_updates_are_dropped_and_count_as_faulty() -> None:
    outcome = evaluate(of(*spread(5), [0] * 5, [0] * 5), 7, 0, 2)
    assert outcome.reasons == (Reason.KEPT,) * 5 + (Reason.ZERO_UPDATE,) * 2
    assert outcome.candidates == 5
    assert outcome.tolerated == 0


def test_of_copies_only_the_first_is_kept_whatever_their_length() -> None:
    rows = spread(4)
    outcome = evaluate(of(*rows, [2 * x for x in rows[1]], [-x for x in rows[0]]), 6, 0, 0)
    assert outcome.reasons == (Reason.KEPT,) * 4 + (Reason.DUPLICATE, Reason.KEPT)
    assert (outcome.decisions[4].measured, outcome.decisions[4].limit) == (1, 4)


def test_a_chain_of_near_copies_keeps_its_first_link_only() -> None:
    # Neighbours have a cosine of 0.9994, the ends one of 0.9975.
    outcome = evaluate(of([1000, 0, 0, 0], [999, 35, 0, 0], [997, 70, 0, 0], *([0, 0, 9, 0], [0, 0, 0, 9])), 5, 0, 0)
    assert outcome.reasons[:3] == (Reason.KEPT, Reason.DUPLICATE, Reason.DUPLICATE)


def test_a_cosine_of_exactly_999_thousandths_is_no_copy() -> None:
    norm = 10**6
    gram = np.diag([norm] * 4).astype(np.int64)
    gram[0, 1] = gram[1, 0] = 999 * norm // 1000
    assert evaluate(gram, 4, 0, 0).reasons[1] is Reason.KEPT
    gram[0, 1] = gram[1, 0] = 999 * norm // 1000 + 1
    assert evaluate(gram, 4, 0, 0).reasons[1] is Reason.DUPLICATE


def with_gains(count: int, gains: list[int]) -> np.ndarray:
    gram = np.diag([10**6] * (count + 1)).astype(np.int64)
    gram[count, :count] = gram[:count, count] = gains
    return gram


def test_updates_that_do_not_point_along_the_reference_are_dropped() -> None:
    outcome = evaluate(with_gains(6, [5, 5, 5, 0, -1, 5]), 6, 1, 0)
    assert outcome.reasons == (Reason.KEPT,) * 3 + (Reason.REFERENCE_FILTER,) * 2 + (Reason.KEPT,)
    assert outcome.decisions[4].measured == -1
    assert outcome.reference_used


def test_a_reference_that_leaves_too_few_is_ignored_as_a_filter() -> None:
    outcome = evaluate(with_gains(5, [5, 5, -1, -1, -1]), 5, 1, 1)
    assert not outcome.reference_used
    assert outcome.tolerated == 1
    assert sum(weight > 0 for weight in outcome.weights) == 4
    assert outcome.contributions[0] > 0 > outcome.contributions[2]


def test_a_round_that_never_had_enough_trainers_is_void_instead() -> None:
    outcome = evaluate(with_gains(4, [5, 5, -1, -1]), 4, 1, 1)
    assert outcome.void
    assert outcome.reference_used
    assert outcome.reasons == (Reason.ROUND_VOID,) * 2 + (Reason.REFERENCE_FILTER,) * 2


@pytest.mark.parametrize(("trainers", "tolerated", "void"), [(5, 1, False), (5, 2, True), (7, 2, False), (2, 0, True)])
def test_it_is_void_rather_than_weakened(trainers, tolerated, void) -> None:
    outcome = evaluate(of(*spread(trainers)), trainers, 0, tolerated)
    assert outcome.void is void
    assert any(outcome.contributions) is not void


def test_multi_krum_drops_the_outlier_and_says_by_how_much() -> None:
    rows = [[100, i, 0, 7 * i % 5 * 9] for i in range(0, 60, 10)] + [[-100, 0, 300, 0]]
    outcome = evaluate(of(*rows), 7, 0, 1)
    assert outcome.reasons[-1] is Reason.MULTI_KRUM
    assert outcome.decisions[-1].measured > outcome.decisions[-1].limit
    assert outcome.contributions[-1] == 0


def test_ties_go_to_the_lower_index() -> None:
    outcome = evaluate(of(*spread(7)), 7, 0, 2)
    assert outcome.reasons == (Reason.KEPT,) * 5 + (Reason.MULTI_KRUM,) * 2
    assert outcome.weights == (2**16 // 5,) * 5 + (0, 0)


def test_longer_updates_are_clipped_to_the_lower_median() -> None:
    gram = np.diag([100**2, 200**2, 300**2, 401**2]).astype(np.int64)
    factors = [2**16, 2**16, 2**16 * 200 // 300, 2**16 * 200 // 401]
    assert evaluate(gram, 4, 0, 0).weights == tuple(factor // 4 for factor in factors)


def test_scaling_an_update_earns_no_more_than_leaving_it() -> None:
    gram = with_gains(5, [100, 100, 100, 100, 100])
    gram[1, 1] *= 64
    gram[1, 5] = gram[5, 1] = 800
    contributions = evaluate(gram, 5, 1, 0).contributions
    assert contributions[1] == contributions[0]


def test_who_is_clipped_to_no_weight_earns_nothing() -> None:
    norm = 2**20
    gram = np.diag([norm**2 // 2**34] * 4 + [norm**2]).astype(np.int64)
    outcome = evaluate(gram, 5, 0, 0)
    assert outcome.reasons[-1] is Reason.CLIPPED_AWAY
    assert outcome.decisions[-1].measured == 2**16 * isqrt(int(gram[0, 0])) // norm < 5
    assert outcome.weights[-1] == outcome.contributions[-1] == 0
    assert not outcome.void


def test_fewer_than_three_with_a_weight_make_the_round_void() -> None:
    outcome = evaluate(np.diag([1, 1, 2**62]).astype(np.int64), 3, 0, 0)
    assert outcome.void
    assert outcome.reasons == (Reason.ROUND_VOID, Reason.ROUND_VOID, Reason.CLIPPED_AWAY)


def test_curvature_vectors_lower_the_pay_of_those_that_overshoot() -> None:
    gram = np.diag([10**6] * 6).astype(np.int64)
    gram[4, :4] = gram[:4, 4] = 1000
    gram[5, 0] = gram[0, 5] = 40
    contributions = evaluate(gram, 4, 2, 0).contributions
    assert contributions[0] < contributions[1] == contributions[2] == contributions[3]


def test_weights_never_exceed_their_unit(matrix_makers, rng) -> None:
    for trainers in (3, 20, 97):
        assert sum(evaluate(matrix_makers["honest"](rng, trainers, trainers), trainers, 0, 0).weights) <= 2**16


@pytest.mark.parametrize(
    ("shape", "trainers", "references", "tolerated"),
    [((3, 3), 0, 3, 0), ((256, 256), 256, 0, 0), ((3, 3), 4, -1, 0), ((3, 3), 3, 0, -1), ((3, 3), 3, 1, 0)],
)
def test_numbers_that_no_round_can_have_are_refused(shape, trainers, references, tolerated) -> None:
    with pytest.raises(RuleInputError, match=f"{trainers} trainers"):
        evaluate(np.zeros(shape, dtype=np.int64), trainers, references, tolerated)


def test_the_rule_is_found_by_its_name(matrix_makers, rng) -> None:
    gram = matrix_makers["honest"](rng, 6, 5)
    assert RULES[NAME](gram, 5, 1, 1) == evaluate(gram.tolist(), 5, 1, 1)
