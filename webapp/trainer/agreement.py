"""What a trainer agrees to by joining: in plain words, and as the digest that the contract compares."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from marketplace.chain.context import JobIdentity
from marketplace.chain.structs import JobState, Terms
from marketplace.index.queries.jobs import JobPage
from marketplace.job.gas import gas_of
from marketplace.job.quantities import Currency, format_duration
from marketplace.job.rewards import reward_words
from webapp.presentation.amounts import words_of_amount
from webapp.refusals import RefusedError

if TYPE_CHECKING:
    from marketplace.chain.market import Market


class ChangedJobError(RefusedError):
    """Thrown when the chain says other things of a job than the page that a trainer read."""

    def __init__(self, job: int, what: str) -> None:
        super().__init__(
            f"The chain says another {what} of job {job} than this site's pages; don't join before they agree. Load "
            "the page again in a minute."
        )


class NotAcceptedError(RefusedError):
    """Thrown when nobody can join a job, because its aggregator has not accepted it."""

    def __init__(self, job: int) -> None:
        super().__init__(
            f"The aggregator has not accepted job {job} yet, so there is no key that updates could be encrypted to. "
            "Come back when it has."
        )


@dataclass(frozen=True)
class Point:
    """A question that whoever joins has, and the answers in sentences."""

    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Expectation:
    """Gas against pay; gas in units, amounts in wei or the token's smallest unit.

    Attributes
    ----------
    join_gas, round_gas, withdraw_gas
        Of each step.
    rounds
        Rounds that are left.
    job_gas
        Of the rest of the job.
    fee
        What that costs at today's price; None if no node says.
    least, most
        What is paid for the rest of the job if all contribute alike, with as many trainers as there can be and as few
        as there must be.
    """

    join_gas: int
    round_gas: int
    withdraw_gas: int
    rounds: int
    job_gas: int
    fee: int | None
    least: int
    most: int


@dataclass(frozen=True)
class Digests:
    """SHA-256 of the owner's words as UTF-8; None for words that have not been fetched."""

    licence: str | None
    datasheet: str | None


def digests(page: JobPage) -> Digests:
    """Return what names the licence and the datasheet."""
    return Digests(*(None if text is None else _sha256(text) for text in (page.licence, page.datasheet)))


def points(page: JobPage, currency: Currency | None) -> list[Point]:
    """Return what joining a job means, in plain words."""
    terms, line = page.terms, page.line
    window = format_duration(terms.challenge_window)
    referee = (
        f"The referee, {terms.referee}, posts the vectors that pay follows; it does not read your update."
        if terms.has_referee
        else "Nobody else reads it: this job has no referee."
    )
    strikes = (
        f"Your whole stake burns after {terms.strike_limit} rounds in which your update harmed more than "
        f"{terms.strike_tolerance_bps / 100:g} % of what the others helped."
        if terms.strike_limit
        else "Harmful updates earn nothing, and cost nothing of your stake."
    )

    def amount(units: int) -> str:
        return words_of_amount(units, currency)

    at_once = (
        "The job has not started: you can leave at once, with your whole stake."
        if line.state == JobState.OPEN
        else "You can leave in every round."
    )
    return [
        Point(
            "Who reads your update?",
            (
                f"The aggregator, {line.aggregator}, opens each of your updates and reads it in clear. Updates can "
                "tell of the data behind them; join only if you trust it that far.",
                "To everybody else it is encrypted.",
                referee,
                "Your data never leave your machine.",
            ),
        ),
        Point(
            "What is public for ever?",
            (
                "That your account took part, in which rounds, and what it was paid.",
                "The hash and the size of every envelope, and whether it was kept, dropped or excluded, and why.",
                "The inner products of all updates of a round: how large each is and how alike they are.",
                "The weighted sum of the kept updates. Those who were kept could subtract theirs together, and see the "
                "sum of the others.",
            ),
        ),
        Point(
            "What can you lose?",
            (
                f"You put down {amount(terms.stake)}.",
                f"{amount(terms.absence_penalty)} of it burn if you miss two rounds running, and you are out.",
                strikes,
                "If your updates are excluded from two rounds running, you are out and keep your stake.",
                "Gas, in every round, whether it pays or not.",
                "Being dropped as an outlier pays nothing in that round, and costs nothing of the stake.",
            ),
        ),
        Point(
            "When can you leave?",
            (
                at_once,
                "While it runs, the current round ends first; your stake is free when it can no longer be challenged, "
                f"{window} later.",
                "Nobody has to be asked: neither the owner nor the aggregator nor this site can keep your money.",
                f"If it has not started by its deadline, or rounds fail, it ends early and stakes go back. At most it "
                f"has {terms.rounds} rounds.",
            ),
        ),
        Point(
            "What does it pay?",
            (
                f"Trainers share {_rewards(terms, currency)}, by what each update contributes.",
                "Nothing is paid for an update that does not help, nor for a round that is void or expires.",
                f"The pay of a round can be withdrawn {window} after it was settled.",
            ),
        ),
    ]


def expectation(page: JobPage, fee_per_gas: int | None) -> Expectation:
    """Return what the rest of a job would cost a trainer in gas, and what it may pay."""
    terms, settled = page.terms, page.line.settled_rounds
    rounds = max(terms.rounds - settled, 0)
    join, each, take = (gas_of(step, terms.max_trainers) for step in ("join", "submit", "withdraw"))
    pay = sum(terms.reward_after(number) for number in range(settled, terms.rounds))
    gas = join + rounds * each + take
    fee = None if fee_per_gas is None else gas * fee_per_gas
    return Expectation(join, each, take, rounds, gas, fee, pay // terms.max_trainers, pay // terms.min_trainers)


def agreed_digest(market: Market, job: int, page: JobPage) -> bytes:
    """Return the digest that joining carries, made of what the page showed and compared with the chain's.

    Raises
    ------
    NotAcceptedError
        If there is nothing to agree to yet.
    ChangedJobError
        If the chain says something else than the page.
    """
    identity = market.identity(job)
    if not any(identity.next_encryption_key):
        raise NotAcceptedError(job)
    shown = JobIdentity(
        market.deployment.chain_id,
        market.deployment.market,
        job,
        page.line.owner,
        page.terms,
        bytes(keccak(page.specification_cid)),
    )
    digest = bytes(keccak(encode(["bytes32", "bytes32"], [shown.digest, identity.next_encryption_key])))
    if digest != market.join_digest(job):
        raise ChangedJobError(job, "agreement")
    return digest


def is_party(page: JobPage, account: ChecksumAddress) -> bool:
    """Whether an account is owner, aggregator or referee of a job, and so can't train in it."""
    return account in (page.line.owner, page.line.aggregator, page.terms.referee)


def _rewards(terms: Terms, currency: Currency | None) -> str:
    if currency is None:
        return f"{words_of_amount(terms.reward_per_round, None)} a round on average"
    return reward_words(terms.reward_per_round, terms.reward_decay, terms.rounds, currency)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
