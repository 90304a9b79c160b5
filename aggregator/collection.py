"""Fetching, opening and checking a round's envelopes: what is accepted, and why the rest is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from eth_typing import ChecksumAddress

from aggregator.envelopes import find_envelope, keep_envelope
from aggregator.exclusions import Refused, refuse, refuse_too_large
from marketplace.chain.history import RoundRecord
from marketplace.errors import ContentTooLargeError, StorageError
from marketplace.exclusion.examination import Accepted, examine
from marketplace.parties.exclusions import submissions, submitted_by
from marketplace.parties.view import JobView
from marketplace.payload.envelope import EncryptionKeyPair, open_envelope
from zk.polynomial_commitment import commit


@dataclass
class Collection:
    """A round's submissions as far as they were fetched, by account, the referee's included."""

    accepted: dict[ChecksumAddress, Accepted] = field(default_factory=dict)
    refused: dict[ChecksumAddress, Refused] = field(default_factory=dict)

    def outstanding(self, record: RoundRecord, referee: ChecksumAddress) -> list[ChecksumAddress]:
        """Return who submitted and was neither accepted nor refused yet, in ascending order."""
        known = self.accepted.keys() | self.refused.keys()
        return sorted(set(submissions(record, referee)) - known, key=lambda account: int(account, 16))


def collect(
    view: JobView,
    record: RoundRecord,
    key_pair: EncryptionKeyPair,
    workspace: Path,
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
    workspace
        Where accepted envelopes are kept.
    collection
        What was fetched before; extended in place.
    progress
        Called with words before each submission that is looked at.
    """
    outstanding = collection.outstanding(record, view.terms.referee)
    for place, account in enumerate(outstanding, 1):
        progress(f"round {record.number}: fetch, open and check {place} of {len(outstanding)}")
        outcome = _examine(view, record, account, key_pair, workspace)
        if isinstance(outcome, Accepted):
            collection.accepted[account] = outcome
        elif outcome is not None:
            collection.refused[account] = outcome


def _examine(
    view: JobView, record: RoundRecord, account: ChecksumAddress, key_pair: EncryptionKeyPair, workspace: Path
) -> Accepted | Refused | None:
    """Fetch, decrypt, decode and check one submission; None if it can't be fetched."""
    submitted = submitted_by(view, record, account)
    kept = find_envelope(workspace, record.number, account, submitted.cid)
    try:
        envelope = kept if kept is not None else view.store.get(submitted.cid, submitted.envelope_bytes)
    except ContentTooLargeError as fault:
        return refuse_too_large(submitted, fault.size, fault.first_block)
    except StorageError:
        # It may still come; the notice rule of the contract decides when it counts as unavailable.
        return None
    found = examine(
        submitted,
        envelope,
        lambda sealed: open_envelope(sealed, key_pair),
        lambda opening: commit(view.srs, opening),
    )
    if not isinstance(found, Accepted):
        return refuse(submitted, found, envelope, key_pair)
    if kept is None:
        keep_envelope(workspace, record.number, account, envelope)
    return found
