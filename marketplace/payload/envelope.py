"""Encryption of an update to the aggregator, bound to chain, market, job, round and sender.

    magic "CAIRNENV" | version (1 byte) | ephemeral key (32) | key commitment (32) | context (112) | ciphertext (n + 16)

Keys are secp256k1 points with even y, written as their x (as in BIP-340). Both sides compute the shared point
`S = e P = k E` and its SHA-256; HKDF-SHA256 over that hash, with both public keys in its info, gives 64 bytes: the key
of ChaCha20-Poly1305 and the key commitment. Everything before the ciphertext is associated data.

- The key commitment is a second output of the derivation: no envelope opens under two keys, which the cipher alone
  would allow.
- A key encrypts once, because its ephemeral half is drawn anew for each envelope; that is why the nonce can be zero.
- Whoever is shown S can derive the key and read the envelope. So a proof that S belongs to the two public keys (equal
  discrete logarithms) is evidence of what an envelope held, without giving away the aggregator's key.
- The context is public anyway (the chain records who submitted which CID in which round); in the header it lets the
  reader tell an envelope of another round from a damaged one. The length depends on the length of the content only.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final, NewType

from coincurve import PrivateKey
from coincurve import PublicKey as Point
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from marketplace.errors import PayloadError
from marketplace.payload.context import EnvelopeContext

EncryptionKey = NewType("EncryptionKey", bytes)

ENCRYPTION_KEY_BYTES: Final = 32

_MAGIC: Final = b"CAIRNENV\x01"
_INFO: Final = b"cairn/envelope/secp256k1-hkdf-sha256-chacha20poly1305/v1\0"
_NONCE: Final = bytes(12)
_TAG_BYTES: Final = 16
_EPHEMERAL_AT: Final = len(_MAGIC)
_COMMITMENT_AT: Final = _EPHEMERAL_AT + ENCRYPTION_KEY_BYTES
_CONTEXT_AT: Final = _COMMITMENT_AT + 32
_CIPHERTEXT_AT: Final = _CONTEXT_AT + EnvelopeContext.SIZE

ENVELOPE_OVERHEAD_BYTES: Final = _CIPHERTEXT_AT + _TAG_BYTES

_GROUP_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


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
    """Thrown when the key commitment differs: sealed for another key, or the header's keys were changed.

    Attributes
    ----------
    recipient
        The public key that was tried, in hexadecimal.
    """

    def __init__(self, recipient: EncryptionKey) -> None:
        self.recipient = recipient.hex()
        super().__init__(
            f"The envelope was not sealed for the key 0x{self.recipient}, or its header was changed; "
            "check whether the key was rotated since."
        )


class TamperedEnvelopeError(EnvelopeError):
    """Thrown when the key is right and the authentication tag wrong: bytes were changed, cut off or added.

    Attributes
    ----------
    length
        Of the envelope in bytes.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(f"The envelope of {length} bytes was changed after it was sealed; fetch it again.")


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
        return cls.from_secret((1 + secrets.randbelow(_GROUP_ORDER - 1)).to_bytes(32, "big"))

    @classmethod
    def from_secret(cls, secret: bytes) -> "EncryptionKeyPair":
        """Return the key pair of a scalar, negated if need be.

        Raises
        ------
        ValueError
            If the scalar is not from 1 to the group order less 1, in 32 bytes.
        """
        scalar = int.from_bytes(secret, "big")
        if len(secret) != 32 or not 0 < scalar < _GROUP_ORDER:
            raise ValueError(f"a secret key of {len(secret)} bytes is no scalar of secp256k1")
        encoded = PrivateKey(secret).public_key.format()
        if encoded[0] == 3:
            secret = (_GROUP_ORDER - scalar).to_bytes(32, "big")
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
        Point(b"\x02" + data)
    except ValueError as error:
        raise EncryptionKeyError(whose, data) from error
    return EncryptionKey(bytes(data))


def envelope_size(content_bytes: int) -> int:
    """Return the length of an envelope around so many bytes."""
    return content_bytes + ENVELOPE_OVERHEAD_BYTES


def seal(content: bytes, recipient: EncryptionKey, context: EnvelopeContext) -> bytes:
    """Encrypt to the recipient, bound to the context, under a key that is used for nothing else.

    Raises
    ------
    EncryptionKeyError
        If the recipient's key is not one.
    """
    parse_encryption_key(recipient)
    ephemeral = EncryptionKeyPair.generate()
    key, key_commitment = _derive(_shared_hash(ephemeral, recipient), ephemeral.public, recipient)
    header = _MAGIC + ephemeral.public + key_commitment + context.encode()
    return header + ChaCha20Poly1305(key).encrypt(_NONCE, content, header)


def open_envelope(envelope: bytes, key_pair: EncryptionKeyPair, context: EnvelopeContext) -> bytes:
    """Decrypt an envelope that was sealed for this key pair in this context.

    Raises
    ------
    TruncatedEnvelopeError, UnknownEnvelopeError
        If it is too short, or of another kind or version.
    EncryptionKeyError
        If its ephemeral key is not a point.
    WrongRecipientError
        If it was sealed for another key, or the keys in its header were changed.
    TamperedEnvelopeError
        If anything else was changed, cut off or added.
    WrongOriginError
        If it is genuine, but of another chain, market, job, round or sender.
    """
    if len(envelope) < ENVELOPE_OVERHEAD_BYTES:
        raise TruncatedEnvelopeError(len(envelope), ENVELOPE_OVERHEAD_BYTES)
    if not envelope.startswith(_MAGIC):
        raise UnknownEnvelopeError(bytes(envelope[: len(_MAGIC)]))
    ephemeral = parse_encryption_key(envelope[_EPHEMERAL_AT:_COMMITMENT_AT], "ephemeral")
    key, key_commitment = _derive(_shared_hash(key_pair, ephemeral), ephemeral, key_pair.public)
    if envelope[_COMMITMENT_AT:_CONTEXT_AT] != key_commitment:
        raise WrongRecipientError(key_pair.public)
    header, ciphertext = envelope[:_CIPHERTEXT_AT], envelope[_CIPHERTEXT_AT:]
    try:
        content = ChaCha20Poly1305(key).decrypt(_NONCE, ciphertext, header)
    except InvalidTag as error:
        raise TamperedEnvelopeError(len(envelope)) from error
    EnvelopeContext.decode(header[_CONTEXT_AT:]).require(context, "envelope")
    return content


def _shared_hash(key_pair: EncryptionKeyPair, other: EncryptionKey) -> bytes:
    """Return the SHA-256 of the shared point in compressed form, computed in constant time."""
    return PrivateKey(key_pair.secret).ecdh(b"\x02" + other)


def _derive(shared_hash: bytes, ephemeral: EncryptionKey, recipient: EncryptionKey) -> tuple[bytes, bytes]:
    """Return the cipher's key and the key commitment, 32 bytes each."""
    derivation = HKDF(algorithm=SHA256(), length=64, salt=None, info=_INFO + ephemeral + recipient)
    output = derivation.derive(shared_hash)
    return output[:32], output[32:]
