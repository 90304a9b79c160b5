"""Where every unit of a job's money came from, where it is, and where it went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from marketplace.index.ledger import CREDIT, OUTSIDE, STAKE
from marketplace.index.queries.money import JobMoney


class Side(StrEnum):
    """Which part of the account of a job's money a line belongs to."""

    IN = "in"
    HELD = "held"
    OUT = "out"


@dataclass(frozen=True)
class MoneyLine:
    """A line of the account.

    Attributes
    ----------
    side
        Paid in, held by the market, or paid out; what is paid in is the sum of the two others.
    words
        What it is.
    amount
        In the token's smallest unit.
    """

    side: Side
    words: str
    amount: int


_PAID_IN: Final = {
    "JobCreated": "Deposited by the owner",
    "JobAccepted": "Bond put down by the aggregator",
    "TrainerJoined": "Stakes put down by trainers",
}
_HELD: Final = {
    "escrow": "Escrow: rewards and fees of the rounds to come",
    "bond": "Bond of the aggregator",
    STAKE: "Stakes of trainers",
    CREDIT: "Credited, to be withdrawn by whom it belongs to",
    "burned": "To be burned when the job has ended",
}
_PAID_OUT: Final = {"Withdrawn": "Withdrawn by those it was credited to", "Burned": "Burned"}


def money_lines(money: JobMoney) -> list[MoneyLine]:
    """Return the account of a job's money; lines of nothing are left out, but for the escrow."""
    paid_in: dict[str, int] = {}
    paid_out: dict[str, int] = {}
    for flow in money.flows:
        if flow.pot == OUTSIDE:
            paid_in[flow.event] = paid_in.get(flow.event, 0) + flow.lost
            paid_out[flow.event] = paid_out.get(flow.event, 0) + flow.gained
    lines = [MoneyLine(Side.IN, words, paid_in.get(event, 0)) for event, words in _PAID_IN.items()]
    lines += [MoneyLine(Side.HELD, words, money.held(pot)) for pot, words in _HELD.items()]
    lines += [MoneyLine(Side.OUT, words, paid_out.get(event, 0)) for event, words in _PAID_OUT.items()]
    return [line for line in lines if line.amount or line.words.startswith("Escrow")]
