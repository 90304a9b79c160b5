"""Scoring and settling a round: from the accepted updates to the call that the contract checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from eth_typing import ChecksumAddress

from aggregator.collection import Collection, evidence
from contribution.aggregate import weighted_sum
from contribution.errors import CairnError
from contribution.gram import gram_matrix, pack_gram
from contribution.outcome import RuleOutcome
from contribution.rule import RULES, Rule
from marketplace.chain.history import RoundRecord
from marketplace.chain.structs import Exclusion, Settlement
from marketplace.parties.view import JobView, RoundModel
from marketplace.payload.aggregate_file import encode_aggregate


class UnknownRuleError(CairnError):
    """Thrown when a job uses a rule that this installation has no twin of."""


@dataclass(frozen=True)
class ScoredRound:
    """A round as the aggregator computed it.

    Attributes
    ----------
    trainers
        Accepted trainers in ascending order of address.
    outcome
        What the rule decides; None if there is too little to settle.
    settlement
        The call that settles it.
    """

    trainers: tuple[ChecksumAddress, ...]
    outcome: RuleOutcome | None
    settlement: Settlement


def score(view: JobView, record: RoundRecord, collection: Collection) -> ScoredRound:
    """Score a round whose submissions are all accepted or refused, publish its aggregate, and write the settlement.

    Raises
    ------
    UnknownRuleError
        If this installation has no twin of the job's rule.
    """
    referee = view.terms.referee
    trainers = sorted((a for a in collection.accepted if a != referee), key=lambda account: int(account, 16))
    references = [referee] if referee in collection.accepted else []
    rows = [collection.accepted[account] for account in (*trainers, *references)]
    model = view.model_before(record.number)
    settleable = len(trainers) >= view.terms.quorum
    gram = gram_matrix([row.coordinates for row in rows]) if settleable else np.zeros((0, 0), dtype=np.int64)
    outcome = _rule(view)(gram, len(trainers), len(references), view.terms.tolerated) if settleable else None
    cumulative = _advance(model, [row.coordinates for row in rows[: len(trainers)]], outcome)
    settlement = Settlement(
        job=view.job,
        round=record.number,
        trainers=tuple(trainers),
        exclusions=_exclusions(view, record, collection),
        commitments=b"".join(row.commitment for row in rows),
        gram=pack_gram(gram) if settleable else b"",
        model_commitment=model.commitment,
        aggregate_cid=_publish(view, record.number, cumulative),
        proof=b"",
    )
    return ScoredRound(tuple(trainers), outcome, settlement)


def _rule(view: JobView) -> Rule:
    names = {place: name for name, place in view.market.deployment.rules.items()}
    name = names.get(view.terms.rule, view.terms.rule)
    if name not in RULES:
        raise UnknownRuleError(
            f"The job's rule {name} is not one of this installation's: {', '.join(RULES)}; update "
            "Cairn before you settle."
        )
    return RULES[name]


def _advance(
    model: RoundModel, updates: list[npt.NDArray[np.int16]], outcome: RuleOutcome | None
) -> npt.NDArray[np.int64]:
    """Return the sum of all weighted updates since the initial model, this round's included."""
    if outcome is None or outcome.void:
        return model.cumulative
    return model.cumulative + weighted_sum(updates, outcome.weights)


def _publish(view: JobView, number: int, cumulative: npt.NDArray[np.int64]) -> bytes:
    data = encode_aggregate(cumulative, view.round_context(number), view.terms.scale_exponent)
    return view.store.add(data).binary


def _exclusions(view: JobView, record: RoundRecord, collection: Collection) -> tuple[Exclusion, ...]:
    refused = sorted(collection.refused.items(), key=lambda entry: int(entry[0], 16))
    return tuple(
        Exclusion(account, refusal.reason, evidence(view, record, account, refusal)) for account, refusal in refused
    )
