"""Trainers leave; money leaves when it is free, and says until when it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.market import Market
from tests.cli.conftest import AGGREGATOR, FIRST_TRAINER, OWNER, RunningJob, answer, cairn, ok, refused

ETHER = 10**18


def paid_trainer(job: RunningJob) -> int:
    """Return the number of a development account with pay that waits."""
    shown = answer("job", "show", job.number)
    waiting = {trainer["address"] for trainer in shown["trainers"] if trainer["pending_wei"]}
    return next(n for n in range(FIRST_TRAINER, FIRST_TRAINER + 5) if dev_account(n).address in waiting)


def test_pay_is_locked_until_the_challenge_window_ends(running_job: Callable[[], RunningJob]) -> None:
    job = running_job()
    job.settle(1)
    account = paid_trainer(job)
    said = refused("withdraw", job.number, "--dev-account", account)
    assert f"{dev_account(account).address} has nothing to withdraw from job {job.number} now" in said
    assert "of round 1 wait for the challenge window, which ends 2026-01-01" in said
    assert "the stake of 0.5 ether is held until the job ends" in said
    job.ledger.advance_time(6)
    paid = answer("withdraw", job.number, "--dev-account", account)["withdrawals"][0]["amount_wei"]
    assert 0 < paid < ETHER


def test_money_goes_where_it_is_sent(running_job: Callable[[], RunningJob], deployed: Market) -> None:
    job = running_job()
    job.settle(1)
    job.ledger.advance_time(6)
    account, receiver = paid_trainer(job), dev_account(19).address
    before = deployed.w3.eth.get_balance(receiver)
    result = answer("withdraw", job.number, "--to", receiver, "--dev-account", account)["withdrawals"][0]
    assert deployed.w3.eth.get_balance(receiver) == before + result["amount_wei"]
    assert result["to"] == receiver


def test_everything_is_withdrawn_from_every_job(job_file: Path) -> None:
    first, second = (answer("job", "create", job_file, "--dev-account", 8)["job"] for _ in range(2))
    for number in (first, second):
        ok("job", "abort", number, "--dev-account", 8)
    withdrawals = answer("withdraw", "--all", "--dev-account", 8)["withdrawals"]
    assert [(w["job"], w["amount_wei"]) for w in withdrawals] == [(n, 33 * ETHER // 10) for n in (first, second)]
    assert "has nothing to withdraw from any job now" in ok("withdraw", "--all", "--dev-account", 8).stdout
    assert "has withdrawn it all" in refused("withdraw", first, "--dev-account", 8)


def test_the_owner_waits_for_the_end(running_job: Callable[[], RunningJob]) -> None:
    job = running_job()
    for account in (OWNER, AGGREGATOR):
        assert "are free when the job ends" in refused("withdraw", job.number, "--dev-account", account)


def test_either_a_job_or_all_is_named() -> None:
    assert cairn("withdraw", "--dev-account", 0).exit_code == 2
    assert cairn("withdraw", 1, "--all", "--dev-account", 0).exit_code == 2


def test_leaving_frees_the_stake_at_once_or_after_the_round(
    running_job: Callable[[], RunningJob], deployed: Market, job_file: Path
) -> None:
    job = running_job()
    said = ok("leave", job.number, "--dev-account", FIRST_TRAINER).stdout
    assert f"Leaving job {job.number} after round 1" in said
    assert "does not take part" in refused("leave", job.number, "--dev-account", FIRST_TRAINER)
    assert "the stake is free after the challenge window of round 1" in refused(
        "withdraw", job.number, "--dev-account", FIRST_TRAINER
    )
    number = answer("job", "create", job_file, "--dev-account", OWNER)["job"]
    waiting = RunningJob(deployed, job.ledger, number, job.srs)
    waiting.accept_and_join()
    left = answer("leave", number, "--dev-account", FIRST_TRAINER)
    assert left["withdrawable_wei"] == ETHER // 2
