"""The money of a demonstration, to the wei: against sums of the chain's raw logs, and with figures bent on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest

from marketplace.chain.history import Event, JobHistory, RoundRecord, Submission, read_events
from marketplace.chain.structs import VoidCause
from marketplace.demo.money import Flow, Money, MoneyError, check_money, earned, flows, money_by_events

pytestmark = pytest.mark.slow


def job_terms(reward_after: Callable[[int], int]) -> SimpleNamespace:
    return SimpleNamespace(
        rounds=4,
        reward_per_round=100,
        reward_after=reward_after,
        aggregator_fee_per_round=10,
        referee_fee_per_round=3,
        referee="0xreferee",
        deposit=4 * 113,
    )


def test_rounds_that_were_not_settled_and_references_that_were_not_used_are_refunded():
    reference = Submission(b"", b"")
    settled = RoundRecord(1, 0, b"", b"", payouts=(60, 39), aggregate_cid=b"cid", reference=reference)
    nobody_paid = RoundRecord(2, 0, b"", b"", payouts=(0, 0), aggregate_cid=b"cid")
    void = RoundRecord(3, 0, b"", b"", void=VoidCause.TOO_FEW_KEPT, reference=reference)
    ended = Event("JobEnded", {"aggregatorFees": 20, "refereeFees": 3}, 9, None, 0, None)
    terms = job_terms(lambda _: 100)
    history = JobHistory(rounds={1: settled, 2: nobody_paid, 3: void}, events=[ended])
    money = money_by_events(SimpleNamespace(history=lambda: history, terms=terms))
    assert money == Money(deposited=452, paid=99, fees=23, refunded=2 * 110 + 3 * 3, dust=1 + 100)
    assert money.accounted == money.deposited


def test_settled_rounds_have_the_largest_rewards_and_what_rounding_leaves_of_them_is_dust():
    settled = {
        number: RoundRecord(number, 0, b"", b"", payouts=payouts, aggregate_cid=b"cid")
        for number, payouts in ((1, (200, 12)), (4, (120, 0)))
    }
    ended = Event("JobEnded", {"aggregatorFees": 20, "refereeFees": 0}, 9, None, 0, None)
    history = JobHistory(rounds=settled, events=[ended])
    # 400 in parts of 16, 9, 4 and 1 out of 30.
    rewards = [213, 120, 53, 13]
    money = money_by_events(SimpleNamespace(history=lambda: history, terms=job_terms(rewards.__getitem__)))
    assert money == Money(deposited=452, paid=332, fees=20, refunded=53 + 13 + 2 * 10 + 4 * 3, dust=1 + 1)
    assert money.accounted == money.deposited


@pytest.fixture
def moved(short_demo) -> dict[str, Flow]:
    run = short_demo.run
    accounts = [run.owner.address, run.aggregator.account.address, run.referee.account.address]
    accounts += [trainer.account.address for trainer in run.trainers]
    first = run.view.history().named("JobCreated")[0].block
    return flows(run.view.market.w3, accounts, run.view.market.deployment.market, first)


def check(short_demo, moved, **changes: int) -> None:
    money = replace(short_demo.findings.money, **changes)
    check_money(money, short_demo.run.view, moved, short_demo.run.owner.address)


def test_statement_is_the_sum_of_the_events(short_demo):
    market = short_demo.run.view.market
    events = read_events(market, 0, market.w3.eth.block_number)
    money = short_demo.findings.money
    scored = [event.arguments for event in events if event.name == "RoundScored"]
    (ended,) = [event.arguments for event in events if event.name == "JobEnded"]
    assert money.paid == sum(sum(round_["payouts"]) for round_ in scored)
    assert money.fees == ended["aggregatorFees"] + ended["refereeFees"]
    assert money.refunded + money.dust == ended["refund"]
    assert money.deposited == money.paid + money.fees + money.refunded + money.dust == short_demo.run.view.terms.deposit


def test_everything_that_came_in_went_out_again(short_demo, moved):
    view = short_demo.run.view
    assert sum(flow.sent for flow in moved.values()) == sum(flow.received for flow in moved.values())
    assert view.market.w3.eth.get_balance(view.market.deployment.market) == 0
    assert sum(flow.sent for flow in moved.values()) == view.terms.deposit + view.terms.bond + 7 * view.terms.stake


def test_a_settled_round_leaves_at_most_a_wei_of_dust_a_trainer_and_one_of_its_reward(short_demo):
    assert 0 <= short_demo.findings.money.dust < 2 * (7 + 1)
    assert short_demo.findings.money.refunded == 0


def test_an_honest_statement_is_accepted(short_demo, moved):
    check(short_demo, moved)


@pytest.mark.parametrize("name", ["deposited", "paid", "fees", "refunded", "dust"])
@pytest.mark.parametrize("wei", [1, -1])
def test_a_statement_that_is_off_by_a_wei_is_refused(short_demo, moved, name: str, wei: int):
    with pytest.raises(MoneyError) as refusal:
        check(short_demo, moved, **{name: getattr(short_demo.findings.money, name) + wei})
    assert len(refusal.value.faults) >= 2


def test_a_wei_moved_between_pay_and_fees_is_refused_though_the_sum_holds(short_demo, moved):
    money = short_demo.findings.money
    with pytest.raises(MoneyError, match="what the trainers got"):
        check(short_demo, moved, paid=money.paid - 1, fees=money.fees + 1)


def test_a_trainer_that_got_a_wei_more_than_its_pay_is_named(short_demo, moved):
    account = short_demo.run.trainers[0].account.address
    tampered = {**moved, account: Flow(moved[account].sent, moved[account].received + 1)}
    with pytest.raises(MoneyError, match=account):
        check(short_demo, tampered)


def test_two_trainers_pay_swapped_is_refused(short_demo, moved):
    pay = earned(short_demo.run.view, moved)
    first, second, *_ = sorted(pay, key=lambda account: -pay[account])
    assert pay[first] != pay[second]
    with pytest.raises(MoneyError, match=first):
        check(short_demo, {**moved, first: moved[second], second: moved[first]})


def test_the_report_pays_what_balances_show(short_demo, moved):
    view = short_demo.run.view
    for trainer in short_demo.report["trainers"]:
        flow = moved[trainer["address"]]
        assert trainer["paid_wei"] == flow.received - view.terms.stake
