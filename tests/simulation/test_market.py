"""The market, run beside the simulation, comes out the same to the bit, and whatever differs is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation import market
from benchmarks.simulation.errors import ChainDiffersError, SettingError
from benchmarks.simulation.federation import Federation
from benchmarks.simulation.market import check_against_market
from benchmarks.simulation.round import RoundResult
from benchmarks.simulation.run import simulate
from benchmarks.simulation.setting import Setting
from marketplace.parties.view import JobView

Played = tuple[Federation, list[RoundResult], JobView]


@pytest.fixture(scope="module")
def played(tiny: Setting) -> Played:
    """A setting whose attackers need all that attackers may know, played with and without the chain."""
    return played_in_both(replace(tiny, attack="adaptive-deviation", attackers=1))


def played_in_both(setting: Setting) -> Played:
    results: list[RoundResult] = []
    federation = simulate(setting, observe=lambda _, result: results.append(result)).federation
    views: list[JobView] = []
    run_job = market._run_job

    def remembered(*arguments: object) -> JobView:
        views.append(run_job(*arguments))
        return views[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(market, "_run_job", remembered)
        check_against_market(federation, results)
    return federation, results, views[0]


def test_the_market_decides_as_the_simulation_does(played: Played):
    federation, results, view = played
    records = view.history().rounds
    assert [record.settled for record in records.values()] == [True, True]
    assert list(np.argsort(federation.seats)) != [0, 1, 2, 3, 4]
    assert sorted(records[2].payouts) == sorted(results[1].pay)


def test_server_momentum_comes_out_the_same_to_the_bit_and_attackers_see_the_same_steps(tiny: Setting):
    setting = replace(tiny, server_momentum=0.9, rounds=3, attack="backdoor-neurotoxin", attackers=1)
    federation, results, view = played_in_both(setting)
    last = results[-1].next_state
    assert view.document.server_momentum == 0.9
    assert view.model_after(3).tobytes() == last.job_model.tobytes()
    assert view.model_before(4).vector.tobytes() == last.model.tobytes()
    assert not np.array_equal(last.model, last.job_model)
    assert view.model_after(0).tobytes() == federation.initial_model.tobytes()


def test_the_markets_referee_posts_the_same_curvature_vectors(tiny: Setting):
    results: list[RoundResult] = []
    setting = replace(tiny, rounds=1, reference_vectors=4)
    federation = simulate(setting, observe=lambda _, result: results.append(result)).federation
    assert results[0].gram.shape == (9, 9)
    check_against_market(federation, results)


def changed(result: RoundResult, what: str) -> RoundResult:
    """The same round with one number off by one."""
    outcome, state = result.outcome, result.next_state
    match what:
        case "Gram matrix":
            return replace(result, gram=result.gram + np.eye(len(result.gram), dtype=np.int64))
        case "weights":
            return replace(result, outcome=replace(outcome, weights=_off_by_one(outcome.weights)))
        case "contributions":
            return replace(result, outcome=replace(outcome, contributions=_off_by_one(outcome.contributions)))
        case "payouts":
            return replace(result, pay=_off_by_one(result.pay))
        case "job's model":
            return replace(result, next_state=replace(state, job_model=_nudged(state.job_model)))
        case _:
            return replace(result, next_state=replace(state, model=_nudged(state.model)))


def _nudged(model: np.ndarray) -> np.ndarray:
    nudged = model.copy()
    nudged[0] = np.nextafter(model[0], np.float32(1))
    return nudged


def _off_by_one(values: tuple[int, ...]) -> tuple[int, ...]:
    return (values[0] + 1, *values[1:])


@pytest.mark.parametrize(
    ("what", "count"),
    [
        ("Gram matrix", 6),
        ("weights", 1),
        ("contributions", 1),
        ("payouts", 1),
        ("job's model", 1),
        ("next round's model", 1),
    ],
)
def test_a_single_difference_is_found_and_named(played: Played, what: str, count: int):
    federation, (_, second), view = played
    with pytest.raises(ChainDiffersError, match=rf"Round 2 .* differ in {count} of \d+ values of the {what}"):
        market._compare(federation, view, changed(second, what))


def test_a_round_that_only_one_of_them_decides_is_a_difference(played: Played):
    federation, (first, second), view = played
    void = replace(second.outcome, weights=(0,) * 5)
    with pytest.raises(ChainDiffersError, match="Round 2 is settled in the market and void in the simulation"):
        market._compare(federation, view, replace(second, outcome=void))
    later = replace(first, state=replace(first.state, number=3))
    with pytest.raises(ChainDiffersError, match="ended before round 3 of 2"):
        market._compare(federation, view, later)


def test_a_baseline_can_not_be_compared_because_the_market_has_none(tiny: Setting):
    federation = simulate(replace(tiny, rule="mean", rounds=1)).federation
    with pytest.raises(SettingError, match="The market has no rule 'mean'"):
        check_against_market(federation, [])


def test_worker_momentum_can_not_be_compared_because_the_market_has_none(tiny: Setting):
    federation = simulate(replace(tiny, worker_momentum=0.9, rounds=1)).federation
    with pytest.raises(SettingError, match=r"worker_momentum is 0.9"):
        check_against_market(federation, [])
