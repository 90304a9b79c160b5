"""Whether an exclusion holds, by chain, evidence and envelope; nothing rests on the aggregator's word."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.chain.structs import ExclusionReason
from marketplace.errors import CorruptContentError, PayloadError, WrongOriginError
from marketplace.exclusion.evidence import Evidence, decode_evidence
from marketplace.exclusion.examination import Commit, Finding, Submitted, examine, too_large
from marketplace.payload.disclosure import DisclosureError, open_disclosed
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
        return Verdict(True, "Notice was given on chain; what could be fetched at the time, nobody can show or refute.")
    if evidence is None:
        return Verdict(False, "The evidence is not to be had; the aggregator has to keep it published.")
    try:
        statement = decode_evidence(evidence)
        _require_same(statement, submitted, reason)
        finding = _find(submitted, statement, envelope, commit)
    except (PayloadError, CorruptContentError) as fault:
        return Verdict(False, str(fault))
    if finding.reason is reason:
        return Verdict(True, finding.sentence)
    stated = f"the reason given is {reason.words}"
    return Verdict(False, f"{finding.sentence.rstrip('.')}; {stated}.")


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


def _find(submitted: Submitted, statement: Evidence, envelope: bytes | None, commit: Commit) -> Finding:
    """Examine a submission with what the evidence has.

    Raises
    ------
    PayloadError
        If the shared point is needed, and not disclosed with a proof.
    CorruptContentError
        If the bytes are not those that were submitted.
    """
    if envelope is None:
        return _find_without_envelope(submitted, statement.first_block)
    if cid_of(envelope) != submitted.cid:
        raise CorruptContentError(str(submitted.cid), f"the {len(envelope)} bytes found have another CID")

    def decrypt(sealed: SealedEnvelope) -> bytes:
        if statement.disclosure is None:
            raise DisclosureError("there is none, and the envelope is in good order from outside")
        return open_disclosed(sealed, statement.disclosure, submitted.encryption_key)

    return examine(submitted, envelope, decrypt, commit)


def _find_without_envelope(submitted: Submitted, first_block: bytes | None) -> Finding:
    """Say what the first block alone shows."""
    if first_block is None:
        return Finding(None, "The envelope is not to be had, so nobody can check it; the aggregator has to publish it.")
    size = declared_size(submitted.cid, first_block)
    if size > submitted.envelope_bytes:
        return too_large(submitted, size)
    return Finding(None, f"The first block declares {size} bytes, which is not too large for an envelope of this job.")
