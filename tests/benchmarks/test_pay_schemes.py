"""What attackers would earn by other ways to share out the same contributions."""

import numpy as np
import pytest

from benchmarks.evidence import pay_schemes
from benchmarks.evidence.pay_schemes import EXPLORED, SCHEMES, shares


def line(contributions: list[list[int]], rounds: int, void: tuple[int, ...] = ()) -> dict:
    told = [{"void": k in void, "contributions": row} for k, row in enumerate(contributions)]
    result = {"rounds": told, "trainers": [{}] * len(contributions[0])}
    return {"setting": {"rounds": rounds, "attack": None}, "result": result}


def test_every_scheme_pays_out_all_and_alike_for_equal_work():
    for scheme in SCHEMES.values():
        assert shares(line([[2, 2, 2, 2]] * 7, 7), scheme) == pytest.approx([0.25] * 4)
        assert shares(line([[0, 0, 0, 0]] * 7, 7), scheme) == pytest.approx([0] * 4)
        assert shares(line([[1, 1]] * 3, 3, void=(0, 1, 2)), scheme) == pytest.approx([0, 0])


def test_harm_takes_nothing_back_unless_contributions_are_summed():
    contributions = [[1, 1], [2, -2]]
    # The first round weighs 4 and the second 1; the second's harm is a whole reward.
    by_scheme = {name: shares(line(contributions, 2), scheme)[1] for name, scheme in SCHEMES.items()}
    assert by_scheme["each round by itself"] == pytest.approx(0.5 * 4 / 5)
    assert by_scheme["the whole job at its end"] == pytest.approx(0.25)
    assert by_scheme["each round by all to date"] == pytest.approx(0.5 * 4 / 5)


def test_after_exploring_the_merit_of_the_first_rounds_is_paid_to_who_still_helps():
    contributions = [[3, 1, 0]] * EXPLORED + [[1, 1, 1], [0, 1, 1]]
    found = shares(line(contributions, EXPLORED + 2), SCHEMES[f"explore {EXPLORED} rounds, then exploit"])
    weights = np.arange(EXPLORED + 2, 0, -1.0) ** 2
    expected = (weights[:-1].sum() * np.array([0.75, 0.25, 0]) + weights[-1] * np.array([0, 1, 0])) / weights.sum()
    assert found == pytest.approx(expected)


def test_a_void_round_leaves_the_last_reward_unpaid():
    played = shares(line([[9, 0], [1, 0], [0, 1]], 3, void=(0,)), SCHEMES["each round by itself"])
    assert played == pytest.approx([9 / 13, 4 / 13])


def test_the_page_names_what_earns_and_leaves_out_what_does_not(tmp_path):
    honest = line([[1, 1, 1, 1]], 1)
    paid, unpaid = (line([[1, share, 0, 0]], 1) for share in (1, 0))
    lines = [found | {"setting": {"rounds": 1, "attack": name}} for name, found in (("a", paid), ("b", unpaid))]
    pay_schemes.write_page([*lines, honest], tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text("utf-8")
    assert "| none, honest work | 75.00 |" in text
    assert "| a | 50.00 |" in text
    assert "| b |" not in text
