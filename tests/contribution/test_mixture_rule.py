"""The rule of the best mixture: against its readable version, case by case, and the game whose value it pays."""

from fractions import Fraction
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from contribution import rule
from contribution.errors import RuleInputError
from contribution.gram import gram_matrix
from contribution.mixture import WHOLE, best_mixture, contributions_of, weight_limit
from contribution.mixture_rule import NAME, evaluate
from contribution.outcome import Reason
from contribution.readable_mixture import decide
from contribution.rules import RULES

REFERENCES = (2, 3, 9)


def with_projections(gains: list[int], curvature: list[list[int]], norm: int = 10**8) -> np.ndarray:
    """Orthogonal updates of one norm with these inner products with the referee's vectors."""
    count, vectors = len(gains), 1 + len(curvature)
    gram = np.diag([norm] * (count + vectors)).astype(np.int64)
    for vector, products in enumerate([gains, *curvature]):
        gram[count + vector, :count] = gram[:count, count + vector] = products
    return gram


@pytest.mark.parametrize("name", ["honest", "ties", "zero rows", "rank one", "near int64", "negative b"])
def test_it_decides_what_the_readable_version_decides(name, matrix_makers, rng) -> None:
    for index in range(100):
        trainers = int(rng.integers(1, 14))
        references = REFERENCES[index % 3]
        tolerated = int(rng.integers(0, 5))
        gram = matrix_makers[name](rng, trainers + references, trainers)
        outcome = evaluate(gram, trainers, references, tolerated)
        weights, contributions = decide(gram.tolist(), trainers, references, tolerated)
        assert list(outcome.weights) == weights
        assert list(outcome.contributions) == contributions
        assert outcome.void == (sum(weights) == 0)
        assert all((reason is Reason.KEPT) == (w > 0) for reason, w in zip(outcome.reasons, weights, strict=True))


@pytest.mark.parametrize("references", [0, 1])
def test_without_curvature_it_decides_as_multi_krum_does(references, matrix_makers, rng) -> None:
    for _ in range(20):
        gram = matrix_makers["honest"](rng, 8 + references, 8)
        outcome = evaluate(gram, 8, references, 2)
        assert outcome == rule.evaluate(gram, 8, references, 2)
        assert (list(outcome.weights), list(outcome.contributions)) == decide(gram.tolist(), 8, references, 2)


def test_it_is_known_by_its_name() -> None:
    assert RULES[NAME] is evaluate
    assert NAME == "capped-mixture-exact-shapley/1"


def test_harmful_updates_get_no_weight_and_no_pay() -> None:
    outcome = evaluate(with_projections([900, 800, 850, 870, -900, -50], [[9_000, 100, 90, 80, -90, 10]]), 6, 2, 1)
    assert outcome.reasons == (Reason.KEPT,) * 4 + (Reason.NO_GAIN,) * 2
    assert outcome.contributions[4:] == (0, 0)
    assert all(value > 0 for value in outcome.contributions[:4])
    measured, limit = outcome.decisions[4].measured, outcome.decisions[4].limit
    assert measured < limit


def test_two_that_overshoot_the_same_way_share_what_one_would_have() -> None:
    alike = evaluate(with_projections([1000] * 5, [[60_000, 60_000, 0, 0, 0]]), 5, 2, 1)
    assert alike.weights[0] + alike.weights[1] < alike.weights[2]
    assert alike.contributions[0] + alike.contributions[1] < alike.contributions[2]


@pytest.mark.parametrize("count", [3, 4, 7, 9, 10, 64, 255])
def test_nobody_has_more_than_a_third_nor_than_three_equal_shares(count) -> None:
    gains = [1000 - i for i in range(count)]
    mixture = best_mixture(gains, [[0]] * count)
    assert max(mixture.weights) <= weight_limit(count) <= min(WHOLE / 3, 3 * WHOLE / count)
    assert sum(mixture.weights) == count * (WHOLE // count)
    assert sum(weight > 0 for weight in mixture.weights) >= 3


def utility(weights: list[float], gains: list[int], rows: list[list[int]]) -> float:
    share = np.array(weights) / WHOLE
    return float(2 * share @ np.array(gains) - ((share @ np.array(rows, dtype=float)) ** 2).sum() / 2**16)


def test_the_mixture_comes_close_to_the_best_one_within_the_limits(rng) -> None:
    """Against a general-purpose solver."""
    reached = []
    for _ in range(30):
        count, vectors = 8, 3
        gains = [int(v) for v in rng.integers(-500, 2000, count)]
        rows = rng.integers(-9_000, 9_000, (count, vectors)).tolist()
        limit, whole = weight_limit(count), count * (WHOLE // count)
        best = minimize(
            lambda w, gains=gains, rows=rows: -utility(w * WHOLE, gains, rows),
            np.full(count, 1 / count),
            bounds=[(0, limit / WHOLE)] * count,
            constraints=LinearConstraint(np.ones(count), whole / WHOLE, whole / WHOLE),
            method="SLSQP",
        )
        reached.append(utility(list(best_mixture(gains, rows).weights), gains, rows) / -best.fun)
    assert max(reached) < 1.001
    assert min(reached) > 0.97
    assert np.median(reached) > 0.995


def test_contributions_are_the_shapley_value_of_the_aggregate_without_those_who_stay_away(rng) -> None:
    """By enumeration of all orders' coalitions, in exact numbers."""
    count, vectors = 5, 2
    gains = [int(v) for v in rng.integers(-500, 2000, count)]
    rows = rng.integers(-60_000, 60_000, (count, vectors)).tolist()
    mixture = best_mixture(gains, rows)
    share = [Fraction(weight, WHOLE) for weight in mixture.weights]

    def worth(members: tuple[int, ...]) -> Fraction:
        gained = sum((share[i] * gains[i] for i in members), Fraction(0))
        totals = [sum((share[i] * rows[i][k] for i in members), Fraction(0)) for k in range(vectors)]
        return 2 * gained - sum((total**2 for total in totals), Fraction(0)) / 2**16

    for i, value in enumerate(contributions_of(mixture, gains)):
        others = [j for j in range(count) if j != i]
        exact = Fraction(0)
        for size in range(count):
            chance = Fraction(factorial(size) * factorial(count - size - 1), factorial(count))
            for members in combinations(others, size):
                exact += chance * (worth((*members, i)) - worth(members))
        assert value == exact * 2**32 // 1


def test_a_few_copies_are_all_dropped_and_more_than_can_be_faulty_leave_one() -> None:
    rng = np.random.default_rng(3)
    own = rng.integers(-1000, 1000, (7, 40))
    referee = rng.integers(-1000, 1000, (2, 40))
    pair = np.vstack([own, own[2:3], referee]).astype(np.int16)
    outcome = evaluate(gram_matrix(pair), 8, 2, 2)
    assert [i for i, reason in enumerate(outcome.reasons) if reason is Reason.DUPLICATE] == [2, 7]
    assert (outcome.decisions[2].measured, outcome.decisions[2].limit) == (7, 2)
    assert outcome.tolerated == 0
    outcome = evaluate(gram_matrix(pair), 8, 2, 1)
    assert [i for i, reason in enumerate(outcome.reasons) if reason is Reason.DUPLICATE] == [7]


def test_a_cosine_of_exactly_99_hundredths_is_no_copy() -> None:
    gram = with_projections([5] * 5, [[1] * 5])
    gram[0, 1] = gram[1, 0] = 99 * 10**6
    assert Reason.DUPLICATE not in evaluate(gram, 5, 2, 0).reasons
    gram[0, 1] = gram[1, 0] = 99 * 10**6 + 1
    assert evaluate(gram, 5, 2, 0).reasons[1] is Reason.DUPLICATE


def test_an_update_too_far_out_for_a_weight_is_clipped_away() -> None:
    gram = with_projections([0] * 5, [[0] * 5], norm=100)
    gram[4, 4] = 2**62
    outcome = evaluate(gram, 5, 2, 0)
    assert outcome.reasons[4] is Reason.CLIPPED_AWAY
    assert outcome.weights[4] == outcome.contributions[4] == 0
    assert outcome.decisions[4].measured < outcome.decisions[4].limit


def test_too_few_for_the_tolerated_number_is_void() -> None:
    gram = with_projections([5] * 6, [[1] * 6])
    assert evaluate(gram, 6, 2, 2).void
    assert evaluate(gram, 6, 2, 1).reasons.count(Reason.KEPT) >= 3


def test_a_referee_whose_vectors_are_zero_pays_nobody() -> None:
    outcome = evaluate(with_projections([0] * 5, [[0] * 5]), 5, 2, 1)
    assert set(outcome.contributions) == {0}
    assert outcome.weights == (WHOLE // 5,) * 5


def test_numbers_that_do_not_fit_the_matrix_are_refused() -> None:
    with pytest.raises(RuleInputError, match="need a matrix of 9 x 9"):
        evaluate(np.eye(8, dtype=np.int64), 6, 3, 1)
