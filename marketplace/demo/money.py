"""Where a job's money went: once from the market's events, once from the accounts' balances, and whether both agree.

Nothing here comes from what the run noted about itself; every figure is read from the chain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from eth_typing import ChecksumAddress
from web3 import Web3

from contribution.errors import CairnError
from marketplace.chain.history import JobHistory
from marketplace.parties.view import JobView


class MoneyError(CairnError):
    """Thrown when a job's money does not add up to the wei; `faults` lists every sum that does not."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            f"The job's money does not add up, in {len(faults)} places: {'; '.join(faults)}. Trust none of this "
            "report's figures, and keep the run for whoever looks into it."
        )


@dataclass(frozen=True)
class Money:
    """Where an owner's deposit went, in wei.

    Attributes
    ----------
    deposited
        What the owner put into escrow.
    paid
        Pay of the trainers.
    fees
        Of the aggregator and the referee.
    refunded
        Back to the owner for rounds, and references, that did not come about.
    dust
        Back to the owner because of rounding, of each round's reward and of each trainer's pay, and the rewards of
        settled rounds that paid nobody.
    """

    deposited: int
    paid: int
    fees: int
    refunded: int
    dust: int

    @property
    def accounted(self) -> int:
        """`paid + fees + refunded + dust`, which must be `deposited`."""
        return self.paid + self.fees + self.refunded + self.dust


@dataclass(frozen=True)
class Flow:
    """What an account sent to the market and what the market sent to it, by transactions and balances, in wei."""

    sent: int
    received: int


def money_by_events(view: JobView) -> Money:
    """Return where the deposit went, from the events of a job that has ended."""
    history, terms = view.history(), view.terms
    settled = [record for record in history.rounds.values() if record.settled]
    with_reference = sum(record.reference is not None and terms.referee not in record.exclusions for record in settled)
    ended = history.named("JobEnded")[0].arguments
    rewards = [terms.reward_after(count) for count in range(terms.rounds)]
    of_settled = sum(rewards[: len(settled)])
    paid = sum(sum(record.payouts) for record in settled)
    unused = sum(rewards) - of_settled + (terms.rounds - len(settled)) * terms.aggregator_fee_per_round
    return Money(
        deposited=terms.deposit,
        paid=paid,
        fees=ended["aggregatorFees"] + ended["refereeFees"],
        refunded=unused + (terms.rounds - with_reference) * terms.referee_fee_per_round,
        dust=of_settled - paid + terms.rounds * terms.reward_per_round - sum(rewards),
    )


def flows(w3: Web3, accounts: list[ChecksumAddress], market: ChecksumAddress, first: int) -> dict[str, Flow]:
    """Return what went between accounts and the market from block `first` to the latest, from balances alone.

    An account's balance moves by what it sends, what gas costs it, and what the market pays it:
    `received = after - before + gas + sent`.

    Parameters
    ----------
    w3
        The chain, whose node must still know the balances before block `first`.
    accounts
        Whose flows are asked for; they deal with nobody but the market.
    market
        The market's address.
    first
        Number of the first block.
    """
    last = w3.eth.block_number
    sent: Counter[str] = Counter()
    gas: Counter[str] = Counter()
    for number in range(first, last + 1):
        for transaction in w3.eth.get_block(number, full_transactions=True)["transactions"]:
            if isinstance(transaction, bytes | str):
                continue
            receipt = w3.eth.get_transaction_receipt(transaction["hash"])
            gas[transaction["from"]] += receipt["gasUsed"] * receipt["effectiveGasPrice"]
            if transaction.get("to") == market and receipt["status"] == 1:
                sent[transaction["from"]] += transaction["value"]
    result: dict[str, Flow] = {}
    for account in accounts:
        grown = w3.eth.get_balance(account, last) - w3.eth.get_balance(account, first - 1)
        result[account] = Flow(sent[account], grown + gas[account] + sent[account])
    return result


def earned(view: JobView, moved: Mapping[str, Flow]) -> dict[str, int]:
    """Return what each trainer earned, in wei: what the market sent it beyond its stake, as far as that came back.

    Parameters
    ----------
    view
        The job, ended and withdrawn from.
    moved
        As `flows` returns it; its accounts that never joined are left out.
    """
    burned = _burned_stakes(view.history())
    joined = {event.arguments["trainer"] for event in view.history().named("TrainerJoined")}
    return {
        account: flow.received - flow.sent + burned[account] for account, flow in moved.items() if account in joined
    }


def check_money(money: Money, view: JobView, moved: Mapping[str, Flow], owner: ChecksumAddress) -> None:
    """Refuse a statement that does not add up, or that balances and withdrawals contradict.

    Parameters
    ----------
    money
        The statement.
    view
        The job, ended; every party has withdrawn.
    moved
        As `flows` returns it, of owner, aggregator, referee and all trainers.
    owner
        The job's owner.

    Raises
    ------
    MoneyError
        If any sum differs by a wei.
    """
    history, terms = view.history(), view.terms
    aggregator, referee = moved[terms.aggregator], moved.get(terms.referee, Flow(0, 0))
    ended = history.named("JobEnded")[0].arguments
    penalties = _penalty_shares(history)
    sums = [
        ("paid + fees + refunded + dust against the deposit", money.accounted, money.deposited),
        ("the deposit against what the owner sent", money.deposited, moved[owner].sent),
        ("refunded + dust against what the owner got back", money.refunded + money.dust, moved[owner].received),
        ("refunded + dust against the event of the job's end", money.refunded + money.dust, ended["refund"]),
        ("pay against what the trainers got", money.paid + sum(penalties.values()), sum(earned(view, moved).values())),
        (
            "fees against what aggregator and referee got beyond the bond",
            money.fees,
            aggregator.received + referee.received - ended["bond"],
        ),
        ("the market's balance against what it holds to burn", _balance(view), view.market.ledger(view.job).burned),
        *_per_trainer(view, moved, penalties),
        *_withdrawals(history, moved),
    ]
    faults = [f"{what}: {left} and {right} wei" for what, left, right in sums if left != right]
    if faults:
        raise MoneyError(faults)


Sum = tuple[str, int, int]


def _per_trainer(view: JobView, moved: Mapping[str, Flow], penalties: Counter[str]) -> list[Sum]:
    pay: Counter[str] = Counter()
    for record in view.history().rounds.values():
        pay.update(dict(zip(record.trainers, record.payouts, strict=True)))
    return [
        (f"pay of {account} against what it got", pay[account] + penalties[account], amount)
        for account, amount in earned(view, moved).items()
    ]


def _withdrawals(history: JobHistory, moved: Mapping[str, Flow]) -> list[Sum]:
    withdrawn: Counter[str] = Counter()
    for event in history.named("Withdrawn"):
        withdrawn[event.arguments["to"]] += event.arguments["amount"]
    return [
        (f"withdrawals of {account} against its balance", withdrawn[account], flow.received)
        for account, flow in moved.items()
    ]


def _burned_stakes(history: JobHistory) -> Counter[str]:
    burned: Counter[str] = Counter()
    for event in history.named("TrainerRemoved"):
        burned[event.arguments["trainer"]] += event.arguments["burned"]
    return burned


def _penalty_shares(history: JobHistory) -> Counter[str]:
    """Return what each trainer got of the aggregator's bond for rounds that expired."""
    shares: Counter[str] = Counter()
    for record in history.rounds.values():
        shares.update(dict.fromkeys(record.submissions, record.penalty_share or 0))
    return shares


def _balance(view: JobView) -> int:
    return int(view.market.w3.eth.get_balance(view.market.deployment.market))
