"""Attackers who ask the rule before they send: what they gain by it, and how often they ask."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS
from benchmarks.simulation.attacks.adaptive import (
    aggregate_of,
    deviation,
    directions,
    largest_step,
    setback,
    share_of_pay,
)
from contribution.outcome import Decision, Reason, RuleOutcome
from tests.simulation.attacks.rule import rule_on
from tests.simulation.attacks.views import cosine, make_view

BOUND = {"adaptive-setback": 52, "adaptive-deviation": 52, "adaptive-drift": 12, "adaptive-pay": 12}


def asking(seed=1, strength=1.0, tolerated=None, **changes):
    """Return a view and a list that counts the questions to the rule."""
    view = make_view(seed=seed, d=400, strength=strength, **changes)
    decide, asked = rule_on(view, tolerated), []

    def counted(updates):
        asked.append(updates)
        return decide(updates)

    return replace(view, decide=counted), asked


def outcome_of(view, updates):
    return rule_on(view)(updates)


@pytest.mark.parametrize("name", BOUND)
@pytest.mark.parametrize("seed", range(3))
def test_the_search_is_bounded(name, seed) -> None:
    view, asked = asking(seed, ATTACKS[name].strength)
    ATTACKS[name].craft(view)
    assert 1 <= len(asked) <= BOUND[name]


@pytest.mark.parametrize(("name", "measure"), [("adaptive-setback", setback), ("adaptive-deviation", deviation)])
@pytest.mark.parametrize("seed", range(5))
def test_no_update_that_was_tried_does_more_damage(name, measure, seed) -> None:
    view, asked = asking(seed)
    crafted = ATTACKS[name].craft(view)
    mean = view.honest.mean(axis=0)

    def damage(updates):
        return measure(aggregate_of(view, updates, outcome_of(view, updates)), mean)

    assert damage(crafted) == max(damage(updates) for updates in asked)
    assert damage(crafted) > damage(view.own)
    blind = ATTACKS["sign-flip-of-mean"].craft(view)
    assert damage(crafted) > damage(blind), "a flip is dropped; whoever asks finds something that is not"


def test_damage_is_measured_along_the_honest_mean_or_as_a_distance() -> None:
    mean = np.array([3.0, 4.0])
    assert setback(np.zeros(2), mean) == 5.0
    assert setback(np.array([4.0, -3.0]), mean) == 5.0
    assert setback(-mean, mean) == 10.0
    assert deviation(np.array([4.0, -3.0]), mean) == pytest.approx(np.sqrt(50))


def test_directions_have_length_1_and_the_first_goes_against_the_mean() -> None:
    view, _ = asking()
    tried = list(directions(view))
    assert len(tried) == 6
    assert np.linalg.norm(tried, axis=1) == pytest.approx(np.ones(6))
    mean = view.honest.mean(axis=0)
    np.testing.assert_allclose(tried[0], -mean / np.linalg.norm(mean))
    differences = view.honest - mean
    main = np.linalg.svd(differences, full_matrices=False)[2][0]
    assert abs(tried[3] @ main) == pytest.approx(1.0)
    assert len(list(directions(replace(view, model=view.initial_model)))) == 5


@pytest.mark.parametrize("limit", [0.01, 0.06, 0.7, 3.0, 4.0, 7.5])
def test_the_largest_step_is_found_to_three_in_a_hundred_of_its_size(limit) -> None:
    asked = []

    def passes(step: float) -> bool:
        asked.append(step)
        return step <= limit

    found = largest_step(passes)
    assert limit - max(0.032 * limit, 0.002) <= found <= limit
    assert len(asked) <= 12


def test_without_a_step_that_passes_there_is_none() -> None:
    assert largest_step(lambda step: False) == 0.0


@pytest.mark.parametrize("strength", [0.3, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_drift_goes_as_far_against_the_deviations_as_every_attacker_keeps_a_weight(seed, strength) -> None:
    view, _ = asking(seed, strength)
    crafted = ATTACKS["adaptive-drift"].craft(view)
    assert all(outcome_of(view, crafted).weights[-3:])
    mean = view.honest.mean(axis=0)
    step = crafted.mean(axis=0) - strength * mean
    assert cosine(step, -view.honest.std(axis=0)) == pytest.approx(1.0)
    further = crafted + 0.05 * step
    assert not all(outcome_of(view, further).weights[-3:])


@pytest.mark.parametrize("seed", range(5))
def test_harm_is_the_largest_that_is_still_paid(seed) -> None:
    view, _ = asking(seed, strength=0.0)
    crafted = ATTACKS["adaptive-pay"].craft(view)
    mean = view.honest.mean(axis=0)
    step = (view.own - crafted)[0] @ mean / (mean @ mean)
    assert step > 0, "the rule of these tests lets some harm pass"
    np.testing.assert_allclose(crafted, view.own - step * mean, atol=1e-9)
    assert share_of_pay(outcome_of(view, crafted), 3) > 0
    assert share_of_pay(outcome_of(view, view.own - 4 * mean), 3) == 0


def test_who_wants_more_pay_does_less_harm() -> None:
    compared = 0
    for seed in range(6):
        view, _ = asking(seed)
        if share_of_pay(outcome_of(view, view.own), 3) <= 0.5 * 0.3:
            continue
        modest = ATTACKS["adaptive-pay"].craft(replace(view, strength=0.5))
        greedy = ATTACKS["adaptive-pay"].craft(replace(view, strength=0.0))
        assert share_of_pay(outcome_of(view, modest), 3) > 0.5 * 0.3
        assert np.linalg.norm(view.own - modest) < np.linalg.norm(view.own - greedy)
        compared += 1
    assert compared >= 3


def test_who_is_never_paid_stays_honest() -> None:
    view = make_view(strength=0.0)
    nobody = RuleOutcome((0,) * 10, (0,) * 10, (Decision(Reason.ROUND_VOID),) * 10, False, 0, 3)
    view = replace(view, decide=lambda updates: nobody)
    crafted = ATTACKS["adaptive-pay"].craft(view)
    np.testing.assert_array_equal(crafted, view.own)


def test_shares_of_pay_count_gains_alone() -> None:
    decisions = (Decision(Reason.KEPT),) * 4
    assert share_of_pay(RuleOutcome((1,) * 4, (6, -5, 1, 1), decisions, True, 4, 0), 2) == 0.25
    assert share_of_pay(RuleOutcome((1,) * 4, (0, -5, 0, 0), decisions, True, 4, 0), 2) == 0.0
