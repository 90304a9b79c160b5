"""The robustness experiment: what it runs, what it makes of the results, and what it calls missed."""

import pytest

from benchmarks.evidence import robustness
from benchmarks.simulation.attacks import ATTACKS, Aim
from benchmarks.simulation.errors import SettingError
from contribution.rules import DEFAULT_RULE

SEEDS = (3, 4)


def line(rule: str, attack: str | None, seed: int, accuracy: float, share: float, smallest_pay: int = 5) -> dict:
    trainers = [{"attacker": False, "samples": 10, "pay": smallest_pay}, {"attacker": False, "samples": 30, "pay": 9}]
    result = {"late_accuracy": accuracy, "attackers_pay_share": share, "backdoor_success": 0.25, "trainers": trainers}
    return {"setting": {"rule": rule, "attack": attack, "seed": seed}, "result": result}


def tuned(attack: str, strength: float, accuracy: float, share: float) -> dict:
    found = line(DEFAULT_RULE, attack, 7, accuracy, share)
    found["setting"]["strength"] = strength
    return found


def lines(**changed) -> list[dict]:
    """The mean reaches 80 and 82 %, the rule as much; under attack it loses 2 points and pays 1 %."""
    found = [line("mean", None, 3, 0.80, 0), line("mean", None, 4, 0.82, 0)]
    found += [line(DEFAULT_RULE, None, 3, 0.80, 0), line(DEFAULT_RULE, None, 4, 0.82, 0, changed.get("smallest", 5))]
    for name in ATTACKS:
        lost, share = changed.get(name, (0.02, 0.01))
        found += [line(DEFAULT_RULE, name, 3, 0.80 - lost, share), line(DEFAULT_RULE, name, 4, 0.82 - lost, share)]
    return found


def judged(found: list[dict]) -> list[str]:
    return [goal.name for goal in robustness.goals(robustness.summarise(found), found) if not goal.met]


def test_every_attack_runs_with_every_seed_against_the_same_job() -> None:
    chosen = robustness.settings(robustness.JUDGED, SEEDS, {"alie": 4.0})
    assert len({setting.digest for setting in chosen}) == (len(ATTACKS) + 2) * len(SEEDS)
    assert {setting.attack for setting in chosen} == {None, *ATTACKS}
    assert {setting.server_momentum for setting in chosen} == {robustness.SERVER_MOMENTUM}
    attacked = [setting for setting in chosen if setting.attack]
    assert {(s.rule, s.attackers, s.reference_vectors) for s in attacked} == {(DEFAULT_RULE, 3, 9)}
    assert {s.attack: s.strength for s in attacked} == dict.fromkeys(ATTACKS) | {"alie": 4.0}


def test_attackers_tune_every_strength_on_seeds_that_are_not_reported() -> None:
    chosen = robustness.tuning_settings((7,), SEEDS)
    assert {(s.attack, s.strength) for s in chosen} == {
        (name, strength)
        for name, attack in ATTACKS.items()
        for strength in attack.grid
        if len(attack.grid) > 1 and attack.aim is not Aim.INFLATE
    }
    assert {s.seed for s in chosen} == {7}
    with pytest.raises(SettingError, match="Seed 4 is to be tuned on and to be reported"):
        robustness.tuning_settings((4, 7), SEEDS)


def test_the_strength_that_serves_an_attack_best_is_chosen() -> None:
    # A poisoner wants the accuracy low, a free rider the pay high; both by the mean of the seeds.
    found = [
        tuned("alie", 0.5, 0.7, 0.3),
        tuned("alie", 1.0, 0.6, 0.2),
        tuned("alie", 0.5, 0.4, 0.3),
        tuned("alie", 1.0, 0.6, 0.2),
        tuned("free-rider-random", 0.1, 0.5, 0.0),
        tuned("free-rider-random", 1.0, 0.8, 0.1),
    ]
    found += [tuned("alie", strength, 0.9, 0.0) for strength in ATTACKS["alie"].grid if strength > 1]
    found += [tuned("free-rider-random", 3.0, 0.1, 0.05)]
    assert robustness.chosen_strengths(found) == {"alie": 0.5, "free-rider-random": 1.0}


def test_losses_are_by_seed_and_intervals_are_students() -> None:
    rows = {row.attack: row for row in robustness.summarise(lines(**{"sign-flip": (0.05, 0.03)}))}
    flipped = rows["sign-flip"]
    assert flipped.accuracy.mean == pytest.approx(0.76)
    # Two seeds: 12.706 times the standard deviation over the root of two.
    assert flipped.accuracy.margin == pytest.approx(12.7062 * 0.01, rel=1e-4)
    assert flipped.mean_loss == pytest.approx((0.05 / 0.80 + 0.05 / 0.82) / 2)
    assert flipped.worst_loss == pytest.approx(0.05 / 0.80)
    assert flipped.backdoor_success is None
    assert rows["backdoor"].backdoor_success == 0.25
    assert robustness.summarise(lines()[::2])[0].accuracy.margin is None


def test_all_goals_are_met_by_results_that_meet_them() -> None:
    assert judged(lines()) == []


@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({"sign-flip": (0.04, 0.01)}, ["share of the calm accuracy lost to sign-flip"]),
        ({"sign-flip": (0.02, 0.03)}, ["share of the pay to sign-flip"]),
        ({"ipm-omniscient": (0.02, 0.03)}, []),
        ({"ipm-omniscient": (0.02, 0.06)}, ["share of the pay to ipm-omniscient"]),
        ({"free-rider-zero": (0.5, 0.01)}, []),
        ({"sybil-split": (0.5, 0.9)}, []),
        ({"sybil-copies": (0.0, 0.0106)}, ["pay of copies, by that of one"]),
        ({"smallest": 0}, ["calm runs in which the smallest trainer was paid nothing"]),
    ],
)
def test_what_misses_a_goal_is_named(changed, missed) -> None:
    assert judged(lines(**changed)) == missed


def test_a_rule_that_costs_accuracy_without_attack_is_named() -> None:
    found = lines()
    for entry in found[2:4]:
        entry["result"]["late_accuracy"] -= 0.011
    assert judged(found) == ["accuracy lost without attack, of 1"]


def test_the_page_has_every_attack_the_worst_first_and_what_was_missed(tmp_path) -> None:
    found = lines(**{"ipm-0.1": (0.3, 0.01)})
    rows = robustness.summarise(found)
    page = tmp_path / "evidence" / "robustness.md"
    robustness.write_page(rows, rows, robustness.goals(rows, found), SEEDS, (7,), page)
    text = page.read_text()
    assert "<svg" in page.with_suffix(".svg").read_text()
    text, second = text.split("## Digits")
    assert second.count("| ipm-0.1 |") == 1
    assert "- share of the calm accuracy lost to ipm-0.1: 0.37" in second
    table = [row.split(" | ")[0].strip("| ") for row in text.splitlines() if row.startswith("| ")][1:]
    assert set(table) == set(ATTACKS)
    assert table[0] == "ipm-0.1"
    written = robustness.as_json(rows, rows, robustness.goals(rows, found), {"alie": 0.5})
    assert written["goals"][0]["met"]
    assert written["rows"][robustness.TUNED][1]["honest_share"] == pytest.approx(1.0)
