"""What lets anyone open one envelope: the point that the aggregator shares with it, and the proof that it is the one.

    magic "CAIRNDSC" | version 1 (1 byte) | shared point S, compressed (33) | proof of equal logarithms (64)

The aggregator publishes one for an update that it excludes and whose fault can't be seen from outside; whoever has it
reads that update. An accepted update's is never needed. It opens this envelope alone; the key itself stays secret.
"""

from hashlib import sha256
from typing import Final

from marketplace.errors import PayloadError
from marketplace.payload.envelope import (
    EncryptionKey,
    EncryptionKeyError,
    EncryptionKeyPair,
    SealedEnvelope,
    decrypt_envelope,
    parse_encryption_key,
)
from marketplace.payload.equal_logarithms import (
    EQUAL_LOGARITHMS_BYTES,
    POINT_BYTES,
    prove_equal_logarithms,
    shared_point,
    verify_equal_logarithms,
)

_MAGIC: Final = b"CAIRNDSC\x01"
_PROOF_AT: Final = len(_MAGIC) + POINT_BYTES

DISCLOSURE_BYTES: Final = _PROOF_AT + EQUAL_LOGARITHMS_BYTES


class DisclosureError(PayloadError):
    """Thrown when a disclosure is not the point that the aggregator shares with the envelope, or doesn't prove it.

    Not an `EnvelopeError`: the fault is the discloser's, whatever the envelope holds.

    Attributes
    ----------
    fault
        What is wrong with it.
    """

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(f"The disclosure shows nothing: {fault}; whoever made it has to publish a right one.")


def disclose(sealed: SealedEnvelope, key_pair: EncryptionKeyPair) -> bytes:
    """Return what opens an envelope for everybody, `DISCLOSURE_BYTES` of them.

    Only `parse_envelope` makes what this takes, so nothing is disclosed of an envelope that its sender has not signed
    for its context: there the point could be the one of somebody else's envelope.
    """
    shared = shared_point(key_pair, sealed.ephemeral)
    return _MAGIC + shared + prove_equal_logarithms(key_pair, sealed.ephemeral, shared, _occasion(sealed))


def open_disclosed(sealed: SealedEnvelope, disclosure: bytes, aggregator_key: EncryptionKey) -> bytes:
    """Decrypt an envelope with what the aggregator disclosed.

    Parameters
    ----------
    sealed
        The envelope that was submitted, from `parse_envelope`.
    disclosure
        From `disclose`; untrusted.
    aggregator_key
        The round's encryption key, as the chain has it.

    Raises
    ------
    WrongRecipientError, BrokenSealError
        As `open_envelope` does, for the same envelopes.
    DisclosureError
        If the disclosure is not the shared point of this envelope in this context, proven.
    """
    if len(disclosure) != DISCLOSURE_BYTES:
        raise DisclosureError(f"it has {len(disclosure)} bytes, not {DISCLOSURE_BYTES}")
    if not disclosure.startswith(_MAGIC):
        raise DisclosureError(f"it starts {disclosure[: len(_MAGIC)]!r}, not {_MAGIC!r}")
    try:
        recipient = parse_encryption_key(aggregator_key)
    except EncryptionKeyError as error:
        raise DisclosureError(f"the aggregator's key 0x{aggregator_key.hex()} is none") from error
    shared, proof = disclosure[len(_MAGIC) : _PROOF_AT], disclosure[_PROOF_AT:]
    if not verify_equal_logarithms(recipient, sealed.ephemeral, shared, _occasion(sealed), proof):
        raise DisclosureError(
            f"its point is not proven to be the one that the key 0x{recipient.hex()} shares with this envelope"
        )
    return decrypt_envelope(sealed, sha256(shared).digest(), recipient)


def _occasion(sealed: SealedEnvelope) -> bytes:
    """Return what ties a proof to one submission: its context and the hash of its envelope."""
    return sealed.context.encode() + sha256(sealed.envelope).digest()
