"""Decisions don't depend on how trainers are listed, only on their seats; baselines weight and pay nobody."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.simulation.baselines import BASELINES
from benchmarks.simulation.rules import RULE_NAMES, decide
from contribution.gram import gram_matrix
from contribution.outcome import Decision, Reason
from contribution.rule import NAME, evaluate

SEATS = np.array([3, 0, 4, 6, 1, 5, 2])


@pytest.fixture
def rows() -> np.ndarray:
    """Seven updates and a reference that all of them agree with; the last is a copy of the first."""
    generator = np.random.default_rng(0)
    updates = generator.integers(-300, 300, (8, 50)) + 400
    updates[6] = updates[0]
    return updates.astype(np.int16)


def test_trainers_seated_in_their_order_get_the_rules_own_outcome(rows: np.ndarray):
    gram = gram_matrix(rows)
    assert decide(NAME, gram, np.arange(7), 1, 2, [1] * 7) == evaluate(gram, 7, 1, 2)


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_listing_trainers_in_another_order_changes_nothing_for_any_of_them(rule: str, rows: np.ndarray):
    samples = [10, 20, 30, 40, 50, 60, 70]
    listed = np.random.default_rng(1).permutation(7)
    here = decide(rule, gram_matrix(rows), SEATS, 1, 2, samples)
    other_rows = np.concatenate([rows[listed], rows[7:]])
    there = decide(rule, gram_matrix(other_rows), SEATS[listed], 1, 2, [samples[k] for k in listed])
    assert there.weights == tuple(here.weights[k] for k in listed)
    assert there.contributions == tuple(here.contributions[k] for k in listed)
    assert there.reasons == tuple(here.reasons[k] for k in listed)


def test_of_two_copies_the_one_in_the_lower_seat_stays_and_the_other_is_named(rows: np.ndarray):
    outcome = decide(NAME, gram_matrix(rows), SEATS, 1, 2, [1] * 7)
    # Trainer 6 sits in seat 2, below trainer 0 in seat 3.
    assert outcome.decisions[0] == Decision(Reason.DUPLICATE, 6, 0)
    assert outcome.weights[0] == 0
    assert outcome.reasons[6] is not Reason.DUPLICATE


@pytest.mark.parametrize("rule", BASELINES)
def test_a_baseline_weights_in_the_markets_units_and_pays_nobody(rule: str, rows: np.ndarray):
    outcome = decide(rule, gram_matrix(rows), SEATS, 1, 2, [10, 20, 30, 40, 50, 60, 70])
    assert (1 << 16) - 7 <= sum(outcome.weights) <= 1 << 16
    assert outcome.contributions == (0,) * 7
    assert not outcome.reference_used
    assert [reason is Reason.KEPT for reason in outcome.reasons] == [weight > 0 for weight in outcome.weights]


def test_the_weighted_mean_weights_each_trainer_by_its_own_samples(rows: np.ndarray):
    outcome = decide("weighted-mean", gram_matrix(rows), SEATS, 1, 2, [1, 2, 3, 4, 5, 6, 7])
    assert outcome.weights == tuple(65_536 * k // 28 for k in range(1, 8))
