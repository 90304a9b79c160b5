"""Whether an exclusion holds, by chain, evidence and envelope; nothing rests on the aggregator's word."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.chain.structs import ExclusionReason
from marketplace.errors import CorruptContentError, PayloadError, WrongOriginError
from marketplace.exclusion.evidence import Evidence, decode_evidence
from marketplace.exclusion.examination import Accepted, Commit, Fault, Submitted, examine, too_large
from marketplace.payload.disclosure import open_disclosed
from marketplace.payload.envelope import SealedEnvelope
from marketplace.storage.unixfs import cid_of, declared_size


@dataclass(frozen=True)
class Verdict:
    """What an exclusion is worth.

    Attributes
    ----------
    holds
        Whether the reason is shown to be right.
    sentence
        What was found.
    """

    holds: bool
    sentence: str

    def __str__(self) -> str:
        return f"{'holds' if self.holds else 'FALSE'}: {self.sentence}"


class InsufficientEvidenceError(PayloadError):
    """Thrown when evidence lacks what would show the fault of a submission.

    Attributes
    ----------
    lack
        What is missing.
    """

    def __init__(self, lack: str) -> None:
        self.lack = lack
        super().__init__(f"The evidence shows no fault: {lack}; the aggregator has to publish what does.")


def judge_exclusion(
    submitted: Submitted,
    reason: ExclusionReason,
    evidence: bytes | None,
    envelope: bytes | None,
    commit: Commit,
) -> Verdict:
    """Judge an exclusion; the burden of proof is the aggregator's.

    Parameters
    ----------
    submitted
        The submission that was left out, as the chain has it.
    reason
        As the chain has it.
    evidence
        The content of the evidence's CID; None if it is not to be had. At most `LARGEST_EVIDENCE_BYTES` can be right.
    envelope
        The content of the submission's CID; None if it is not to be had, or larger than `submitted.envelope_bytes`.
    commit
        Commits to an update, as in the job.
    """
    if reason is ExclusionReason.UNAVAILABLE:
        now = "The envelope is there now. " if envelope is not None else ""
        return Verdict(
            True, f"Notice was given on chain. {now}What could be fetched at the time, nobody can show or refute."
        )
    if evidence is None:
        return Verdict(False, "The evidence is not to be had; the aggregator has to keep it published.")
    try:
        statement = decode_evidence(evidence)
        _require_same(statement, submitted, reason)
        found = _examine_again(submitted, statement, envelope, commit)
    except (PayloadError, CorruptContentError) as fault:
        return Verdict(False, str(fault))
    if isinstance(found, Accepted):
        return Verdict(False, f"The update opens the commitment that was submitted; it is not {reason.words}.")
    if found.reason is not reason:
        return Verdict(False, f"The update is {found.reason.words}, not {reason.words}: {found.sentence}")
    return Verdict(True, found.sentence)


def _require_same(statement: Evidence, submitted: Submitted, reason: ExclusionReason) -> None:
    """Raise `WrongOriginError` at the first item in which evidence differs from the exclusion that it should show."""
    statement.context.require(submitted.context, "evidence")
    pairs = (
        ("reason", statement.reason.words, reason.words),
        ("envelope", statement.envelope, submitted.cid),
        ("commitment hash", "0x" + statement.commitment_hash.hex(), "0x" + submitted.commitment_hash.hex()),
    )
    for item, found, expected in pairs:
        if found != expected:
            raise WrongOriginError("evidence", item, found, expected)


def _examine_again(
    submitted: Submitted, statement: Evidence, envelope: bytes | None, commit: Commit
) -> Accepted | Fault:
    """Examine a submission with what the evidence has.

    Raises
    ------
    PayloadError
        If what is needed is not there, or not proven.
    CorruptContentError
        If the bytes are not those that were submitted.
    """
    if envelope is None:
        return _examine_first_block(submitted, statement.first_block)
    if cid_of(envelope) != submitted.cid:
        raise CorruptContentError(str(submitted.cid), f"the {len(envelope)} bytes found have another CID")

    def decrypt(sealed: SealedEnvelope) -> bytes:
        if statement.disclosure is None:
            raise InsufficientEvidenceError("the envelope is in good order from outside, and nothing opens it")
        return open_disclosed(sealed, statement.disclosure, submitted.encryption_key)

    return examine(submitted, envelope, decrypt, commit)


def _examine_first_block(submitted: Submitted, first_block: bytes | None) -> Fault:
    """Say what is wrong with content of which there is only the first block."""
    if first_block is None:
        raise InsufficientEvidenceError("the envelope is not to be had")
    size = declared_size(submitted.cid, first_block)
    if size <= submitted.envelope_bytes:
        raise InsufficientEvidenceError(
            f"the envelope is not to be had, and its {size} bytes are no more than the job's {submitted.envelope_bytes}"
        )
    return too_large(submitted, size)
