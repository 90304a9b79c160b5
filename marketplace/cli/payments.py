"""A job's payments: every credit and withdrawal that its events tell of."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TextIO

from marketplace.chain.history import Event, HistoryReader, JobHistory
from marketplace.chain.market import Market
from marketplace.cli.common import CommandError


@dataclass(frozen=True)
class Payment:
    """One movement of money: a credit within the market, or a withdrawal out of it.

    Attributes
    ----------
    block, transaction
        Where the chain tells of it.
    movement
        "credit" or "withdrawal".
    kind
        "reward", "share of a penalty", "aggregator fees", "referee fees", "bond", "refund", or "withdrawal".
    round
        Which round it is for; None for none.
    account
        Who gets it; of a withdrawal, who asked for it.
    to
        Where it went; of a credit, the account.
    amount_wei
        In wei, or in the token's smallest unit.
    """

    block: int
    transaction: str
    movement: str
    kind: str
    round: int | None
    account: str
    to: str
    amount_wei: int

    def as_dict(self) -> dict[str, object]:
        """Return the payment as JSON has it."""
        return asdict(self)


def payment_rows(market: Market, job: int) -> list[Payment]:
    """Return a job's payments in the order of the chain; stakes that come back appear when they are withdrawn."""
    terms, owner = market.terms(job), market.identity(job).owner
    history = HistoryReader(market, job).read()
    parties = {
        "aggregator fees": (terms.aggregator, "aggregatorFees"),
        "referee fees": (terms.referee, "refereeFees"),
        "bond": (terms.aggregator, "bond"),
        "refund": (owner, "refund"),
    }
    rows: list[Payment] = []
    for event in history.events:
        values = event.arguments
        if event.name == "RoundScored":
            rows += _rewards(event)
        elif event.name == "RoundExpired":
            rows += _shares(event, history)
        elif event.name == "JobEnded":
            credits = [(kind, account, values[name]) for kind, (account, name) in parties.items()]
            rows += [_credit(event, kind, None, account, amount) for kind, account, amount in credits if amount]
        elif event.name == "Withdrawn":
            place = (event.block, event.transaction.to_0x_hex())
            rows.append(
                Payment(*place, "withdrawal", "withdrawal", None, values["account"], values["to"], values["amount"])
            )
    return rows


def _rewards(event: Event) -> Iterator[Payment]:
    values = event.arguments
    for account, amount in zip(values["trainers"], values["payouts"], strict=True):
        if amount:
            yield _credit(event, "reward", values["round"], account, amount)


def _shares(event: Event, history: JobHistory) -> Iterator[Payment]:
    number, share = event.arguments["round"], event.arguments["share"]
    for account in sorted(history.rounds[number].submissions) if share else ():
        yield _credit(event, "share of a penalty", number, account, share)


def _credit(event: Event, kind: str, number: int | None, account: str, amount: int) -> Payment:
    return Payment(event.block, event.transaction.to_0x_hex(), "credit", kind, number, account, account, amount)


def write_csv(path: Path, rows: list[Payment]) -> None:
    """Write payments to a file, or to standard output if it is called "-".

    Raises
    ------
    CommandError
        If the file can't be written.
    """
    if str(path) == "-":
        _write(sys.stdout, rows)
        return
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            _write(file, rows)
    except OSError as fault:
        raise CommandError(f"Can't write {path} ({fault.strerror}); name another file.") from fault


def _write(file: TextIO, rows: list[Payment]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    names = [field.name for field in fields(Payment)]
    writer.writerow(names)
    for row in rows:
        writer.writerow(["" if getattr(row, name) is None else getattr(row, name) for name in names])
