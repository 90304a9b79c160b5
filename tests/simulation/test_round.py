"""A simulated round is the market's: its codec, reference, matrix, rule, pay and model; attackers know their part."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from benchmarks.simulation import federation as federation_module
from benchmarks.simulation import setting as setting_module
from benchmarks.simulation.attacks import ATTACKS, Aim, Attack, AttackView, Knowledge
from benchmarks.simulation.attacks.backdoor import triggered
from benchmarks.simulation.attacks.label_flip import hidden_class
from benchmarks.simulation.federation import Federation, prepare
from benchmarks.simulation.round import REWARD_PER_ROUND, RoundResult, play_round
from benchmarks.simulation.run import simulate
from benchmarks.simulation.setting import Setting
from contribution.gram import gram_matrix_plain
from contribution.payout import payouts
from contribution.rule import evaluate
from marketplace.payload.quantise import dequantise
from marketplace.training.data import load_public
from marketplace.training.errors import DataError, ModelError
from marketplace.training.evaluate import evaluate as evaluate_model
from marketplace.training.gradient import reference_gradient
from marketplace.training.local import fit, local_update
from marketplace.training.models import set_vector
from marketplace.training.reference import REFEREE_SEED, integer_reference, referee_vectors


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> list[AttackView]:
    """What an attack that knows everything sees, and sends on unchanged but for a factor of -2."""
    seen: list[AttackView] = []

    def recipe(view: AttackView) -> np.ndarray:
        seen.append(view)
        return -view.strength * view.own

    spy = Attack("spy", "here", Knowledge.ADAPTIVE, Aim.POISON, 2.0, (2.0,), recipe)
    everything = MappingProxyType({**ATTACKS, "spy": spy})
    monkeypatch.setattr(setting_module, "ATTACKS", everything)
    monkeypatch.setattr(federation_module, "ATTACKS", everything)
    return seen


def played(setting: Setting) -> tuple[Federation, list[RoundResult]]:
    results: list[RoundResult] = []
    run = simulate(setting, observe=lambda _, result: results.append(result))
    return run.federation, results


def test_a_round_is_made_of_the_markets_own_parts(tiny: Setting):
    federation, (first, second) = played(tiny)
    model = federation.build_model()
    set_vector(model, second.state.model)
    for k, data in enumerate(federation.trainers):
        update = local_update(
            model, second.state.model, fit, data, tiny.training.at_round(1, federation.training_seed(k))
        )
        np.testing.assert_array_equal(second.submissions.trained[k], update)
        # Stochastic rounding is off by less than one unit.
        rounded = dequantise(second.submissions.updates[k], tiny.scale_exponent)
        assert np.abs(rounded - update).max() < 2.0**-tiny.scale_exponent
    reference = integer_reference(reference_gradient(model, federation.referee), 16)
    np.testing.assert_array_equal(second.references[0], reference)
    rows = [row.tolist() for row in (*second.submissions.updates, reference)]
    assert second.gram.tolist() == gram_matrix_plain(rows)
    order = [*np.argsort(federation.seats), 5]
    seated = evaluate(second.gram[np.ix_(order, order)], 5, 1, 1)
    assert second.outcome.weights == tuple(seated.weights[seat] for seat in federation.seats)
    for result, reward in ((first, 8 * REWARD_PER_ROUND // 5), (second, 2 * REWARD_PER_ROUND // 5)):
        assert sum(result.pay) in range(reward - 5, reward + 1)
    steps = [
        np.array(result.outcome.weights) @ np.stack(result.submissions.updates).astype(np.int64)
        for result in (first, second)
    ]
    expected = federation.initial_model + sum(steps) / 2.0 ** (16 + tiny.scale_exponent)
    np.testing.assert_allclose(second.next_state.model, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("decay", "parts"), [(0, (1, 1, 1)), (1, (3, 2, 1)), (2, (9, 4, 1))])
def test_rewards_fall_as_the_setting_says_and_nothing_else_changes(tiny: Setting, decay: int, parts: tuple[int, ...]):
    setting = replace(tiny, rounds=3, reward_decay=decay)
    _, results = played(setting)
    for result, part in zip(results, parts, strict=True):
        expected = payouts(result.outcome.contributions, 3 * REWARD_PER_ROUND * part // sum(parts))
        assert result.pay == tuple(expected)
    _, calm = played(replace(setting, reward_decay=0))
    assert [result.outcome for result in results] == [result.outcome for result in calm]


def test_a_referee_posts_curvature_beside_its_reference(tiny: Setting):
    federation, (first, second) = played(replace(tiny, reference_vectors=4))
    assert federation.setting.references == 4
    assert len(second.references) == 4
    assert all(vector.dtype == np.int16 and vector.any() for vector in second.references)
    assert second.gram.shape == (9, 9)
    # Both rounds are expanded with the training of their own round.
    for result in (first, second):
        model = federation.build_model()
        set_vector(model, result.state.model)
        training = tiny.training.at_round(result.state.number - 1, REFEREE_SEED)
        expected = referee_vectors(model, federation.referee, 4, 16, tiny.scale_exponent, training)
        np.testing.assert_array_equal(result.references, expected)


def test_all_held_out_sets_and_the_trainers_data_are_disjoint(tiny: Setting):
    federation = prepare(replace(tiny, partition="iid", skew=0.0))
    parts = [*federation.trainers, federation.referee, federation.validation, federation.test]
    assert [len(part) for part in parts[5:]] == [40, 30, 100]
    assert sum(federation.samples) == 300
    samples = np.concatenate([part.x for part in parts])
    distinct = len(np.unique(load_public("digits").x, axis=0))
    assert distinct == 1_797
    assert len(np.unique(samples, axis=0)) == len(samples) == 470


def test_the_same_setting_gives_the_same_bits_and_another_seed_does_not(tiny: Setting):
    once, again = simulate(tiny), simulate(tiny)
    assert once.summary == again.summary
    other = simulate(replace(tiny, seed=1)).summary
    assert other["rounds"] != once.summary["rounds"]
    assert sorted(trainer["seat"] for trainer in other["trainers"]) == [0, 1, 2, 3, 4]


def test_an_attack_changes_the_attackers_updates_and_no_others(tiny: Setting):
    _, (calm, *_) = played(tiny)
    federation, (attacked, *_) = played(replace(tiny, attack="sign-flip", attackers=2, strength=3.0))
    assert federation.strength == 3.0
    np.testing.assert_array_equal(attacked.submissions.trained, calm.submissions.trained)
    np.testing.assert_array_equal(attacked.submissions.sent[:3], calm.submissions.sent[:3])
    np.testing.assert_array_equal(attacked.submissions.sent[3:], -3.0 * calm.submissions.trained[3:])
    for k in range(3):
        np.testing.assert_array_equal(attacked.submissions.updates[k], calm.submissions.updates[k])


def test_an_attack_that_poisons_data_changes_the_attackers_data_alone(tiny: Setting):
    calm = prepare(tiny)
    poisoned = prepare(replace(tiny, attack="label-flip", attackers=1))
    for k in range(4):
        np.testing.assert_array_equal(poisoned.trainers[k].y, calm.trainers[k].y)
    assert not np.array_equal(poisoned.trainers[4].y, calm.trainers[4].y)


def test_attackers_who_ask_the_rule_learn_what_it_will_decide(tiny: Setting, views: list[AttackView]):
    setting = replace(tiny, attack="spy", attackers=2)
    federation, (first, second) = played(setting)
    assert federation.strength == 2.0
    for view, result in zip(views, (first, second), strict=True):
        assert (view.round, view.rounds, view.trainers) == (result.state.number, 2, 5)
        np.testing.assert_array_equal(view.honest, result.submissions.trained[:3])
        np.testing.assert_array_equal(view.own, result.submissions.trained[3:])
        np.testing.assert_array_equal(view.first_own, first.submissions.trained[3:])
        np.testing.assert_array_equal(view.model, result.state.model.astype(np.float64))
        np.testing.assert_array_equal(view.initial_model, federation.initial_model.astype(np.float64))
        assert view.decide is not None
        assert view.decide(-2.0 * view.own) == result.outcome
        assert view.decide(np.zeros_like(view.own)).weights[3:] == (0, 0)
    assert not views[0].last_aggregate.any()
    moved = second.state.model.astype(np.float64) - first.state.model.astype(np.float64)
    np.testing.assert_array_equal(views[1].last_aggregate, moved)


def test_a_void_round_changes_nothing_but_the_number(tiny: Setting):
    federation, (first, second) = played(replace(tiny, attack="free-rider-zero", attackers=4))
    assert first.outcome.void
    assert first.pay == (0,) * 5
    assert (second.state.number, second.state.settled) == (2, 0), "it takes no place in the schedule of rewards"
    np.testing.assert_array_equal(second.state.model, federation.initial_model)
    assert not second.state.last_step.any()


def test_server_momentum_adds_each_step_where_it_was_computed(tiny: Setting):
    momentum = 0.8
    federation, results = played(replace(tiny, server_momentum=momentum, rounds=3))
    model, velocity = federation.initial_model.astype(np.float64), np.zeros(federation.initial_model.size)
    for result in results:
        np.testing.assert_allclose(result.state.model, model + momentum * velocity, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(result.state.job_model, model, rtol=1e-6, atol=1e-7)
        step = result.aggregate / 2.0 ** (16 + tiny.scale_exponent)
        velocity = momentum * velocity + step
        model = model + velocity
        following = result.next_state
        np.testing.assert_allclose(following.job_model, result.state.model + step, rtol=1e-6, atol=1e-7)
        moved = following.job_model.astype(np.float64) - result.state.job_model.astype(np.float64)
        np.testing.assert_array_equal(following.last_step, moved)
    np.testing.assert_allclose(results[-1].next_state.job_model, model, rtol=1e-6, atol=1e-7)


def test_without_server_momentum_there_is_one_model(tiny: Setting):
    _, results = played(tiny)
    for result in results:
        assert result.next_state.model.tobytes() == result.next_state.job_model.tobytes()


def test_accuracy_is_that_of_the_jobs_model_and_not_of_the_one_ahead(tiny: Setting):
    results: list[RoundResult] = []
    run = simulate(replace(tiny, server_momentum=0.9), observe=lambda _, result: results.append(result))
    model = run.federation.build_model()
    set_vector(model, results[-1].next_state.job_model)
    assert run.summary["final_loss"] == evaluate_model(model, run.federation.test).loss
    set_vector(model, results[-1].next_state.model)
    assert run.summary["final_loss"] != evaluate_model(model, run.federation.test).loss


def test_a_void_round_does_not_move_the_model_by_momentum(tiny: Setting):
    setting = replace(tiny, server_momentum=0.9)
    federation, (first, _) = played(setting)
    state = first.next_state
    silent = replace(setting, attack="free-rider-zero", attackers=4)
    zeros = replace(federation, setting=silent, attack=ATTACKS["free-rider-zero"])
    void = play_round(zeros, zeros.build_model(), state)
    assert void.outcome.void
    for name in ("model", "job_model", "displacement", "last_step", "cumulative"):
        np.testing.assert_array_equal(getattr(void.next_state, name), getattr(state, name))
    assert void.next_state.number == state.number + 1


@pytest.mark.parametrize(
    ("attack", "wanted"), [(None, triggered), ("sign-flip", triggered), ("label-flip-targeted", hidden_class)]
)
def test_success_is_measured_on_what_the_attackers_want(tiny: Setting, attack: str | None, wanted):
    run = simulate(replace(tiny, attack=attack, attackers=1 if attack else 0, rounds=1))
    results: list[RoundResult] = []
    simulate(run.federation.setting, observe=lambda _, result: results.append(result))
    model = run.federation.build_model()
    set_vector(model, results[-1].next_state.job_model)
    assert run.summary["backdoor_success"] == evaluate_model(model, wanted(run.federation.test)).accuracy


def test_a_job_without_referee_has_no_reference(tiny: Setting):
    federation, (first, _) = played(replace(tiny, referee_samples=0))
    assert federation.referee is None
    assert first.references == ()
    assert first.gram.shape == (5, 5)
    assert not first.outcome.reference_used


def test_a_model_that_diverges_ends_the_run_and_the_summary_says_so(tiny: Setting):
    training = replace(tiny.training, learning_rate=1_000.0, weight_decay=1.0, epochs=20)
    summary = simulate(replace(tiny, training=training)).summary
    assert summary["diverged"]["round"] == 1
    assert summary["rounds"] == []
    assert "NaN or infinite" in summary["diverged"]["message"]
    assert 0 <= summary["final_accuracy"] <= 1


def test_the_summary_adds_up(tiny: Setting):
    summary = simulate(replace(tiny, attack="sign-flip", attackers=1)).summary
    paid = [sum(one["pay"][k] for one in summary["rounds"]) for k in range(5)]
    assert [trainer["pay"] for trainer in summary["trainers"]] == paid
    assert [trainer["attacker"] for trainer in summary["trainers"]] == [False] * 4 + [True]
    assert summary["attackers_pay_share"] == paid[4] / sum(paid)
    assert summary["final_accuracy"] == summary["rounds"][-1]["accuracy"]
    assert summary["parameters"] == 64 * 4 + 4 + 4 * 10 + 10
    assert len(summary["recall"]) == 10
    assert np.mean(summary["recall"]) == pytest.approx(summary["final_accuracy"], abs=0.02)
    assert 0 <= summary["backdoor_success"] <= 1


def test_more_samples_than_there_are_and_a_model_that_does_not_fit_are_refused(tiny: Setting):
    with pytest.raises(DataError, match="1797 samples can't be split"):
        prepare(replace(tiny, training_samples=1_700))
    with pytest.raises(ModelError, match="5 x 5 = 25; it must equal the 30 inputs"):
        prepare(replace(tiny, dataset="breast-cancer", model="cnn", training_samples=200))


def test_with_worker_momentum_everybody_sends_a_moving_average(tiny: Setting, views: list[AttackView]):
    setting = replace(tiny, worker_momentum=0.5, rounds=3, attack="spy", attackers=1)
    _, results = played(setting)
    averages = results[0].submissions.trained
    assert results[0].state.averages is None
    for result, view in zip(results[1:], views[1:], strict=True):
        alone = play_round(
            federation := prepare(setting), federation.build_model(), replace(result.state, averages=None)
        )
        averages = 0.5 * averages + 0.5 * alone.submissions.trained
        assert np.array_equal(result.submissions.trained, averages)
        assert np.array_equal(view.own, averages[-1:])
        assert np.array_equal(result.submissions.sent[-1], -2 * averages[-1])
