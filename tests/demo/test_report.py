"""The report says what the issue of a demonstration asks, and says it of this run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from contribution.outcome import Reason
from marketplace.demo.report import VERIFICATION, closing_lines, write_report
from marketplace.training.scenario import Role
from zk.gram_proof.proof import PROOF_BYTES

pytestmark = pytest.mark.slow

FIELDS = {
    "final_accuracy",
    "fedavg_honest_accuracy",
    "seconds",
    "trainers",
    "rounds",
    "money",
    "verification",
    "machine",
    "versions",
    "seed",
}
MONEY = {"deposited_wei", "paid_wei", "fees_wei", "refunded_wei", "dust_wei"}


def test_report_survives_the_way_through_its_file(short_demo, tmp_path: Path):
    path = tmp_path / "new" / "report.json"
    write_report(short_demo.report, path)
    assert json.loads(path.read_text("utf-8")) == short_demo.report
    assert [entry.name for entry in path.parent.iterdir()] == ["report.json"]


def test_report_has_every_field(short_demo):
    report = short_demo.report
    assert report.keys() >= FIELDS
    assert set(report["money"]) == MONEY
    for trainer in report["trainers"]:
        assert trainer.keys() >= {"address", "role", "paid_wei", "rounds_selected", "exclusions"}
    for entry in report["rounds"]:
        assert entry.keys() >= {"round", "accuracy", "trainers"}
        for trainer in entry["trainers"]:
            assert trainer.keys() >= {"address", "selected", "reason", "explanation", "shapley", "pay_wei"}


def test_rounds_and_trainers_are_all_there_and_agree(short_demo):
    report = short_demo.report
    assert [entry["round"] for entry in report["rounds"]] == [1, 2]
    assert sorted(trainer["role"] for trainer in report["trainers"]) == sorted(
        [Role.HONEST] * 4 + [Role.SIGN_FLIP, Role.LABEL_FLIP, Role.FREE_RIDER]
    )
    for place, trainer in enumerate(report["trainers"]):
        mine = [entry["trainers"][place] for entry in report["rounds"]]
        assert {entry["address"] for entry in mine} == {trainer["address"]}
        assert trainer["paid_wei"] == sum(entry["pay_wei"] for entry in mine)
        assert trainer["rounds_selected"] == sum(entry["selected"] for entry in mine)
        assert len(trainer["exclusions"]) == 2 - trainer["rounds_selected"]


def test_final_accuracy_is_the_last_models_on_the_test_set(short_demo):
    run, report = short_demo.run, short_demo.report
    model = run.view.document.build_model()
    from marketplace.training.evaluate import evaluate
    from marketplace.training.models import set_vector

    set_vector(model, run.view.model_after(2))
    assert report["final_accuracy"] == report["rounds"][-1]["accuracy"] == evaluate(model, run.scenario.test).accuracy


def test_cheats_are_paid_nothing_and_the_free_rider_is_told_why(short_demo):
    paid = {trainer["role"]: trainer for trainer in short_demo.report["trainers"]}
    for role in (Role.SIGN_FLIP, Role.LABEL_FLIP, Role.FREE_RIDER):
        assert paid[role]["paid_wei"] == 0
    assert {entry["reason"] for entry in paid[Role.FREE_RIDER]["exclusions"]} == {Reason.ZERO_UPDATE}


def test_pay_follows_the_positive_shares(short_demo):
    # Of two rounds the first pays four times the second.
    assert short_demo.report["reward_decay"] == 2
    average = short_demo.report["reward_per_round_wei"]
    assert [entry["reward_wei"] for entry in short_demo.report["rounds"]] == [8 * average // 5, 2 * average // 5]
    for entry in short_demo.report["rounds"]:
        shares = np.array([max(trainer["shapley"], 0.0) for trainer in entry["trainers"]])
        pay = np.array([trainer["pay_wei"] / entry["reward_wei"] for trainer in entry["trainers"]])
        np.testing.assert_allclose(pay, shares / shares.sum(), atol=1e-12)


def test_deciding_numbers_decide(short_demo):
    for entry in short_demo.report["rounds"]:
        for trainer in entry["trainers"]:
            match trainer["reason"]:
                case Reason.KEPT:
                    assert trainer["measured"] >= trainer["limit"]
                case Reason.NO_GAIN:
                    assert trainer["measured"] <= trainer["limit"]
                case Reason.ZERO_UPDATE:
                    assert trainer["measured"] == 0


def test_settlements_were_proven_and_the_last_line_says_so(short_demo):
    assert short_demo.report["verification"] == VERIFICATION
    assert VERIFICATION in closing_lines(short_demo.report)[-1]
    settled = [record for record in short_demo.run.view.history().rounds.values() if record.settled]
    assert all(len(record.proof) == PROOF_BYTES for record in settled)


def test_last_lines_name_accuracies_cheats_and_the_sum(short_demo):
    report = short_demo.report
    text = "\n".join(closing_lines(report))
    assert f"{report['final_accuracy']:.2%}" in text
    assert f"{report['fedavg_honest_accuracy']:.2%}" in text
    for words in ("sign-flip poisoner", "label-flip poisoner", "free rider"):
        assert any(words in line and "was paid 0 wei" in line for line in text.splitlines())
    money = report["money"]
    assert f"= {money['deposited_wei']} wei deposited" in text


def test_progress_is_told_in_order(short_demo):
    assert short_demo.events == ["created", "joined", "round", "round", "ended", "withdrawn", "audited"]
