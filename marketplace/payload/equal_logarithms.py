"""A shared point with the proof that it is one: equal discrete logarithms on secp256k1 (Chaum and Pedersen 1992).

With `P = k G` and an envelope's ephemeral key E, the proof shows that `S` is `k E` and tells nothing else about k:

    prover     r at random,  A = r G,  B = r E,  c = H(G, E, P, S, A, B, occasion),  z = r + c k mod n;  sends (c, z)
    verifier   A = z G - c P,  B = z E - c S,  c = H(G, E, P, S, A, B, occasion)

c comes from a hash (Fiat and Shamir 1986) that covers the whole statement, so that no proof fits two statements. P and
E have even y and are given by their x; S is a full point.
"""

from hashlib import sha256
from typing import Final

from coincurve import PrivateKey, PublicKey
from cryptography.hazmat.primitives.asymmetric import ec

from marketplace.payload.envelope import GROUP_ORDER, EncryptionKey, EncryptionKeyPair, shared_hash

POINT_BYTES: Final = 33
SCALAR_BYTES: Final = 32
EQUAL_LOGARITHMS_BYTES: Final = 2 * SCALAR_BYTES

_DOMAIN: Final = b"cairn/equal-discrete-logarithms/secp256k1-sha256/v1\0"
_GENERATOR: Final = bytes(PrivateKey.from_int(1).public_key.format())
_EVEN: Final = b"\x02"


def shared_point(key_pair: EncryptionKeyPair, other: EncryptionKey) -> bytes:
    """Return `k E` in compressed form, 33 bytes, computed in constant time.

    libsecp256k1 multiplies by a secret in constant time only to hash the result, and OpenSSL only to return its x; the
    hash tells which of the two points with that x it is.
    """
    curve = ec.SECP256K1()
    peer = ec.EllipticCurvePublicKey.from_encoded_point(curve, _EVEN + other)
    secret = ec.derive_private_key(int.from_bytes(key_pair.secret, "big"), curve)
    x = secret.exchange(ec.ECDH(), peer)
    even = _EVEN + x
    return even if sha256(even).digest() == shared_hash(key_pair, other) else b"\x03" + x


def prove_equal_logarithms(key_pair: EncryptionKeyPair, other: EncryptionKey, shared: bytes, occasion: bytes) -> bytes:
    """Prove that a point is the one shared with another key.

    Parameters
    ----------
    key_pair
        k and P.
    other
        E.
    shared
        `k E` from `shared_point`.
    occasion
        What the proof is for, of a length fixed by its purpose; it verifies for nothing else.

    Returns
    -------
    bytes
        c and z, 32 bytes each, big-endian.
    """
    nonce = EncryptionKeyPair.generate()
    # A key pair's scalar is negated if need be; both commitments are made with the same one.
    commitments = _EVEN + nonce.public + shared_point(nonce, other)
    challenge = _challenge(key_pair.public, other, shared, commitments, occasion)
    secret, mask = (int.from_bytes(pair.secret, "big") for pair in (key_pair, nonce))
    response = (mask + challenge * secret) % GROUP_ORDER
    return _scalar(challenge) + _scalar(response)


def verify_equal_logarithms(
    public: EncryptionKey, other: EncryptionKey, shared: bytes, occasion: bytes, proof: bytes
) -> bool:
    """Whether `shared` is `k E` for the k of `P = k G`, by a proof of `prove_equal_logarithms`.

    Parameters
    ----------
    public, other
        P and E, as `parse_encryption_key` accepts them.
    shared
        S in compressed form, untrusted.
    occasion
        What the proof must be for.
    proof
        64 bytes, untrusted.
    """
    if len(proof) != EQUAL_LOGARITHMS_BYTES or len(shared) != POINT_BYTES:
        return False
    challenge, response = (int.from_bytes(part, "big") for part in (proof[:SCALAR_BYTES], proof[SCALAR_BYTES:]))
    # An honest proof holds a zero with probability 2^-255, and the library can't multiply by it.
    if not (0 < challenge < GROUP_ORDER and 0 < response < GROUP_ORDER):
        return False
    try:
        first = _difference(response, _GENERATOR, challenge, _EVEN + public)
        second = _difference(response, _EVEN + other, challenge, shared)
    except ValueError:
        # S is no point, or a commitment is the point at infinity.
        return False
    return challenge == _challenge(public, other, shared, first + second, occasion)


def _difference(plus: int, base: bytes, minus: int, point: bytes) -> bytes:
    """Return `plus base - minus point` in compressed form; all of it is public, so it may take variable time."""
    terms = [PublicKey(base).multiply(_scalar(plus)), PublicKey(point).multiply(_scalar(GROUP_ORDER - minus))]
    return bytes(PublicKey.combine_keys(terms).format())


def _challenge(public: EncryptionKey, other: EncryptionKey, shared: bytes, commitments: bytes, occasion: bytes) -> int:
    """Hash the whole statement; every part but the last has a fixed length."""
    points = _GENERATOR + _EVEN + other + _EVEN + public + shared + commitments
    return int.from_bytes(sha256(_DOMAIN + points + occasion).digest(), "big") % GROUP_ORDER


def _scalar(value: int) -> bytes:
    return value.to_bytes(SCALAR_BYTES, "big")
