"""An audit's report: what was trusted, every check with its verdict, and the figures behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from contribution.errors import CairnError
from marketplace.audit.case import Case
from marketplace.audit.check import Check, all_hold
from marketplace.audit.settlement import explanations, matrix_of, reward_of
from marketplace.chain.history import RoundRecord
from marketplace.storage.cid import parse_binary_cid

FORMAT: Final = "cairn-audit-1"

Document = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """One audit.

    Attributes
    ----------
    scope
        "job", "model", or "round 3".
    job
        The job's number.
    trust
        What had to be believed, a sentence each.
    checks
        In the order in which they were made.
    facts
        What the chain says of the job, in values that JSON has; None if it could not be read.
    """

    scope: str
    job: int
    trust: tuple[str, ...]
    checks: tuple[Check, ...]
    facts: Document | None

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all_hold(self.checks)

    @property
    def document(self) -> Document:
        """The report in values that JSON has, with its digest."""
        body = self._body()
        return {**body, "digest": _digest(body)}

    @property
    def digest(self) -> str:
        """SHA-256 of the report's canonical JSON (sorted keys, no spaces, ASCII), without this entry itself."""
        return _digest(self._body())

    def _body(self) -> Document:
        return {
            "format": FORMAT,
            "scope": self.scope,
            "job": self.job,
            "trust": list(self.trust),
            "holds": self.holds,
            "checks": [asdict(check) for check in self.checks],
            "facts": self.facts,
        }


def facts_of(case: Case) -> Document:
    """Return what the chain says of a job: where, who, and each round's figures. Amounts in wei."""
    reading, terms = case.reading, case.terms
    return {
        "chain_id": reading.chain_id,
        "market": reading.market,
        "block": {
            "number": reading.head.number,
            "hash": "0x" + reading.head.hash.hex(),
            "timestamp": reading.head.timestamp,
        },
        "owner": case.owner,
        "aggregator": terms.aggregator,
        "referee": terms.referee if terms.has_referee else None,
        "state": case.twin.state.name.lower(),
        "rule": case.rule,
        "specification_cid": _cid(case.history.specification_cid),
        "reward_per_round_wei": terms.reward_per_round,
        "reward_decay": terms.reward_decay,
        "trainers": _trainers(case),
        "overturned": {str(number): how for number, how in case.twin.overturned.items()},
        "rounds": [_round(case, case.history.rounds[number]) for number in sorted(case.history.rounds)],
    }


def _trainers(case: Case) -> list[str]:
    """Return everybody who joined, or was settled with, in ascending order of address."""
    joined = {event.arguments["trainer"] for event in case.history.named("TrainerJoined")}
    joined |= {account for record in case.settled for account in record.trainers}
    return sorted(joined, key=lambda account: int(account, 16))


def _round(case: Case, record: RoundRecord) -> Document:
    ended = "settled" if record.settled else "open"
    if record.void is not None:
        ended = f"void: {record.void.words}"
    elif record.penalty is not None:
        ended = "expired"
    return {
        "round": record.number,
        "ended": ended,
        "trainers": list(record.trainers),
        "weights": list(record.weights),
        # Contributions exceed the 53 bits that some readers of JSON keep.
        "contributions": [str(value) for value in record.contributions],
        "reward_wei": _reward(case, record),
        "payouts_wei": [str(value) for value in record.payouts],
        "excluded": {account: reason.words for account, reason in sorted(record.exclusions.items())},
        "references": case.references(record),
        "aggregate_cid": None if record.aggregate_cid is None else _cid(record.aggregate_cid),
        "model_commitment": None if record.model_commitment is None else "0x" + record.model_commitment.hex(),
        "commitments": None if record.commitments is None else "0x" + record.commitments.hex(),
        "explanations": _explanations(case, record),
        "cosines": _cosines(case, record),
    }


def _reward(case: Case, record: RoundRecord) -> str | None:
    """Return what a round pays if it is settled; None for a round that the terms have no reward for."""
    try:
        return str(reward_of(case, record))
    except CairnError:
        # No market opens such a round, or creates a job with such terms; what the checks say of it is enough.
        return None


def _explanations(case: Case, record: RoundRecord) -> list[str] | None:
    """Return a sentence on each trainer of a round; None if it has no matrix, or the rule decides otherwise."""
    if not record.settled:
        return None
    everyone = _trainers(case)
    names = [f"trainer {everyone.index(account) + 1}" for account in record.trainers]
    try:
        return list(explanations(case, record, names))
    except CairnError:
        # That the round is not as the rule decides is what the checks say.
        return None


def _cosines(case: Case, record: RoundRecord) -> list[list[float]] | None:
    """Return `G_ij / sqrt(G_ii G_jj)`, to four places; None for a round without a matrix."""
    if not record.settled:
        return None
    try:
        matrix = matrix_of(case, record).astype(np.float64)
    except CairnError:
        return None
    norms = np.sqrt(np.abs(matrix.diagonal()))
    scale = np.outer(norms, norms)
    cosines = np.divide(matrix, scale, out=np.zeros_like(matrix), where=scale > 0)
    return [[round(float(entry), 4) for entry in row] for row in cosines]


def _cid(binary: bytes) -> str:
    try:
        return str(parse_binary_cid(binary))
    except CairnError:
        return "0x" + binary.hex()


def canonical(document: Document) -> bytes:
    """Return the one JSON text of a document: sorted keys, no spaces, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _digest(body: Document) -> str:
    return hashlib.sha256(canonical(body)).hexdigest()


def summary(checks: Sequence[Check]) -> str:
    """Return how many checks came out how, in words."""
    counts: dict[str, int] = {}
    for check in checks:
        counts[check.verdict.value] = counts.get(check.verdict.value, 0) + 1
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items(), key=lambda entry: -entry[1]))
