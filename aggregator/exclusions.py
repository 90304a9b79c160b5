"""Updates that are left out of a round, each with the evidence that lets everybody see why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from marketplace.chain.structs import ExclusionReason
from marketplace.exclusion.evidence import Evidence, encode_evidence
from marketplace.exclusion.examination import Fault, Submitted, too_large
from marketplace.payload.disclosure import disclose
from marketplace.payload.envelope import EncryptionKeyPair, parse_envelope
from marketplace.storage.store import ContentStore


@dataclass(frozen=True)
class Refused:
    """One update that is left out, and why.

    Attributes
    ----------
    reason
        As it goes on chain.
    detail
        What was found, in words.
    evidence
        What shows it; None for unavailable, for which the notice counts.
    envelope
        The bytes that the evidence is about; None if they were not to be had or are too many.
    """

    reason: ExclusionReason
    detail: str
    evidence: Evidence | None = field(default=None, repr=False)
    envelope: bytes | None = field(default=None, repr=False)


UNAVAILABLE: Final = Refused(ExclusionReason.UNAVAILABLE, "The envelope could not be fetched by the end of delivery.")


def refuse(submitted: Submitted, fault: Fault, envelope: bytes, key_pair: EncryptionKeyPair) -> Refused:
    """Refuse an update, disclosing what opens its envelope only if its fault can't be seen from outside."""
    disclosure = None
    if fault.decrypted:
        disclosure = disclose(parse_envelope(envelope, submitted.context), key_pair)
    evidence = Evidence(submitted.context, fault.reason, submitted.cid, submitted.commitment_hash, disclosure)
    return Refused(fault.reason, fault.sentence, evidence, envelope)


def refuse_too_large(submitted: Submitted, size: int, first_block: bytes) -> Refused:
    """Refuse content that, by its first block, is larger than any envelope of the job."""
    reason = ExclusionReason.OUT_OF_RANGE
    evidence = Evidence(submitted.context, reason, submitted.cid, submitted.commitment_hash, first_block=first_block)
    return Refused(reason, too_large(submitted, size).sentence, evidence)


def publish_evidence(store: ContentStore, refused: Refused) -> bytes:
    """Publish evidence and the envelope that it is about; return the evidence's binary CID, empty for unavailable.

    The envelope is published once more, so that its sender can't take the means of checking away.
    """
    if refused.evidence is None:
        return b""
    if refused.envelope is not None:
        store.add(refused.envelope)
    return store.add(encode_evidence(refused.evidence)).binary
