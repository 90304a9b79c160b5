"""Submitting to a round and delivering: the same steps for trainers and referee, each safe to repeat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from eth_typing import ChecksumAddress

from marketplace.chain.history import RoundRecord, Submission
from marketplace.parties.outbox import Outbox, Parcel
from marketplace.parties.view import JobView
from marketplace.payload.envelope import parse_encryption_key, seal
from marketplace.payload.update import encode_update
from marketplace.storage.unixfs import cid_of
from zk.polynomial_commitment import Opening, commit, commitment_hash, new_blinder

Coordinates = npt.NDArray[np.int16]
# The most recent of the round's submissions must not fail on a block whose time is past the deadline.
SUBMIT_MARGIN_SECONDS: Final = 1


def prepare(
    view: JobView,
    outbox: Outbox,
    account: ChecksumAddress,
    record: RoundRecord,
    compute: Callable[[], Coordinates],
) -> Parcel:
    """Return the submission for a round: the one kept on disk, or a new one, kept before it is returned.

    Parameters
    ----------
    view, outbox, account
        The job, and who submits.
    record
        The round as it opened.
    compute
        Makes the integer vector, int16, shape (d,).
    """
    kept = outbox.find(record.number)
    if kept is not None:
        return kept
    opening = Opening(compute(), new_blinder())
    encoded = encode_update(opening, view.terms.coordinate_bits)
    recipient = parse_encryption_key(record.encryption_key, "aggregator")
    envelope = seal(encoded, recipient, view.envelope_context(record.number, account))
    parcel = Parcel(
        record.number,
        commit(view.srs, opening),
        cid_of(envelope),
        encoded,
        envelope,
        record.encryption_key,
    )
    outbox.keep(parcel)
    return parcel


def hash_of(parcel: Parcel) -> bytes:
    """Return what the chain gets of a submission."""
    return commitment_hash(parcel.commitment)


def is_ours(parcel: Parcel, submission: Submission | None) -> bool:
    """Tell whether what the chain holds is this submission."""
    return (
        submission is not None and submission.commitment_hash == hash_of(parcel) and submission.cid == parcel.cid.binary
    )


def deliver(view: JobView, outbox: Outbox, number: int, *, again: bool) -> bool:
    """Publish the envelope of a round, or publish it again; tell whether something was published.

    Raises
    ------
    StorageError
        If the content store does not take it.
    """
    parcel = outbox.find(number)
    if parcel is None or (outbox.is_published(number) and not again):
        return False
    view.store.add(parcel.envelope)
    outbox.mark_published(number)
    return True
