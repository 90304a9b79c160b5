"""A round: every number of its settlement, what was proved, and how a visitor checks it without us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress
from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from contribution.gram import unpack_gram
from contribution.mixture import WHOLE
from contribution.payout import positive_sum
from marketplace.index.queries.jobs import JobPage, job_page
from marketplace.index.queries.rounds import Decided, RoundPage, Submitted, round_page
from marketplace.job.quantities import Currency
from marketplace.storage.cid import parse_binary_cid
from webapp.presentation.matrix import ShownMatrix, rows_of, shown_matrix
from webapp.presentation.shares import numbered
from webapp.public.asking import one_state, value_of
from webapp.site import site

# Larger matrices are read by programs, from the API.
MOST_ROWS_SHOWN: Final = 24

pages: Final = Blueprint("round", __name__)


@dataclass(frozen=True)
class Part:
    """What an account did in a round, and what became of it.

    Attributes
    ----------
    submitted
        What it handed in.
    decided
        What was made of it; None while the round is under way, or if it ended without a decision.
    envelope, evidence
        CIDs as text.
    weight, share
        Its weight in the aggregate and its share of the positive contributions, each of 1; None without one.
    was_missing
        Whether a notice said that its envelope can't be fetched.
    """

    submitted: Submitted
    decided: Decided | None
    envelope: str
    evidence: str | None
    weight: float | None
    share: float | None
    was_missing: bool


@dataclass(frozen=True)
class RoundView:
    """A round as its page shows it.

    Attributes
    ----------
    job, page
        From the index.
    currency
        What amounts are in; None if that is not known.
    reward
        What it shares if it is settled.
    parts
        Trainers by number, and then the referee.
    numbers
        Of each trainer.
    matrix
        Cosines and sentences; None unless it was settled.
    entries
        The matrix itself; None unless it was settled and is small enough to be read.
    aggregate
        CID of what was published, as text.
    """

    job: JobPage
    page: RoundPage
    currency: Currency | None
    reward: int
    parts: tuple[Part, ...]
    numbers: dict[ChecksumAddress, int]
    matrix: ShownMatrix | None
    entries: tuple[tuple[int, ...], ...] | None
    aggregate: str | None


@pages.get("/jobs/<int:number>/rounds/<int:round>")
def show(number: int, round: int) -> ResponseReturnValue:
    """Show a round."""
    return render_template("public/round.html", round=read_round(number, round))


def read_round(number: int, round: int) -> RoundView:
    """Read everything that a round's page shows, of one block; ends the request with 404 if there is no such round."""
    with one_state() as reader:
        job = value_of(job_page(reader, number))
        page = round_page(reader, number, round).value
    if job is None or page is None:
        abort(404, f"There is no round {round} of a job {number} in this market.")
    numbers = numbered(seat.account for seat in job.seats)
    parts = _parts(page, numbers)
    accepted = [part.decided for part in parts if part.decided and part.decided.weight is not None]
    accounts = [decided.account for decided in accepted]
    matrix, entries = None, None
    if page.gram is not None:
        names = [f"trainer {numbers[account]}" for account in accounts]
        weights = [decided.weight or 0 for decided in accepted]
        rule = site().rule_name(job.terms.rule)
        matrix = shown_matrix(rule, page.gram, accounts, names, job.terms.tolerated, weights)
        rows = rows_of(page.gram)
        if rows <= MOST_ROWS_SHOWN:
            entries = tuple(tuple(int(entry) for entry in row) for row in unpack_gram(page.gram, rows))
    return RoundView(
        job,
        page,
        site().currencies.of(job.line.token),
        job.terms.reward_after(page.settled_before),
        parts,
        numbers,
        matrix,
        entries,
        None if page.aggregate_cid is None else str(parse_binary_cid(page.aggregate_cid)),
    )


def _parts(page: RoundPage, numbers: dict[ChecksumAddress, int]) -> tuple[Part, ...]:
    decided = {each.account: each for each in page.decided}
    positive = positive_sum([each.contribution for each in page.decided if each.contribution is not None])
    ordered = sorted(page.submissions, key=lambda each: (each.is_reference, numbers.get(each.account, 0)))
    return tuple(_part(each, decided.get(each.account), positive, page.missing) for each in ordered)


def _part(submitted: Submitted, decided: Decided | None, positive: int, missing: tuple[ChecksumAddress, ...]) -> Part:
    weight = decided.weight if decided else None
    contribution = decided.contribution if decided else None
    evidence = decided.evidence if decided else None
    return Part(
        submitted,
        decided,
        str(parse_binary_cid(submitted.cid)),
        str(parse_binary_cid(evidence)) if evidence else None,
        None if weight is None else weight / WHOLE,
        None if contribution is None or not positive else contribution / positive,
        submitted.account in missing,
    )
