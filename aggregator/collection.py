"""Fetching, opening and checking a round's envelopes: what is accepted, and why the rest is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from eth_typing import ChecksumAddress

from marketplace.chain.history import RoundRecord, Submission
from marketplace.chain.structs import ExclusionReason
from marketplace.errors import ContentTooLargeError, PayloadError, StorageError
from marketplace.parties.view import JobView
from marketplace.payload.envelope import EncryptionKeyPair, envelope_size, open_envelope
from marketplace.payload.update import decode_update, encoded_update_size
from marketplace.storage.cid import parse_binary_cid
from zk.polynomial_commitment import Opening, commit, commitment_hash


@dataclass(frozen=True)
class Accepted:
    """One update that opens its commitment."""

    opening: Opening
    commitment: bytes


@dataclass(frozen=True)
class Refused:
    """One update that is left out, and why."""

    reason: ExclusionReason
    detail: str


@dataclass
class Collection:
    """A round's submissions as far as they were fetched, by account, the referee's included."""

    accepted: dict[ChecksumAddress, Accepted] = field(default_factory=dict)
    refused: dict[ChecksumAddress, Refused] = field(default_factory=dict)

    def outstanding(self, record: RoundRecord, referee: ChecksumAddress) -> list[ChecksumAddress]:
        """Return who submitted and was neither accepted nor refused yet, in ascending order."""
        known = self.accepted.keys() | self.refused.keys()
        return sorted(set(submissions(record, referee)) - known, key=lambda account: int(account, 16))


def submissions(record: RoundRecord, referee: ChecksumAddress) -> dict[ChecksumAddress, Submission]:
    """Return a round's submissions by account, the referee's included."""
    reference = {} if record.reference is None else {referee: record.reference}
    return {**record.submissions, **reference}


def collect(
    view: JobView,
    record: RoundRecord,
    key_pair: EncryptionKeyPair,
    collection: Collection,
    progress: Callable[[str], None],
) -> None:
    """Fetch what is available of a round and sort it into a collection; what is not there stays outstanding.

    Parameters
    ----------
    view
        The job.
    record
        The round.
    key_pair
        The aggregator's, to which the envelopes are encrypted.
    collection
        What was fetched before; extended in place.
    progress
        Called with words before each submission that is looked at.
    """
    outstanding = collection.outstanding(record, view.terms.referee)
    for place, account in enumerate(outstanding, 1):
        progress(f"round {record.number}: fetch, open and check {place} of {len(outstanding)}")
        submission = submissions(record, view.terms.referee)[account]
        outcome = _examine(view, record.number, account, submission, key_pair)
        if isinstance(outcome, Accepted):
            collection.accepted[account] = outcome
        elif outcome is not None:
            collection.refused[account] = outcome


def _examine(
    view: JobView, number: int, account: ChecksumAddress, submission: Submission, key_pair: EncryptionKeyPair
) -> Accepted | Refused | None:
    """Fetch, decrypt, decode and check one submission; None if it can't be fetched."""
    terms = view.terms
    largest = envelope_size(encoded_update_size(terms.dimension, terms.coordinate_bits))
    try:
        envelope = view.store.get(parse_binary_cid(submission.cid), largest)
    except ContentTooLargeError as fault:
        return Refused(ExclusionReason.OUT_OF_RANGE, str(fault))
    except StorageError:
        # It may still come; the notice rule of the contract decides when it counts as unavailable.
        return None
    try:
        encoded = open_envelope(envelope, key_pair, view.envelope_context(number, account))
    except PayloadError as fault:
        return Refused(ExclusionReason.UNDECRYPTABLE, str(fault))
    try:
        opening = decode_update(encoded, terms.dimension, terms.coordinate_bits)
    except PayloadError as fault:
        return Refused(ExclusionReason.OUT_OF_RANGE, str(fault))
    commitment = commit(view.srs, opening)
    if commitment_hash(commitment) != submission.commitment_hash:
        return Refused(
            ExclusionReason.MISMATCH,
            f"the update hashes to 0x{commitment_hash(commitment).hex()}, "
            f"the chain holds 0x{submission.commitment_hash.hex()}",
        )
    return Accepted(opening, commitment)


def evidence(view: JobView, record: RoundRecord, account: ChecksumAddress, refused: Refused) -> bytes:
    """Publish what the aggregator states about an exclusion; return its binary CID, empty for Unavailable."""
    if refused.reason is ExclusionReason.UNAVAILABLE:
        return b""
    submission = submissions(record, view.terms.referee)[account]
    statement = {
        "format": "cairn-exclusion-1",
        "chain_id": view.market.deployment.chain_id,
        "contract": view.market.deployment.market,
        "job": view.job,
        "round": record.number,
        "account": account,
        "reason": refused.reason.words,
        "detail": refused.detail,
        "envelope": str(parse_binary_cid(submission.cid)),
        "commitment_hash": "0x" + submission.commitment_hash.hex(),
    }
    return view.store.add(json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()).binary
