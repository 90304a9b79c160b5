"""An owner creates a job, looks at it, aborts it; anybody sees what happened in it and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from contribution.reward_schedule import DEFAULT_DECAY
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.market import Market
from marketplace.job.gas import gas_of
from marketplace.job.limits import MAX_REFERENCES, least_penalty
from marketplace.job.specification import example
from tests.cli.conftest import AGGREGATOR, FIRST_TRAINER, OWNER, TRAINERS, RunningJob, answer, cairn, ok, refused

ETHER = 10**18


def test_the_example_can_name_another_aggregator(passphrase: Path) -> None:
    assert ok("job", "example").stdout == example()
    made = answer("key", "new", "agg", "--passphrase-file", passphrase)
    text = ok("job", "example", "--aggregator", "agg").stdout
    assert f'aggregator = "{made["address"]}"' in text
    assert "account 1 of every local chain" not in text
    assert answer("job", "example", "--aggregator", made["address"])["toml"] == text


def test_a_dry_run_tells_the_cost_and_sends_nothing(job_file: Path, deployed: Market, tmp_path: Path) -> None:
    before = deployed.w3.eth.block_number, deployed.job_count()
    result = ok("job", "create", job_file, "--dry-run", "--dev-account", OWNER)
    for words in (
        "Total cost    3.3 ether",
        "  rewards       3 ether: 1 ether a round on average, falling with the square of the rounds left",
        "Worst case    3.3 ether",
        "Earliest end  18 s after the start",
    ):
        assert words in result.stdout
    told = answer("job", "create", job_file, "--dry-run", "--dev-account", OWNER)
    assert (told["deposit_wei"], told["earliest_end_seconds"]) == (33 * ETHER // 10, 18)
    assert (told["first_reward_wei"], told["last_reward_wei"]) == (27 * ETHER // 14, 3 * ETHER // 14)
    assert told["owner_gas_worst_wei"] > told["owner_gas_wei"] > 0
    assert (deployed.w3.eth.block_number, deployed.job_count()) == before
    assert not (tmp_path / "home" / "store").exists()


def test_a_dry_run_tells_a_gas_figure_that_suffices(job_file: Path, deployed: Market) -> None:
    told = answer("job", "create", job_file, "--dry-run", "--dev-account", OWNER)
    balance = deployed.w3.eth.get_balance(dev_account(OWNER).address)
    answer("job", "create", job_file, "--dev-account", OWNER)
    spent = balance - deployed.w3.eth.get_balance(dev_account(OWNER).address)
    create = next(line["gas"] for line in told["gas"] if line["step"] == "create")
    assert 0 < spent - told["deposit_wei"] <= create * 2 * told["gas_price_wei"]


def test_the_gas_that_is_told_is_what_a_round_takes(running_job: Callable[[], RunningJob]) -> None:
    for step, used in running_job().settle(1).items():
        assert used <= 1.02 * gas_of(step, TRAINERS, MAX_REFERENCES) <= 1.3 * used, step


def test_a_job_is_created_listed_and_shown(job_file: Path, deployed: Market) -> None:
    made = answer("job", "create", job_file, "--dev-account", OWNER)
    number = made["job"]
    assert number == deployed.job_count()
    listed = answer("job", "list")["jobs"][-1]
    assert (listed["job"], listed["state"], listed["accepted"]) == (number, "open", False)
    assert f"{number}  open" in ok("job", "list").stdout
    shown = answer("job", "show", number)
    assert shown["specification_cid"] == made["specification_cid"]
    assert (shown["document"]["title"], shown["document"]["server_momentum"]) == ("Handwritten digits", 0)
    assert shown["money"]["escrow_wei"] == made["deposit_wei"] == 33 * ETHER // 10
    text = ok("job", "show", number).stdout
    for words in (
        f"Job {number}: Handwritten digits",
        "the aggregator has not accepted yet",
        "Pay           1 ether a round on average, falling with the square of the rounds left: about 1.929 ether in "
        "the first, about 0.2143 ether in the last, to trainers by contribution; 3 rounds",
        "Fees          0.1 ether a round to the aggregator, 0 wei to the referee",
        "proven on chain in every round, INSECURELY",
        "Nobody has joined yet.",
    ):
        assert words in text


def test_a_job_with_curvature_vectors_says_so_and_costs_the_aggregator_more(job_file: Path) -> None:
    usual = job_file.read_text("utf-8")
    job_file.write_text(usual.replace("# reference_vectors = 9", "reference_vectors = 1"), "utf-8")
    plain = answer("job", "create", job_file, "--dev-account", OWNER, "--dry-run")
    job_file.write_text(usual, "utf-8")
    further = answer("job", "create", job_file, "--dev-account", OWNER, "--dry-run")
    assert further["aggregator_gas_per_round"] > plain["aggregator_gas_per_round"]
    assert further["trainer_gas_per_round"] == plain["trainer_gas_per_round"]
    number = str(answer("job", "create", job_file, "--dev-account", OWNER)["job"])
    shown = answer("job", "show", number)
    assert shown["terms"]["reference_vectors"] == 9
    assert shown["gas"]["aggregator_round"] == further["aggregator_gas_per_round"]
    assert "(posts 8 curvature vectors beside its reference)" in ok("job", "show", number).stdout


def test_a_document_that_is_not_at_hand_is_told(job_file: Path, tmp_path: Path) -> None:
    made = answer("job", "create", job_file, "--dev-account", OWNER)
    text = ok("job", "show", made["job"], "--store", tmp_path / "empty").stdout
    assert f"Content {made['specification_cid']} is not in" in text
    assert "Pay           1 ether a round on average" in text


def test_rounds_are_shown_with_who_was_dropped_and_why(running_job: Callable[[], RunningJob]) -> None:
    job = running_job()
    job.settle(1)
    shown = answer("job", "show", job.number)
    entry = shown["rounds"][0]
    assert entry["result"] == "settled"
    reasons = [trainer["reason"] for trainer in entry["trainers"]]
    assert reasons[0] == "zero update"
    assert reasons[1:] == ["kept"] * 4
    explanations = [trainer["explanation"] for trainer in entry["trainers"]]
    assert explanations[0] == "dropped as a zero update: squared norm 0"
    assert all("Shapley value" in sentence and "of the round's pay" in sentence for sentence in explanations[1:])
    kept = [trainer for trainer in entry["trainers"] if trainer["selected"]]
    assert sum(trainer["shapley_share"] for trainer in kept) == pytest.approx(1)
    assert entry["reward_wei"] == shown["terms"]["first_reward_wei"] > ETHER
    assert 0 <= entry["reward_wei"] - sum(trainer["pay_wei"] for trainer in entry["trainers"]) < 5, "dust in escrow"
    assert all(trainer["pay_wei"] == 0 for trainer in entry["trainers"] if not trainer["selected"])
    assert [trainer["pending_round"] for trainer in shown["trainers"]].count(1) == 4
    text = ok("job", "show", job.number).stdout
    assert "Round 1, settled" in text
    assert all(sentence in text for sentence in explanations)
    assert "State         running, round 2 of 3, submitting until" in text


def test_void_expired_and_absent_are_shown(running_job: Callable[[], RunningJob]) -> None:
    job = running_job()
    job.ledger.advance_time(60)
    job.market.void_round(dev_account(OWNER), job.number, 1)
    entry = answer("job", "show", job.number)["rounds"][0]
    assert (entry["result"], entry["void_cause"]) == ("void", "too few submitted")
    assert {trainer["reason"] for trainer in entry["trainers"]} == {"did not submit"}
    assert {trainer["explanation"] for trainer in entry["trainers"]} == {"submitted nothing"}
    assert "Round 1, void: too few submitted, without a reference" in ok("job", "show", job.number).stdout


@pytest.mark.slow
def test_payments_of_a_whole_job_add_up(running_job: Callable[[], RunningJob], tmp_path: Path) -> None:
    job = running_job()
    for number in (1, 2, 3):
        job.settle(number)
        job.ledger.advance_time(6)
    job.market.complete(dev_account(OWNER), job.number)
    for account in (OWNER, AGGREGATOR, *range(FIRST_TRAINER, FIRST_TRAINER + 5)):
        assert answer("withdraw", job.number, "--dev-account", account)["withdrawals"]
    ok("job", "payments", job.number, "--csv", tmp_path / "payments.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "payments.csv").read_text())))
    credits = sum(int(row["amount_wei"]) for row in rows if row["movement"] == "credit")
    withdrawals = sum(int(row["amount_wei"]) for row in rows if row["movement"] == "withdrawal")
    stakes = 5 * ETHER // 2
    # The least bond, twice the least penalty, follows from what the first of the three rounds pays.
    bond = 2 * least_penalty(ETHER, DEFAULT_DECAY, 3)
    assert credits == 33 * ETHER // 10 + bond, "deposit and bond"
    assert withdrawals == credits + stakes
    assert {row["kind"] for row in rows} >= {"reward", "aggregator fees", "bond", "withdrawal"}
    money = answer("job", "show", job.number)["money"]
    assert (money["escrow_wei"], money["bond_wei"], money["withdrawn_wei"]) == (0, 0, withdrawals)
    printed = ok("job", "payments", job.number, "--csv", "-").stdout
    assert len(list(csv.DictReader(io.StringIO(printed)))) == len(rows)
    assert answer("job", "payments", job.number)["payments"][0]["kind"] == "reward"
    assert "reward" in ok("job", "payments", job.number).stdout


def test_csv_and_json_do_not_share_standard_output(running_job: Callable[[], RunningJob], tmp_path: Path) -> None:
    number = running_job().number
    assert cairn("job", "payments", number, "--csv", "-", "--json").exit_code == 2
    assert "Can't write" in refused("job", "payments", number, "--csv", tmp_path / "no" / "x.csv")


def test_an_open_job_is_aborted_at_once_a_running_one_after_its_round(
    job_file: Path, running_job: Callable[[], RunningJob]
) -> None:
    number = answer("job", "create", job_file, "--dev-account", OWNER)["job"]
    assert "only" in refused("job", "abort", number, "--dev-account", 9)
    assert "everybody can withdraw" in ok("job", "abort", number, "--dev-account", OWNER).stdout
    running = running_job().number
    assert f"Job {running} ends after round 1" in ok("job", "abort", running, "--dev-account", OWNER).stdout
    assert "has asked to abort already" in refused("job", "abort", running, "--dev-account", OWNER)
