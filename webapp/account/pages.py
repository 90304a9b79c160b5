"""`/me`: what belongs to the account that is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from marketplace.index.queries.accounts import trainer_profile
from marketplace.index.queries.holdings import Holding, holdings_of
from marketplace.index.queries.jobs import JobFilter, JobLine, SeatLine, list_jobs
from webapp.account.money import withdrawable
from webapp.public.asking import one_state, value_of
from webapp.sign_in.sessions import required_account
from webapp.site import site
from webapp.transactions.offering import offer
from webapp.transactions.pages import title_of
from webapp.transactions.records import sent_by
from webapp.transactions.unsigned import withdraw

SHOWN: Final = 25

pages: Final = Blueprint("account", __name__)


@dataclass(frozen=True)
class AccountView:
    """What belongs to an account.

    Attributes
    ----------
    owned, aggregated
        Its jobs as owner and as aggregator, the newest first.
    seats
        The jobs in which it trains or trained, and its part in each.
    holdings, due
        What it has in each job by the index, and what of that it can withdraw now by the chain; `due` is None if no
        node says.
    """

    owned: tuple[JobLine, ...]
    aggregated: tuple[JobLine, ...]
    seats: tuple[tuple[int, SeatLine], ...]
    holdings: tuple[Holding, ...]
    due: dict[int, int] | None


@pages.get("/me")
def me() -> ResponseReturnValue:
    """Show the visitor's account."""
    account = required_account()
    with one_state() as reader:
        owned = value_of(list_jobs(reader, JobFilter(owner=account), size=SHOWN)).items
        aggregated = list_jobs(reader, JobFilter(aggregator=account), size=SHOWN).value.items
        seats = trainer_profile(reader, account, size=SHOWN).value.parts.items
        holdings = holdings_of(reader, account).value[:SHOWN]
    due = withdrawable(account, [holding.job for holding in holdings])
    view = AccountView(owned, aggregated, seats, holdings, due)
    tokens = {line.token for line in (*owned, *aggregated)} | {holding.token for holding in holdings}
    currencies = {token: site().currencies.of(token) for token in tokens}
    sent = sent_by(site().state, account)
    return render_template("account/me.html", view=view, currencies=currencies, sent=sent, title_of=title_of)


@pages.post("/jobs/<int:number>/withdraw")
def take(number: int) -> ResponseReturnValue:
    """Prepare the withdrawal of everything that the visitor can withdraw from a job."""
    account = required_account()
    return offer(withdraw(site().node.market(), account, number))
