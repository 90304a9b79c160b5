"""The faithfulness experiment: its scenarios, its figures, and that the market's scorer sees what the referee sees."""

import pytest

from benchmarks.evidence import faithfulness
from benchmarks.evidence.faithfulness import EXACT, GRAM, SCENARIOS, TRUTH
from benchmarks.simulation.presets import PRESETS


def row(scenario: str, values: list[float], exact: list[float] | None = None, attackers: int = 0) -> dict:
    truth = [4.0, 3.0, 2.0, 1.0]
    found = dict.fromkeys(faithfulness.SCORERS, truth) | {TRUTH: truth, GRAM: values, EXACT: exact or truth}
    return {"preset": "digits-mlp", "scenario": scenario, "seed": 0, "attackers": attackers, "values": found}


def test_every_scenario_is_a_job_that_can_be_run() -> None:
    assert len(SCENARIOS) == 8
    for name, scenario in SCENARIOS.items():
        setting = faithfulness.setting_of("digits-mlp", name, 5)
        assert (setting.seed, setting.attackers) == (5, scenario.attackers)
        assert setting.reference_vectors == 9


def test_ranks_are_compared_and_equal_values_say_nothing() -> None:
    assert faithfulness.spearman(row("ALIE", [9, 8, 7, 6]), GRAM) == pytest.approx(1)
    assert faithfulness.spearman(row("ALIE", [1, 2, 3, 4]), GRAM) == pytest.approx(-1)
    assert faithfulness.spearman(row("ALIE", [2, 2, 2, 2]), GRAM) == 0


def test_scenarios_count_alike_however_many_seeds_they_have() -> None:
    rows = [row("ALIE", [4, 3, 2, 1])] * 3 + [row("sign flip", [1, 2, 3, 4])]
    assert faithfulness.mean_spearman(rows, GRAM) == pytest.approx(0)


def test_goals_ask_for_the_gap_and_for_cheats_last_where_exact_evaluation_has_them_last() -> None:
    good = [row("sign flip", [4, 3, 2, 1], attackers=2)]
    assert [goal.met for goal in faithfulness.goals("digits-mlp", good)] == [True, True]
    bad = [row("sign flip", [4, 1, 2, 3], attackers=2)]
    assert [goal.met for goal in faithfulness.goals("digits-mlp", bad)] == [False, False]
    unseen = [row("sign flip", [4, 1, 2, 3], exact=[4, 1, 2, 3], attackers=2)]
    assert [goal.met for goal in faithfulness.goals("digits-mlp", unseen)] == [True]
    assert [goal.met for goal in faithfulness.goals("mnist-cnn", bad)] == [False, False]


def test_the_page_has_a_column_for_each_scenario_and_says_what_is_missed(tmp_path) -> None:
    rows = [row(name, [4, 1, 2, 3], attackers=2) for name in SCENARIOS]
    page = tmp_path / "faithfulness.md"
    faithfulness.write_page(rows, faithfulness.goals("digits-mlp", rows), page)
    text = page.read_text()
    assert all(name in text for name in (*SCENARIOS, *faithfulness.SCORERS))
    assert "MISSED" in text


@pytest.mark.slow
def test_the_markets_scorer_is_close_to_the_truth_where_honest_trainers_differ() -> None:
    found = faithfulness.measure("digits-mlp", "label noise", 0, None)
    assert set(found["values"]) == {TRUTH, *faithfulness.SCORERS}
    assert {len(values) for values in found["values"].values()} == {PRESETS["digits-mlp"].trainers}
    # In nats, the scorer's values are about those of exact evaluation, not only in the same order.
    assert sum(found["values"][GRAM]) == pytest.approx(sum(found["values"][EXACT]), rel=0.5)
    assert faithfulness.spearman(found, GRAM) > 0.9


def test_what_is_in_the_file_is_not_measured_again(tmp_path, monkeypatch) -> None:
    measured = []

    def measure(data_dir, wanted):
        measured.append(wanted)
        preset, scenario, seed = wanted
        digest = faithfulness.setting_of(preset, scenario, seed).digest
        return {"format": faithfulness.FORMAT, "digest": digest, **row(scenario, [4, 3, 2, 1]), "seed": seed}

    monkeypatch.setattr(faithfulness, "_measured", measure)
    out, told = tmp_path / "rows.jsonl", []
    first = faithfulness.run({"digits-mlp": [1]}, None, told.append, out=out)
    assert len(measured) == len(told) == len(first) == len(SCENARIOS)
    out.write_bytes(out.read_bytes() + b'{"half a li')
    both = faithfulness.run({"digits-mlp": [0, 1]}, None, told.append, out=out)
    assert {seed for _, _, seed in measured[len(SCENARIOS) :]} == {0}
    assert len(measured) == len(both) == 2 * len(SCENARIOS)
    assert both[len(SCENARIOS) :] == first
    assert [found["seed"] for found in both] == [0] * len(SCENARIOS) + [1] * len(SCENARIOS)
