"""Encryption of an update to the aggregator, bound to chain, market, job, round and sender.

    magic "CAIRNENV" | version (1 byte) | ephemeral key (32) | key commitment (32) | context (112) | ciphertext (n + 16)
    | signature (64)

Keys are secp256k1 points with even y, written as their x (as in BIP-340). Both sides compute the shared point
`S = e P = k E` and its SHA-256; HKDF-SHA256 over that hash, with both public keys in its info, gives 64 bytes: the key
of ChaCha20-Poly1305 and the key commitment. Everything before the ciphertext is associated data. The signature is
BIP-340's, by the ephemeral key, over the SHA-256 of all that stands before it.

- The key commitment is a second output of the derivation: no envelope opens under two keys, which the cipher alone
  would allow.
- A key encrypts once, because its ephemeral half is drawn anew for each envelope; that is why the nonce can be zero.
- Whoever is shown S can derive the key and read the envelope; `disclosure` makes that evidence of what it held.
- The signature shows that its sender knows e, so that showing S tells nothing that the sender didn't know. Without it
  a trainer could hand in an envelope with somebody else's ephemeral key, moved by a point of its own choice, and the
  evidence of its exclusion would be the key to that other envelope.
- The signature covers the context as well: an envelope that was altered, or belongs to another round or sender, is
  refused by anyone, without any secret.
- The context is public anyway (the chain records who submitted which CID in which round). The length depends on the
  length of the content only.
"""

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NewType

from coincurve import PrivateKey, PublicKeyXOnly
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from marketplace.errors import PayloadError
from marketplace.payload.context import EnvelopeContext

EncryptionKey = NewType("EncryptionKey", bytes)

ENCRYPTION_KEY_BYTES: Final = 32

GROUP_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

_MAGIC: Final = b"CAIRNENV\x02"
_INFO: Final = b"cairn/envelope/secp256k1-hkdf-sha256-chacha20poly1305/v2\0"
_SIGNATURE_DOMAIN: Final = b"cairn/envelope-signature/bip340/v2\0"
_NONCE: Final = bytes(12)
_TAG_BYTES: Final = 16
_SIGNATURE_BYTES: Final = 64
_EPHEMERAL_AT: Final = len(_MAGIC)
_COMMITMENT_AT: Final = _EPHEMERAL_AT + ENCRYPTION_KEY_BYTES
_CONTEXT_AT: Final = _COMMITMENT_AT + 32
_CIPHERTEXT_AT: Final = _CONTEXT_AT + EnvelopeContext.SIZE

ENVELOPE_OVERHEAD_BYTES: Final = _CIPHERTEXT_AT + _TAG_BYTES + _SIGNATURE_BYTES


class EnvelopeError(PayloadError):
    """Root of the reasons for which an envelope can't be opened."""


class TruncatedEnvelopeError(EnvelopeError):
    """Thrown when an envelope is shorter than the empty one.

    Attributes
    ----------
    found, minimum
        Its length, and that of the empty envelope, in bytes.
    """

    def __init__(self, found: int, minimum: int) -> None:
        self.found = found
        self.minimum = minimum
        super().__init__(f"The envelope has {found} bytes, even an empty one takes {minimum}; fetch it again.")


class UnknownEnvelopeError(EnvelopeError):
    """Thrown when bytes don't start like an envelope of this version.

    Attributes
    ----------
    found
        The first bytes.
    """

    def __init__(self, found: bytes) -> None:
        self.found = found
        super().__init__(f"The envelope starts {found!r}, not {_MAGIC!r}; it is of another kind or version.")


class EncryptionKeyError(EnvelopeError):
    """Thrown when bytes are not a public encryption key.

    Attributes
    ----------
    whose
        "recipient" or "ephemeral".
    found
        The bytes in hexadecimal.
    """

    def __init__(self, whose: str, found: bytes) -> None:
        self.whose = whose
        self.found = found.hex()
        super().__init__(
            f"The {whose} key 0x{self.found} is not the x of a point of secp256k1 in {ENCRYPTION_KEY_BYTES} bytes; "
            "read it again from its source."
        )


class WrongRecipientError(EnvelopeError):
    """Thrown when the key commitment differs: sealed for another key, or its sender wrote a wrong one.

    Attributes
    ----------
    recipient
        The public key that was tried, in hexadecimal.
    """

    def __init__(self, recipient: EncryptionKey) -> None:
        self.recipient = recipient.hex()
        super().__init__(
            f"The envelope was not sealed for the key 0x{self.recipient}, or its key commitment is wrong; "
            "check whether the key was rotated since."
        )


class TamperedEnvelopeError(EnvelopeError):
    """Thrown when the ephemeral key's signature does not fit: bytes were changed, cut off or added, or never signed.

    Attributes
    ----------
    length
        Of the envelope in bytes.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(f"The envelope of {length} bytes was changed after it was sealed; fetch it again.")


class BrokenSealError(EnvelopeError):
    """Thrown when signature and key are right and the cipher's tag is wrong: its sender signed what doesn't decrypt.

    Attributes
    ----------
    length
        Of the envelope in bytes.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(
            f"The envelope of {length} bytes is as its sender signed it, but does not decrypt; ask for one that does."
        )


@dataclass(frozen=True)
class EncryptionKeyPair:
    """An aggregator's key pair.

    Attributes
    ----------
    secret
        The scalar k, 32 bytes big-endian, chosen of k and -k so that k G has even y; never shown.
    public
        The x of k G, 32 bytes.
    """

    secret: bytes = field(repr=False)
    public: EncryptionKey

    @classmethod
    def generate(cls) -> "EncryptionKeyPair":
        """Draw a new key pair from the operating system."""
        return cls.from_secret((1 + secrets.randbelow(GROUP_ORDER - 1)).to_bytes(32, "big"))

    @classmethod
    def from_secret(cls, secret: bytes) -> "EncryptionKeyPair":
        """Return the key pair of a scalar, negated if need be.

        Raises
        ------
        ValueError
            If the scalar is not from 1 to the group order less 1, in 32 bytes.
        """
        scalar = int.from_bytes(secret, "big")
        if len(secret) != 32 or not 0 < scalar < GROUP_ORDER:
            raise ValueError(f"a secret key of {len(secret)} bytes is no scalar of secp256k1")
        encoded = PrivateKey(secret).public_key.format()
        if encoded[0] == 3:
            secret = (GROUP_ORDER - scalar).to_bytes(32, "big")
        return cls(secret, EncryptionKey(encoded[1:]))


def parse_encryption_key(data: bytes, whose: str = "recipient") -> EncryptionKey:
    """Convert untrusted bytes to a public key.

    Raises
    ------
    EncryptionKeyError
        If they are not 32 bytes that are the x of a point of the curve.
    """
    if len(data) != ENCRYPTION_KEY_BYTES:
        raise EncryptionKeyError(whose, data)
    try:
        PublicKeyXOnly(bytes(data))
    except ValueError as error:
        raise EncryptionKeyError(whose, data) from error
    return EncryptionKey(bytes(data))


def envelope_size(content_bytes: int) -> int:
    """Return the length of an envelope around so many bytes."""
    return content_bytes + ENVELOPE_OVERHEAD_BYTES


@dataclass(frozen=True)
class SealedEnvelope:
    """An envelope in good order, as far as that can be seen without a secret; made by `parse_envelope`.

    Attributes
    ----------
    ephemeral
        E, of which the sender knows the discrete logarithm.
    key_commitment
        What the derivation must give beside the key, 32 bytes.
    header
        Everything before the ciphertext.
    ciphertext
        With its tag, 16 bytes longer than the content.
    context
        What it was made for.
    envelope
        All of it.
    """

    ephemeral: EncryptionKey
    key_commitment: bytes
    header: bytes
    ciphertext: bytes
    context: EnvelopeContext
    envelope: bytes


def seal(content: bytes, recipient: EncryptionKey, context: EnvelopeContext) -> bytes:
    """Encrypt to the recipient, bound to the context, under a key that is used for nothing else.

    Raises
    ------
    EncryptionKeyError
        If the recipient's key is not one.
    """
    parse_encryption_key(recipient)
    ephemeral = EncryptionKeyPair.generate()
    key, key_commitment = _derive(shared_hash(ephemeral, recipient), ephemeral.public, recipient)
    header = _MAGIC + ephemeral.public + key_commitment + context.encode()
    return _sign(header + ChaCha20Poly1305(key).encrypt(_NONCE, content, header), ephemeral)


def parse_envelope(envelope: bytes, context: EnvelopeContext) -> SealedEnvelope:
    """Check all of an untrusted envelope that anyone can check without a secret.

    Raises
    ------
    TruncatedEnvelopeError, UnknownEnvelopeError
        If it is too short, or of another kind or version.
    EncryptionKeyError
        If its ephemeral key is not a point.
    TamperedEnvelopeError
        If it is not what the ephemeral key signed.
    WrongOriginError
        If it is genuine, but of another chain, market, job, round or sender.
    """
    if len(envelope) < ENVELOPE_OVERHEAD_BYTES:
        raise TruncatedEnvelopeError(len(envelope), ENVELOPE_OVERHEAD_BYTES)
    if not envelope.startswith(_MAGIC):
        raise UnknownEnvelopeError(bytes(envelope[: len(_MAGIC)]))
    ephemeral = parse_encryption_key(envelope[_EPHEMERAL_AT:_COMMITMENT_AT], "ephemeral")
    signed, signature = memoryview(envelope)[:-_SIGNATURE_BYTES], envelope[-_SIGNATURE_BYTES:]
    if not PublicKeyXOnly(ephemeral).verify(signature, _signed_hash(signed)):
        raise TamperedEnvelopeError(len(envelope))
    header, ciphertext = bytes(signed[:_CIPHERTEXT_AT]), bytes(signed[_CIPHERTEXT_AT:])
    EnvelopeContext.decode(header[_CONTEXT_AT:]).require(context, "envelope")
    return SealedEnvelope(ephemeral, header[_COMMITMENT_AT:_CONTEXT_AT], header, ciphertext, context, envelope)


def open_envelope(sealed: SealedEnvelope, key_pair: EncryptionKeyPair) -> bytes:
    """Decrypt an envelope with the recipient's key.

    Raises
    ------
    WrongRecipientError, BrokenSealError
        As `decrypt_envelope` does.
    """
    return decrypt_envelope(sealed, shared_hash(key_pair, sealed.ephemeral), key_pair.public)


def decrypt_envelope(sealed: SealedEnvelope, shared: bytes, recipient: EncryptionKey) -> bytes:
    """Decrypt an envelope with the hash of its shared point.

    Parameters
    ----------
    sealed
        The envelope.
    shared
        SHA-256 of the shared point in compressed form.
    recipient
        The public key that the shared point belongs to beside the ephemeral one.

    Raises
    ------
    WrongRecipientError
        If it was sealed for another key, or states a wrong key commitment.
    BrokenSealError
        If it does not decrypt all the same.
    """
    key, key_commitment = _derive(shared, sealed.ephemeral, recipient)
    if sealed.key_commitment != key_commitment:
        raise WrongRecipientError(recipient)
    try:
        return ChaCha20Poly1305(key).decrypt(_NONCE, sealed.ciphertext, sealed.header)
    except InvalidTag as error:
        raise BrokenSealError(len(sealed.envelope)) from error


def shared_hash(key_pair: EncryptionKeyPair, other: EncryptionKey) -> bytes:
    """Return the SHA-256 of the shared point in compressed form, computed in constant time."""
    return bytes(PrivateKey(key_pair.secret).ecdh(b"\x02" + other))


def _derive(shared: bytes, ephemeral: EncryptionKey, recipient: EncryptionKey) -> tuple[bytes, bytes]:
    """Return the cipher's key and the key commitment, 32 bytes each."""
    derivation = HKDF(algorithm=SHA256(), length=64, salt=None, info=_INFO + ephemeral + recipient)
    output = derivation.derive(shared)
    return output[:32], output[32:]


def _sign(unsigned: bytes, ephemeral: EncryptionKeyPair) -> bytes:
    """Append the ephemeral key's signature."""
    return unsigned + bytes(PrivateKey(ephemeral.secret).sign_schnorr(_signed_hash(unsigned)))


def _signed_hash(signed: bytes | memoryview) -> bytes:
    """Return what is signed of an envelope."""
    # Hashed one after the other, because the envelope of a large update should not be copied for it.
    digest = sha256(_SIGNATURE_DOMAIN)
    digest.update(signed)
    return digest.digest()
