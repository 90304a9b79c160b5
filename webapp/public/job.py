"""A job: what is asked, what it pays, where its money is, who takes part, and what its rounds decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from eth_typing import ChecksumAddress
from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from marketplace.chain.structs import JobState, Terms
from marketplace.index.queries.accounts import AggregatorRecord, aggregator_record
from marketplace.index.queries.history import (
    DecidedRound,
    Milestone,
    TrackRecord,
    decided_rounds,
    job_milestones,
    round_gram,
    track_records,
)
from marketplace.index.queries.jobs import JobPage, SeatLine, job_page
from marketplace.index.queries.money import JobMoney, job_money
from marketplace.index.queries.rounds import RoundLine, list_rounds
from marketplace.job.quantities import Currency
from marketplace.storage.cid import parse_binary_cid
from webapp.accuracy.records import Accuracy, accuracies_of
from webapp.kept_answers import looked_up
from webapp.presentation.accuracies import accuracy_plot
from webapp.presentation.matrix import MOST_SHOWN, ShownMatrix, shown_matrix
from webapp.presentation.money import MoneyLine, money_lines
from webapp.presentation.shares import ShareCell, numbered, settled, share_rows
from webapp.presentation.terms import terms_in_words
from webapp.presentation.track_records import aggregator_sentence
from webapp.public.asking import one_state, value_of
from webapp.site import site

SHOWN_ROUNDS: Final = 20
# Of a job with so many trainers that its page would be long and slow.
SHOWN_ROUNDS_OF_MANY: Final = 8

pages: Final = Blueprint("job", __name__)


@dataclass(frozen=True)
class JobView:
    """A job as its page shows it.

    Attributes
    ----------
    page, rounds, decided, money, milestones
        From the index; `rounds` the newest first, `decided` the oldest first.
    aggregator
        Its aggregator over all jobs.
    records
        Its trainers over all jobs.
    currency
        What its amounts are in; None if that is not known.
    specification
        The CID as text.
    records
        What each trainer did in all jobs; empty where there are many trainers.
    numbers
        Of each trainer.
    matrix, matrix_round
        Of the last settled round; None without one.
    accuracies
        What whoever serves the pages measured of the model after its rounds, the oldest first.
    """

    page: JobPage
    rounds: tuple[RoundLine, ...]
    decided: tuple[DecidedRound, ...]
    money: JobMoney
    milestones: tuple[Milestone, ...]
    aggregator: AggregatorRecord
    records: dict[ChecksumAddress, TrackRecord]
    currency: Currency | None
    specification: str
    numbers: dict[ChecksumAddress, int]
    matrix: ShownMatrix | None
    matrix_round: int | None
    accuracies: tuple[Accuracy, ...]

    @property
    def accuracy_plot(self) -> Markup:
        """The accuracies over the rounds."""
        return accuracy_plot(self.accuracies)

    @property
    def terms(self) -> Terms:
        """The job's terms."""
        return self.page.terms

    @property
    def next_reward(self) -> int | None:
        """What the next settled round pays; None if there is none."""
        line = self.page.line
        # After its last round a job is still running until that can no longer be challenged.
        if line.state not in (JobState.OPEN, JobState.RUNNING) or line.settled_rounds >= line.rounds:
            return None
        return self.terms.reward_after(line.settled_rounds)

    @property
    def sentences(self) -> list[str]:
        """The terms in words."""
        return terms_in_words(self.terms, self.currency, site().rule_name(self.terms.rule))

    @property
    def seats_in_order(self) -> list[SeatLine]:
        """Its trainers by number."""
        return sorted(self.page.seats, key=lambda seat: self.numbers[seat.account])

    @cached_property
    def share_rows(self) -> list[tuple[int, list[ShareCell]]]:
        """What each round made of each trainer."""
        return share_rows(self.decided, self.numbers)

    @property
    def aggregator_sentence(self) -> str:
        """What its aggregator has done in this market."""
        return aggregator_sentence(self.aggregator)

    def verdicts_of(self, number: int) -> Counter[str]:
        """Return how many of each verdict a round came to; nothing while it is under way."""
        decided = next((each.decided for each in self.decided if each.number == number), ())
        return Counter(part.verdict for part in decided)

    @cached_property
    def money_lines(self) -> list[MoneyLine]:
        """Where every unit of its money came from, is, and went."""
        return money_lines(self.money)


@pages.get("/jobs/<int:number>")
def job(number: int) -> ResponseReturnValue:
    """Show a job."""
    return render_template("public/job.html", job=read_job(number))


def read_job(number: int) -> JobView:
    """Read everything that a job's page shows, of one block; ends the request with 404 if there is no such job."""
    shared = site()
    found = looked_up(lambda: accuracies_of(shared.state, shared.deployment, number))
    with one_state() as reader:
        page = value_of(job_page(reader, number))
        if page is None:
            abort(404, f"There is no job {number} in this market.")
        shown = SHOWN_ROUNDS if len(page.seats) <= MOST_SHOWN else SHOWN_ROUNDS_OF_MANY
        rounds = list_rounds(reader, number, size=shown).value.items
        decided = decided_rounds(reader, number, size=shown).value
        money = job_money(reader, number).value
        milestones = job_milestones(reader, number).value
        aggregator = aggregator_record(reader, page.line.aggregator).value
        accounts = [seat.account for seat in page.seats]
        records = {} if len(accounts) > MOST_SHOWN else track_records(reader, accounts).value
        last = next(reversed(settled(decided)), None)
        gram = round_gram(reader, number, last.number).value if last else None
    numbers = numbered(accounts)
    matrix = round_matrix(last, gram, page.terms, numbers) if last and gram else None
    return JobView(
        page,
        rounds,
        decided,
        money,
        milestones,
        aggregator,
        records,
        site().currencies.of(page.line.token),
        str(parse_binary_cid(page.specification_cid)),
        numbers,
        matrix,
        last.number if last else None,
        measured(decided, found),
    )


def measured(decided: tuple[DecidedRound, ...], found: tuple[Accuracy, ...]) -> tuple[Accuracy, ...]:
    """Return those of the measurements that are of rounds as the chain has them now."""
    commitments = {each.number: each.model_commitment for each in settled(decided)}
    return tuple(each for each in found if commitments.get(each.round) == each.model_commitment)


def round_matrix(round_: DecidedRound, gram: bytes, terms: Terms, numbers: dict[ChecksumAddress, int]) -> ShownMatrix:
    """Return a settled round's matrix, without the reasons if there are many trainers: the round's page has them."""
    accepted = [part for part in round_.decided if part.verdict != "excluded"]
    accounts = [part.account for part in accepted]
    names = [f"trainer {numbers[account]}" for account in accounts]
    weights = [part.weight or 0 for part in accepted]
    explained = len(accounts) <= MOST_SHOWN
    rule = site().rule_name(terms.rule)
    return shown_matrix(rule, gram, accounts, names, terms.tolerated, weights, explained=explained)
