"""Scoring and proving a round: from the accepted updates to the call that the contract checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from eth_typing import ChecksumAddress

from aggregator.collection import Collection
from aggregator.exclusions import publish_evidence
from contribution.aggregate import weighted_sum
from contribution.errors import CairnError
from contribution.gram import gram_matrix, pack_gram
from contribution.outcome import RuleOutcome
from contribution.rules import RULES, Rule
from marketplace.chain.context import settlement_context
from marketplace.chain.history import RoundRecord
from marketplace.chain.structs import Exclusion, Settlement
from marketplace.parties.view import JobView, RoundSum
from marketplace.payload.aggregate_file import Aggregate, encode_aggregate
from marketplace.storage.unixfs import cid_of
from zk.bn254.parameters import SCALAR_MODULUS
from zk.gram_proof.prover import prove_gram
from zk.polynomial_commitment import Opening, advance_model, split_commitments

Progress = Callable[[str], None]


class UnknownRuleError(CairnError):
    """Thrown when a job uses a rule that this installation has no twin of."""


@dataclass(frozen=True)
class ScoredRound:
    """A round as the aggregator computed it.

    Attributes
    ----------
    trainers
        Accepted trainers in ascending order of address.
    openings
        Their updates, then the referee's vectors, in the order of the matrix.
    outcome
        What the rule decides; None if there is too little to settle.
    aggregate_file
        What is to be published for the settlement.
    settlement
        The call that settles it, without its proof.
    """

    trainers: tuple[ChecksumAddress, ...]
    openings: tuple[Opening, ...]
    outcome: RuleOutcome | None
    aggregate_file: bytes
    settlement: Settlement


def score(view: JobView, record: RoundRecord, collection: Collection) -> ScoredRound:
    """Score a round whose submissions are all accepted or refused, and write the settlement that a proof is missing of.

    Evidence of exclusions is published, because the settlement names it.

    Raises
    ------
    UnknownRuleError
        If this installation has no twin of the job's rule.
    """
    referee = view.terms.referee
    trainers = sorted((a for a in collection.accepted if a != referee), key=lambda account: int(account, 16))
    parties = [*trainers, *([referee] if referee in collection.accepted else [])]
    accepted = [collection.accepted[account] for account in parties]
    openings = tuple(opening for each in accepted for opening in each.openings)
    commitments = b"".join(each.commitments for each in accepted)
    model = view.sum_before(record.number)
    settleable = len(trainers) >= view.terms.quorum
    gram = gram_matrix([opening.update for opening in openings]) if settleable else np.zeros((0, 0), dtype=np.int64)
    references = len(openings) - len(trainers)
    outcome = rule_of(view)(gram, len(trainers), references, view.terms.tolerated) if settleable else None
    weights = () if outcome is None or outcome.void else outcome.weights
    aggregate_file = encode_aggregate(
        _advance(model, openings, weights), view.round_context(record.number), view.terms.scale_exponent
    )
    settlement = Settlement(
        job=view.job,
        round=record.number,
        trainers=tuple(trainers),
        exclusions=_exclusions(view, collection),
        commitments=commitments,
        gram=pack_gram(gram) if settleable else b"",
        model_commitment=model.commitment,
        new_model_commitment=advance_model(model.commitment, split_commitments(commitments), weights),
        aggregate_cid=cid_of(aggregate_file).binary,
        proof=b"",
    )
    return ScoredRound(tuple(trainers), openings, outcome, aggregate_file, settlement)


def prove(view: JobView, settler: ChecksumAddress, scored: ScoredRound, progress: Progress) -> Settlement:
    """Return the settlement with its proof; without one if the contract needs none, because the round is void.

    Parameters
    ----------
    view, settler
        The job, and the account that will send the settlement: nobody else can use the proof.
    scored
        The round.
    progress
        Called with the name of each step of the proof before it begins.

    Raises
    ------
    ProofRejectedError
        If the openings don't belong to the commitments.
    """
    if scored.outcome is None:
        return scored.settlement
    references = len(scored.openings) - len(scored.trainers)
    context = settlement_context(view.identity, settler, scored.settlement, references)
    settlement = scored.settlement
    proof = prove_gram(view.srs, context, settlement.commitments, settlement.gram, scored.openings, progress)
    return replace(settlement, proof=proof)


def rule_of(view: JobView) -> Rule:
    """Return this installation's twin of a job's rule.

    Raises
    ------
    UnknownRuleError
        If there is none.
    """
    names = {place: name for name, place in view.market.deployment.rules.items()}
    name = names.get(view.terms.rule, view.terms.rule)
    if name not in RULES:
        raise UnknownRuleError(
            f"The job's rule {name} is not one of this installation's: {', '.join(RULES)}; update "
            "Cairn before you settle."
        )
    return RULES[name]


def _advance(model: RoundSum, openings: tuple[Opening, ...], weights: tuple[int, ...]) -> Aggregate:
    """Return the sum of all weighted updates since the initial model, this round's included, with their blinders."""
    if not weights:
        return model.aggregate
    added = weighted_sum([opening.update for opening in openings[: len(weights)]], weights)
    blinder = sum(weight * opening.blinder for weight, opening in zip(weights, openings, strict=False))
    return Aggregate(model.aggregate.cumulative + added, (model.aggregate.blinder + blinder) % SCALAR_MODULUS)


def _exclusions(view: JobView, collection: Collection) -> tuple[Exclusion, ...]:
    refused = sorted(collection.refused.items(), key=lambda entry: int(entry[0], 16))
    return tuple(
        Exclusion(account, refusal.reason, publish_evidence(view.store, refusal)) for account, refusal in refused
    )
