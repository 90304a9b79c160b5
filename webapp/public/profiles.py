"""What trainers and aggregators have done in this market, from the chain alone."""

from __future__ import annotations

from typing import Final

from eth_typing import ChecksumAddress
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.index.queries.accounts import aggregator_profile, list_entries, trainer_profile
from marketplace.index.queries.jobs import jobs_named
from webapp.public.asking import one_state, value_of
from webapp.site import site

PAGE_SIZE: Final = 25
SHOWN_ENTRIES: Final = 20

pages: Final = Blueprint("profile", __name__)


@pages.get("/trainers/<account:account>")
def trainer(account: ChecksumAddress) -> ResponseReturnValue:
    """Show a trainer."""
    after = request.args.get("after")
    with one_state() as reader:
        profile = value_of(trainer_profile(reader, account, size=PAGE_SIZE, after=after))
        entries = list_entries(reader, account=account, size=SHOWN_ENTRIES).value
        numbers = {job for job, _ in profile.parts.items} | {entry.job for entry in entries.items}
        jobs = jobs_named(reader, numbers).value
    shown = {"profile": profile, "entries": entries, "jobs": jobs, "currency_of": site().currencies.of}
    return render_template("public/trainer.html", **shown)


@pages.get("/aggregators/<account:account>")
def aggregator(account: ChecksumAddress) -> ResponseReturnValue:
    """Show an aggregator."""
    after = request.args.get("after")
    with one_state() as reader:
        profile = value_of(aggregator_profile(reader, account, size=PAGE_SIZE, after=after))
    return render_template("public/aggregator.html", profile=profile, currency_of=site().currencies.of)
