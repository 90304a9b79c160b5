"""Exclusions as the parties of a job see them: what was submitted, and what the evidence is worth."""

from __future__ import annotations

from eth_typing import ChecksumAddress

from marketplace.chain.history import RoundRecord, Submission
from marketplace.chain.structs import Terms
from marketplace.errors import StorageError
from marketplace.exclusion.evidence import LARGEST_EVIDENCE_BYTES
from marketplace.exclusion.examination import Submitted
from marketplace.exclusion.judgement import Verdict, judge_exclusion
from marketplace.parties.view import JobView
from marketplace.payload.envelope import EncryptionKey
from marketplace.storage.cid import parse_binary_cid
from zk.polynomial_commitment import commit


def submissions(record: RoundRecord, referee: ChecksumAddress) -> dict[ChecksumAddress, Submission]:
    """Return a round's submissions by account, the referee's included."""
    reference = {} if record.reference is None else {referee: record.reference}
    return {**record.submissions, **reference}


def vectors_of(terms: Terms, account: ChecksumAddress) -> int:
    """Return how many vectors an account commits to in a round."""
    return terms.references if account == terms.referee else 1


def submitted_by(view: JobView, record: RoundRecord, account: ChecksumAddress) -> Submitted:
    """Return what the chain says about an account's submission to a round."""
    submission = submissions(record, view.terms.referee)[account]
    return Submitted(
        view.envelope_context(record.number, account),
        parse_binary_cid(submission.cid),
        submission.commitment_hash,
        EncryptionKey(record.encryption_key),
        view.terms.dimension,
        view.terms.coordinate_bits,
        vectors_of(view.terms, account),
    )


def judge(view: JobView, record: RoundRecord, account: ChecksumAddress) -> Verdict:
    """Judge the exclusion of an account from a round by what is published; needs no key.

    Parameters
    ----------
    view
        The job.
    record
        A round that has ended.
    account
        One of `record.exclusions`.

    Raises
    ------
    SrsNotFoundError
        If the reference string that commitments are made with is not on this machine.
    """
    submitted = submitted_by(view, record, account)
    return judge_exclusion(
        submitted,
        record.exclusions[account],
        _fetch(view, record.evidence[account], LARGEST_EVIDENCE_BYTES),
        _fetch(view, submitted.cid.binary, submitted.envelope_bytes),
        lambda opening: commit(view.srs, opening),
    )


def _fetch(view: JobView, cid: bytes, largest: int) -> bytes | None:
    """Return published content; None if there is none, it is too large or damaged."""
    if not cid:
        return None
    try:
        return view.store.get(parse_binary_cid(cid), largest)
    except StorageError:
        return None
