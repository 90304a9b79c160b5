"""What is wrong with a submission, if anything: one procedure for the aggregator and for everyone who checks it.

In this order, so that everybody finds the same; only what follows the fourth step needs the envelope's shared point:

1. the content that the CID names is larger than an envelope of the job: out of range;
2. it is no envelope that the submitter signed for this round: undecryptable;
3. it is one of another length than the job's: out of range;
4. it does not decrypt: undecryptable;
5. what it holds is not as many vectors of the job's dimension and bits as the account has to submit: out of range;
6. their commitments, one after the other, are not what was submitted: mismatch.

So the referee's vectors stand and fall together: one that is wrong leaves out all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.chain.structs import ExclusionReason
from marketplace.errors import PayloadError
from marketplace.payload.context import EnvelopeContext
from marketplace.payload.envelope import EncryptionKey, EnvelopeError, SealedEnvelope, envelope_size, parse_envelope
from marketplace.payload.update import decode_updates, encoded_update_size
from marketplace.storage.cid import Cid
from zk.polynomial_commitment import Opening, commitment_hash

# Opens an envelope that is in good order from outside; raises `EnvelopeError` if it does not decrypt.
Decrypt = Callable[[SealedEnvelope], bytes]
# Commits to a vector again.
Commit = Callable[[Opening], bytes]


@dataclass(frozen=True)
class Submitted:
    """One submission as the chain knows it.

    Attributes
    ----------
    context
        The round, and who submitted.
    cid
        Of the envelope.
    commitment_hash
        keccak256 of the commitments, 32 bytes.
    encryption_key
        The round's; not yet checked to be a point.
    dimension, bits
        Of the job's updates.
    vectors
        How many the account has to submit: one as a trainer, as many as the terms say as the referee.
    """

    context: EnvelopeContext
    cid: Cid
    commitment_hash: bytes
    encryption_key: EncryptionKey
    dimension: int
    bits: int
    vectors: int

    @property
    def envelope_bytes(self) -> int:
        """The length of every envelope around so many vectors of this job."""
        return envelope_size(self.vectors * encoded_update_size(self.dimension, self.bits))


@dataclass(frozen=True)
class Accepted:
    """A submission with which nothing is wrong.

    Attributes
    ----------
    openings
        Each vector and its blinder: one of a trainer, as many of the referee as the job's terms say.
    commitments
        What each opens, one after the other; their hash is the submitted one.
    """

    openings: tuple[Opening, ...]
    commitments: bytes


@dataclass(frozen=True)
class Fault:
    """What is wrong with a submission.

    Attributes
    ----------
    reason
        For which it has to be left out.
    sentence
        What was found, in words.
    decrypted
        Whether the shared point was needed to find it: evidence has to disclose it then, and must not otherwise.
    """

    reason: ExclusionReason
    sentence: str
    decrypted: bool = False


def examine(submitted: Submitted, envelope: bytes, decrypt: Decrypt, commit: Commit) -> Accepted | Fault:
    """Find out what is wrong with a submission.

    Parameters
    ----------
    submitted
        What the chain says.
    envelope
        The content that its CID names.
    decrypt
        Called once, or not at all if the envelope's fault can be seen from outside. Errors other than `EnvelopeError`
        are the caller's own and pass.
    commit
        Commits to a vector, for comparison.
    """
    if len(envelope) > submitted.envelope_bytes:
        return too_large(submitted, len(envelope))
    try:
        sealed = parse_envelope(envelope, submitted.context)
    except PayloadError as fault:
        return Fault(ExclusionReason.UNDECRYPTABLE, str(fault))
    if len(envelope) != submitted.envelope_bytes:
        return Fault(
            ExclusionReason.OUT_OF_RANGE,
            f"The envelope has {len(envelope)} bytes, every one of this job {submitted.envelope_bytes}.",
        )
    try:
        content = decrypt(sealed)
    except EnvelopeError as fault:
        return Fault(ExclusionReason.UNDECRYPTABLE, str(fault), decrypted=True)
    return _examine_content(submitted, content, commit)


def too_large(submitted: Submitted, size: int) -> Fault:
    """Return the fault of content that is larger than any envelope of the job."""
    return Fault(
        ExclusionReason.OUT_OF_RANGE,
        f"The content {submitted.cid} has {size} bytes, an envelope of this job {submitted.envelope_bytes}.",
    )


def _examine_content(submitted: Submitted, content: bytes, commit: Commit) -> Accepted | Fault:
    try:
        openings = decode_updates(content, submitted.dimension, submitted.bits, submitted.vectors)
    except PayloadError as fault:
        return Fault(ExclusionReason.OUT_OF_RANGE, str(fault), decrypted=True)
    commitments = b"".join(commit(opening) for opening in openings)
    found = commitment_hash(commitments)
    if found != submitted.commitment_hash:
        several = f"The commitments to its {len(openings)} vectors hash"
        subject = several if len(openings) > 1 else "The update's commitment hashes"
        return Fault(
            ExclusionReason.MISMATCH,
            f"{subject} to 0x{found.hex()}, the chain holds 0x{submitted.commitment_hash.hex()}.",
            decrypted=True,
        )
    return Accepted(openings, commitments)
