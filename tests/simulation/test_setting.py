"""A setting says everything that a run depends on, refuses what can't be run, and survives being written down."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.simulation.attacks import ATTACKS
from benchmarks.simulation.errors import SettingError
from benchmarks.simulation.grid import combinations, parse_model, parse_partition, parse_seeds
from benchmarks.simulation.presets import PRESETS, preset_named
from benchmarks.simulation.rules import RULE_NAMES
from benchmarks.simulation.setting import Setting, setting_from_json, setting_to_json
from marketplace.training.configuration import TrainingConfiguration

DIGITS = PRESETS["digits-mlp"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_setting_survives_being_written_down(name: str):
    text = json.dumps(setting_to_json(PRESETS[name]))
    again = setting_from_json(json.loads(text))
    assert again == PRESETS[name]
    assert again.digest == PRESETS[name].digest


def test_the_digest_tells_settings_apart_and_is_the_same_in_every_process():
    assert Setting("digits", "mlp", (32,), TrainingConfiguration(), 900).digest == "c5a102adf2b031d2"
    assert replace(DIGITS, seed=1).digest != DIGITS.digest
    assert replace(DIGITS, training=replace(DIGITS.training, epochs=3)).digest != DIGITS.digest


def test_equal_numbers_of_another_type_give_the_same_digest():
    whole = replace(DIGITS, skew=1, training=TrainingConfiguration(learning_rate=1, momentum=0))
    broken = replace(DIGITS, skew=1.0, training=TrainingConfiguration(learning_rate=1.0, momentum=0.0))
    assert whole.digest == broken.digest


def test_every_fault_is_listed_at_once():
    with pytest.raises(SettingError) as caught:
        replace(DIGITS, dataset="iris", rule="best", trainers=4, seed=-1, attackers=2)
    message = str(caught.value)
    assert len(caught.value.faults) == 5
    assert "digits, breast-cancer, mnist, fashion-mnist" in message
    assert all(name in message for name in RULE_NAMES)
    assert "4 trainers can't tolerate 3 faulty ones; it takes at least 2 x 3 + 3 = 9" in message
    assert "seed is -1; it must be from 0 to 4294967295" in message
    assert "2 attackers have no attack" in message


def test_vectors_of_a_referee_need_one_and_are_bounded():
    assert replace(DIGITS, reference_vectors=9).references == 9
    assert replace(DIGITS, referee_samples=0).references == 0
    with pytest.raises(SettingError, match="reference_vectors is 10; it must be from 1 to 9"):
        replace(DIGITS, reference_vectors=10)
    with pytest.raises(SettingError, match="reward_decay is 3; it must be from 0 to 2"):
        replace(DIGITS, reward_decay=3)
    with pytest.raises(SettingError, match=r"worker_momentum is 1\.0; it must be from 0 to 0\.99"):
        replace(DIGITS, worker_momentum=1.0)
    with pytest.raises(SettingError, match="3 vectors of a referee need one"):
        replace(DIGITS, reference_vectors=3, referee_samples=0)


def test_an_unknown_attack_is_refused_with_the_known_ones():
    with pytest.raises(SettingError) as caught:
        replace(DIGITS, attack="bribe", attackers=10, strength=float("nan"))
    assert all(name in str(caught.value) for name in ATTACKS)
    assert "10 of 10 trainers attack; it must be 1 to 9" in str(caught.value)
    assert "the strength is nan" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "colour is not a field"),
        ({"training": {"epoch": 1}}, "training.epoch is not a field"),
        ({"rounds": "3"}, "rounds: Input should be a valid integer"),
    ],
)
def test_what_is_no_setting_is_refused(change: dict[str, object], message: str):
    with pytest.raises(SettingError, match=message):
        setting_from_json(setting_to_json(DIGITS) | change)


def test_a_setting_is_an_object_with_its_required_fields():
    with pytest.raises(SettingError, match="is a JSON object"):
        setting_from_json([])
    with pytest.raises(SettingError, match="dataset: Field required"):
        setting_from_json({"training": {}})


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match="digits-mlp, breast-cancer-logistic, fashion-mlp, mnist-cnn"):
        preset_named("imagenet")


def test_every_combination_is_made_and_strengths_are_for_attacks_alone():
    settings = combinations(
        DIGITS,
        partitions=[("iid", 0.0), ("dirichlet", 0.3)],
        rules=["mean", "multi-krum"],
        attacks=["none", "sign-flip"],
        attackers=None,
        strengths=[1.0, 2.0],
        seeds=[0, 1],
    )
    assert len(settings) == len({setting.digest for setting in settings}) == 2 * 2 * 2 * (1 + 2)
    attacked = [setting for setting in settings if setting.attack]
    assert {(setting.attackers, setting.strength) for setting in attacked} == {(3, 1.0), (3, 2.0)}
    assert all(s.attackers == 0 and s.strength is None for s in settings if not s.attack)


def test_nothing_asked_for_is_the_base_itself():
    assert combinations(DIGITS, partitions=[], rules=[], attacks=[], attackers=None, strengths=[], seeds=[]) == [DIGITS]


def test_words_of_the_command_line_are_read():
    assert parse_partition("dirichlet:0.1") == ("dirichlet", 0.1)
    assert parse_partition("size-skew") == ("size-skew", 10.0)
    assert parse_model("cnn:8,16") == ("cnn", (8, 16))
    assert parse_model("logistic-regression") == ("logistic-regression", ())
    assert parse_seeds("3") == [3]
    assert parse_seeds("2-4") == [2, 3, 4]


@pytest.mark.parametrize("text", ["", "a", "3-1", "1-", "1-b"])
def test_what_names_no_seeds_is_refused(text: str):
    with pytest.raises(SettingError, match="names no seeds"):
        parse_seeds(text)


@pytest.mark.parametrize(
    ("text", "message"), [("zipf:2", "'zipf' is not known; choose one of iid"), ("iid:x", "no number")]
)
def test_what_is_no_partition_is_refused(text: str, message: str):
    with pytest.raises(SettingError, match=message):
        parse_partition(text)


def test_a_preset_is_no_larger_than_its_data():
    assert isinstance(DIGITS, Setting)
    held_out = DIGITS.referee_samples + DIGITS.validation_samples + DIGITS.test_samples
    assert held_out + DIGITS.training_samples <= 1_797
