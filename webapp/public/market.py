"""The market: a list of jobs, searched and filtered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.index.columns import AMOUNT_LIMIT
from marketplace.index.queries.jobs import JobFilter, Order, list_jobs
from marketplace.job.quantities import parse_amount
from marketplace.training.zoo import MODEL_NAMES
from webapp.presentation.words import job_state_named
from webapp.public.asking import one_state, value_of
from webapp.site import site

PAGE_SIZE: Final = 25
LONGEST_SEARCH: Final = 200

pages: Final = Blueprint("market", __name__)


@dataclass(frozen=True)
class MarketQuery:
    """What a visitor asked the market for, as it was typed, and what it means.

    Attributes
    ----------
    typed
        What stands in the form, by field.
    wanted, order, after
        What the index is asked.
    faults
        What is wrong, by field; what is wrong is not asked for.
    """

    typed: Mapping[str, str]
    wanted: JobFilter
    order: Order
    after: str | None
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> dict[str, str]:
        """What the address of another page of the list says too."""
        return {name: value for name, value in self.typed.items() if value}

    @property
    def is_filtered(self) -> bool:
        """Whether anything narrows the list."""
        return any(self.typed[name] for name in ("q", "task", "state", "reward", "stake"))


@pages.get("/")
def jobs() -> ResponseReturnValue:
    """Show the market."""
    query = read_query(request.args)
    with one_state() as reader:
        page = value_of(list_jobs(reader, query.wanted, order=query.order, size=PAGE_SIZE, after=query.after))
    currencies = {line.token: site().currencies.of(line.token) for line in page.items}
    shown = render_template(
        "public/market.html", page=page, query=query, currencies=currencies, models=MODEL_NAMES, orders=list(Order)
    )
    return make_response(shown, 400 if query.faults else 200)


def read_query(arguments: Mapping[str, str]) -> MarketQuery:
    """Read what a visitor typed into the market's form."""
    names = ("q", "task", "state", "reward", "stake", "order")
    typed = {name: arguments.get(name, "").strip()[:LONGEST_SEARCH] for name in names}
    faults: dict[str, str] = {}
    state = job_state_named(typed["state"])
    if typed["state"] and state is None:
        faults["state"] = "There is no such state."
    if typed["task"] and typed["task"] not in MODEL_NAMES:
        faults["task"] = "There is no such model."
    order = next((each for each in Order if each == typed["order"]), Order.NEWEST)
    wanted = JobFilter(
        states=frozenset({state}) if state else None,
        least_reward=_amount(typed, "reward", faults),
        most_stake=_amount(typed, "stake", faults),
        text=typed["q"] or None,
        model=typed["task"] if typed["task"] in MODEL_NAMES else None,
    )
    return MarketQuery(typed, wanted, order, arguments.get("after"), faults)


def _amount(typed: Mapping[str, str], name: str, faults: dict[str, str]) -> int | None:
    """Read an amount of the native coin; a number alone is in ether."""
    text = typed[name]
    if not text:
        return None
    try:
        units = parse_amount(text if text[-1].isalpha() else f"{text} ether")
    except ValueError:
        faults[name] = "Write a number of ether, such as 0.5."
        return None
    if units >= AMOUNT_LIMIT:
        faults[name] = "No amount is as large."
        return None
    return units
