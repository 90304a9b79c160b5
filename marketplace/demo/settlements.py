"""What each round decided about each trainer: read from the chain's events, and computed again from the matrix in them.

The events say who got which weight and what pay, not why. The rule's integer twin, run on the matrix that was settled
with, says why; where it decides anything else than the contract did, nothing is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress

from contribution.errors import CairnError
from contribution.explanation import explain
from contribution.gram import GramMatrix, unpack_gram
from contribution.outcome import RuleOutcome
from contribution.payout import payouts, positive_sum
from contribution.rules import RULES
from marketplace.chain.history import RoundRecord
from marketplace.parties.view import JobView

# A weight in the aggregate, in units of 2^-16.
WEIGHT_UNIT: Final = 1 << 16


class ReplayError(CairnError):
    """Thrown when a settled round, computed again, does not come out as the chain's events say."""


@dataclass(frozen=True)
class TrainerRound:
    """One trainer in one round.

    Attributes
    ----------
    account
        The trainer.
    selected
        Whether its update is in the aggregate.
    reason
        In a word or two, why it is or is not.
    explanation
        The reason with the numbers that decided, in one sentence.
    measured, limit
        Those numbers; see `Decision`; None where nothing was compared.
    weight
        Weight in the aggregate, in units of 2^-16.
    contribution
        Shapley value as the contract computed it, in units of 2^-32.
    share
        The same as a share of the round's positive contributions; negative if the update did harm.
    pay
        Wei.
    """

    account: ChecksumAddress
    selected: bool
    reason: str
    explanation: str
    measured: int | None = None
    limit: int | None = None
    weight: int = 0
    contribution: int = 0
    share: float = 0.0
    pay: int = 0


@dataclass(frozen=True)
class RoundResult:
    """One round that has ended; `trainers` in ascending order of address, everyone who ever joined.

    `ended` says how: "settled", "void: " with the cause, or "expired". `reward` is what it could pay, in wei.
    `reference` tells whether the referee's reference took part, `reference_ignored` whether its filter was put aside
    because it left too few.
    """

    number: int
    ended: str
    reward: int
    reference: bool
    reference_ignored: bool
    trainers: tuple[TrainerRound, ...]

    @property
    def selected(self) -> int:
        """How many are in the aggregate."""
        return sum(trainer.selected for trainer in self.trainers)

    @property
    def paid(self) -> int:
        """What the round paid, in wei."""
        return sum(trainer.pay for trainer in self.trainers)


def ended_rounds(view: JobView) -> list[RoundResult]:
    """Return what every ended round decided, in order.

    Raises
    ------
    ReplayError
        If a settled round, computed again, does not come out as the chain's events say.
    """
    return [round_result(view, record) for record in view.history().rounds.values() if record.ended_in is not None]


def round_result(view: JobView, record: RoundRecord) -> RoundResult:
    """Return what one ended round decided.

    Raises
    ------
    ReplayError
        If it was settled and, computed again, does not come out as the chain's events say.
    """
    joined, reward = trainers_joined(view), _reward(view, record)
    if not record.settled:
        ended = f"void: {record.void.words}" if record.void is not None else "expired"
        absent = tuple(_left_out(record, account, ended) for account in joined)
        return RoundResult(record.number, ended, reward, False, False, absent)
    outcome, references = replay(view, record)
    names = [f"trainer {joined.index(account) + 1}" for account in record.trainers]
    sentences = explain(_rule_name(view), _matrix(record, references), references, outcome, names)
    scored = {
        account: _scored(record, outcome, place, sentence)
        for place, (account, sentence) in enumerate(zip(record.trainers, sentences, strict=True))
    }
    everyone = tuple(scored.get(account) or _left_out(record, account, "") for account in joined)
    ignored = references > 0 and not outcome.reference_used
    return RoundResult(record.number, "settled", reward, references > 0, ignored, everyone)


def trainers_joined(view: JobView) -> list[ChecksumAddress]:
    """Return everyone who ever joined, in ascending order of address; a trainer's number is its place, from 1."""
    accounts = {event.arguments["trainer"] for event in view.history().named("TrainerJoined")}
    return sorted(accounts, key=lambda account: int(account, 16))


def replay(view: JobView, record: RoundRecord) -> tuple[RuleOutcome, int]:
    """Compute a settled round again from the matrix in its event; return the outcome and the number of references.

    Raises
    ------
    ReplayError
        If weights, contributions or payouts are not those in the event.
    """
    excluded = view.terms.referee in record.exclusions
    references = 0 if record.reference is None or excluded else view.terms.references
    gram = _matrix(record, references)
    outcome = RULES[_rule_name(view)](gram, len(record.trainers), references, view.terms.tolerated)
    pay = tuple(payouts(outcome.contributions, _reward(view, record)))
    for what, computed, stated in (
        ("weights", outcome.weights, record.weights),
        ("contributions", outcome.contributions, record.contributions),
        ("payouts", pay, record.payouts),
    ):
        if tuple(computed) != tuple(stated):
            raise ReplayError(
                f"Round {record.number} computed again from its matrix gives the {what} {list(computed)}, the chain's "
                f"event says {list(stated)}: the contract's rule and this installation's twin of it differ. Check that "
                "both are of one version."
            )
    return outcome, references


def _reward(view: JobView, record: RoundRecord) -> int:
    return view.terms.reward_after(view.history().settled_before(record.number))


def _matrix(record: RoundRecord, references: int) -> GramMatrix:
    return unpack_gram(record.gram or b"", len(record.trainers) + references)


def _rule_name(view: JobView) -> str:
    names = {place: name for name, place in view.market.deployment.rules.items()}
    return names[view.terms.rule]


def _scored(record: RoundRecord, outcome: RuleOutcome, place: int, sentence: str) -> TrainerRound:
    decision = outcome.decisions[place]
    contribution, positive = record.contributions[place], positive_sum(record.contributions)
    return TrainerRound(
        record.trainers[place],
        record.weights[place] > 0,
        decision.reason.value,
        sentence,
        decision.measured,
        decision.limit,
        record.weights[place],
        contribution,
        contribution / positive if positive else 0.0,
        record.payouts[place],
    )


def _left_out(record: RoundRecord, account: ChecksumAddress, ended: str) -> TrainerRound:
    if account in record.exclusions:
        reason = record.exclusions[account].words
        return TrainerRound(account, False, reason, f"the aggregator left the update out as {reason}")
    if account not in record.submissions:
        return TrainerRound(account, False, "absent", "submitted nothing")
    return TrainerRound(account, False, ended, "the round ended without a result")
