"""Submitting to a round and delivering: the same steps for trainers and referee, each safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from eth_typing import ChecksumAddress

from marketplace.chain.history import RoundRecord, Submission
from marketplace.parties.outbox import Outbox, OutboxError, Parcel
from marketplace.parties.view import JobView
from marketplace.payload.envelope import parse_encryption_key, seal
from marketplace.payload.update import encode_updates
from marketplace.storage.unixfs import cid_of
from zk.polynomial_commitment import Opening, commit, commitment_hash, new_blinder

Coordinates = npt.NDArray[np.int16]
Progress = Callable[[str], None]


def prepare(
    view: JobView,
    outbox: Outbox,
    account: ChecksumAddress,
    record: RoundRecord,
    compute: Callable[[], Sequence[Coordinates]],
    progress: Progress,
) -> Parcel:
    """Return the submission for a round: the one kept on disk, or a new one, kept before it is returned.

    Parameters
    ----------
    view, outbox, account
        The job, and who submits.
    record
        The round as it opened.
    compute
        Makes the integer vectors, int16, shape (d,): one of a trainer, the job's number of references of the referee.
    progress
        Called with each step before it begins, in words.

    Raises
    ------
    OutboxError
        If it can't be kept, or what was kept is damaged or of another chain.
    """
    kept = outbox.find(record.number)
    if kept is not None:
        return _check_recipient(kept, record, outbox)
    openings = [Opening(vector, new_blinder()) for vector in compute()]
    progress(f"round {record.number}: commit")
    encoded = encode_updates(openings, view.terms.coordinate_bits)
    recipient = parse_encryption_key(record.encryption_key, "aggregator")
    envelope = seal(encoded, recipient, view.envelope_context(record.number, account))
    parcel = Parcel(
        record.number,
        b"".join(commit(view.srs, opening) for opening in openings),
        cid_of(envelope),
        encoded,
        envelope,
        record.encryption_key,
    )
    progress(f"round {record.number}: keep")
    outbox.keep(parcel)
    return parcel


def _check_recipient(kept: Parcel, record: RoundRecord, outbox: Outbox) -> Parcel:
    """Refuse what the round's aggregator could not open: a reorganisation, or a local chain that was started anew."""
    if kept.recipient != record.encryption_key:
        raise OutboxError(
            f"The submission of round {kept.round} in {outbox.directory} is encrypted to the key "
            f"0x{kept.recipient.hex()}, and the round's key is 0x{record.encryption_key.hex()}: it was made for "
            "another chain. Move the outbox away, or name another workspace."
        )
    return kept


def hash_of(parcel: Parcel) -> bytes:
    """Return what the chain gets of a submission."""
    return commitment_hash(parcel.commitment)


def is_ours(parcel: Parcel, submission: Submission | None) -> bool:
    """Tell whether what the chain holds is this submission."""
    return (
        submission is not None and submission.commitment_hash == hash_of(parcel) and submission.cid == parcel.cid.binary
    )


def deliver(
    view: JobView,
    outbox: Outbox,
    account: ChecksumAddress,
    record: RoundRecord,
    submission: Submission | None,
    progress: Progress,
) -> bool:
    """Publish the envelope of a round, or publish it again if it is missed; tell whether something was published.

    Parameters
    ----------
    view, outbox, account, record
        The job, who submitted, and the round.
    submission
        What the chain holds of the account; nothing is published unless it is what the outbox holds.
    progress
        Called with the step before it begins, in words.

    Raises
    ------
    StorageError
        If the content store does not take it.
    OutboxError
        If what was kept is damaged.
    """
    number = record.number
    parcel = outbox.find(number)
    if parcel is None or not is_ours(parcel, submission):
        return False
    # The store may have the first block and lack another, so a notice is always answered once.
    is_missed = account in record.missing and not (outbox.is_republished(number) and view.store.has(parcel.cid))
    if outbox.is_published(number) and not is_missed:
        return False
    progress(f"round {number}: deliver")
    view.store.add(parcel.envelope)
    outbox.mark_published(number, again=is_missed)
    return True
