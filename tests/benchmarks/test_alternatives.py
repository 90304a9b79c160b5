"""The comparison of the default with what could stand in its place."""

import pytest

from benchmarks.evidence import alternatives
from benchmarks.evidence.alternatives import ALTERNATIVES, ATTACKS_MET, DEFAULT, PLAIN_MEAN
from benchmarks.evidence.robustness import JUDGED
from benchmarks.simulation.attacks import ATTACKS
from contribution.rules import DEFAULT_RULE, RULES

SEEDS = (3, 4)


def lines(changed: dict[tuple[str, str | None], float]) -> list[dict]:
    """The plain mean reaches 80 and 82 % without attack; everything loses 2 points unless it is said otherwise."""
    chosen = alternatives.settings(JUDGED, SEEDS)
    names = [name for name in ALTERNATIVES for _ in range((1 + len(ATTACKS_MET)) * len(SEEDS))]
    found = []
    for name, setting in zip(names, chosen, strict=True):
        calm = name == PLAIN_MEAN and setting.attack is None
        lost = changed.get((name, setting.attack), 0.0 if calm else 0.02)
        pays = setting.rule in RULES
        trainers = [{"pay": 3 if pays else 0}] * 10
        result = {
            "late_accuracy": {3: 0.80, 4: 0.82}[setting.seed] - lost,
            "attackers_pay_share": (0.1 if setting.attack else None) if pays else None,
            "trainers": trainers,
        }
        found.append({"setting": {"rule": setting.rule}, "result": result})
    return found


def test_every_alternative_meets_every_attack_and_changes_only_what_it_names():
    chosen = alternatives.settings(JUDGED, SEEDS)
    assert len({setting.digest for setting in chosen}) == len(chosen)
    assert len(chosen) == len(ALTERNATIVES) * (1 + len(ATTACKS_MET)) * len(SEEDS)
    assert set(ATTACKS_MET) <= set(ATTACKS)
    default = chosen[0]
    assert (default.rule, default.reference_vectors, default.server_momentum) == (DEFAULT_RULE, 9, 0.9)
    for changes in ALTERNATIVES.values():
        assert all(getattr(default, field) != value for field, value in changes.items())


def test_losses_are_counted_from_the_plain_mean_without_attack():
    rows = {row.name: row for row in alternatives.compare(lines({(DEFAULT, "sign-flip"): 0.04}), SEEDS)}
    assert rows[PLAIN_MEAN].calm_loss.mean == 0
    assert rows[DEFAULT].worst == "sign-flip"
    assert rows[DEFAULT].losses["sign-flip"].mean == pytest.approx((0.04 / 0.80 + 0.04 / 0.82) / 2)
    assert rows[DEFAULT].honest_share == pytest.approx(0.3)
    assert rows[DEFAULT].shares["alie-omniscient"].mean == pytest.approx(0.1)
    assert not rows["geometric median"].pays
    assert rows["geometric median"].honest_share is None
    assert rows["geometric median"].shares == {}


def test_an_alternative_that_withstands_attacks_clearly_better_is_a_miss():
    assert all(goal.met for goal in alternatives.goals(alternatives.compare(lines({}), SEEDS)))
    better = {("geometric median", attack): 0.005 for attack in ATTACKS_MET}
    missed = [goal for goal in alternatives.goals(alternatives.compare(lines(better), SEEDS)) if not goal.met]
    assert [goal.name for goal in missed] == ["accuracy lost to the worst attack, more than with geometric median"]


def test_the_page_has_a_row_for_every_alternative_and_pay_only_for_those_that_pay(tmp_path):
    rows = alternatives.compare(lines({}), SEEDS)
    page = tmp_path / "page.md"
    alternatives.write_page({JUDGED: rows}, alternatives.goals(rows), SEEDS, page)
    text = page.read_text("utf-8")
    assert all(
        text.count(f"| {name} |") == (2 if row.pays else 1) for name, row in zip(ALTERNATIVES, rows, strict=True)
    )
    assert text.endswith("Met.\n")
