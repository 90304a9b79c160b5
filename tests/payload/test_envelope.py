import itertools

import pytest
from coincurve import PrivateKey, PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import WrongOriginError
from marketplace.payload import envelope as e
from marketplace.payload.context import EnvelopeContext

CONTEXT = EnvelopeContext(31337, "0x" + "c0" * 20, 5, 2, "0x" + "ab" * 20)
KEYS = e.EncryptionKeyPair.from_secret((12345).to_bytes(32, "big"))
OTHER_KEYS = e.EncryptionKeyPair.from_secret((54321).to_bytes(32, "big"))
CONTENT = b"an update of thirty-two bytes..."
SIGNATURE = 64
PUBLIC_HEADER = range(9 + 32 + 32, 9 + 32 + 32 + EnvelopeContext.SIZE)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def opened(envelope: bytes, keys: e.EncryptionKeyPair, context: EnvelopeContext) -> bytes:
    return e.open_envelope(e.parse_envelope(envelope, context), keys)


@given(st.binary(max_size=300))
def test_the_recipient_reads_what_was_sealed(content):
    sealed = e.seal(content, KEYS.public, CONTEXT)
    assert opened(sealed, KEYS, CONTEXT) == content
    assert len(sealed) == e.envelope_size(len(content))


def test_every_flipped_bit_is_refused():
    sealed = e.seal(CONTENT, KEYS.public, CONTEXT)
    for position, bit in itertools.product(range(len(sealed)), range(8)):
        changed = bytearray(sealed)
        changed[position] ^= 1 << bit
        with pytest.raises(e.EnvelopeError):
            opened(bytes(changed), KEYS, CONTEXT)


@settings(max_examples=300)
@given(st.data())
def test_every_other_change_is_refused(data):
    sealed = e.seal(CONTENT, KEYS.public, CONTEXT)
    start = data.draw(st.integers(0, len(sealed)))
    stop = data.draw(st.integers(start, len(sealed)))
    changed = sealed[:start] + data.draw(st.binary(max_size=40)) + sealed[stop:]
    if changed != sealed:
        with pytest.raises(e.EnvelopeError):
            opened(changed, KEYS, CONTEXT)


def test_every_truncation_is_refused_and_said_to_be_one():
    sealed = e.seal(b"", KEYS.public, CONTEXT)
    for length in range(len(sealed)):
        with pytest.raises(e.TruncatedEnvelopeError, match=f"has {length} bytes, even an empty one takes 265"):
            opened(sealed[:length], KEYS, CONTEXT)
    longer = e.seal(CONTENT, KEYS.public, CONTEXT)
    for length in range(len(sealed), len(longer)):
        with pytest.raises(e.TamperedEnvelopeError, match=f"of {length} bytes was changed"):
            opened(longer[:length], KEYS, CONTEXT)


@pytest.mark.parametrize("rest", [b"\0", bytes(16), CONTENT])
def test_trailing_bytes_are_refused(rest):
    with pytest.raises(e.TamperedEnvelopeError):
        opened(e.seal(CONTENT, KEYS.public, CONTEXT) + rest, KEYS, CONTEXT)


@pytest.mark.parametrize("place", [41, PUBLIC_HEADER.stop, -SIGNATURE - 1])
def test_what_its_sender_signed_and_does_not_decrypt_is_said_to_be_the_senders(place):
    ephemeral = e.EncryptionKeyPair.generate()
    derived = e._derive(e.shared_hash(ephemeral, KEYS.public), ephemeral.public, KEYS.public)
    header = b"CAIRNENV\x02" + ephemeral.public + derived[1] + CONTEXT.encode()
    unsigned = bytearray(header + ChaCha20Poly1305(derived[0]).encrypt(bytes(12), CONTENT, header) + bytes(SIGNATURE))
    assert opened(e._sign(bytes(unsigned[:-SIGNATURE]), ephemeral), KEYS, CONTEXT) == CONTENT
    unsigned[place] ^= 1
    expected = e.WrongRecipientError if place == 41 else e.BrokenSealError
    with pytest.raises(expected):
        opened(e._sign(bytes(unsigned[:-SIGNATURE]), ephemeral), KEYS, CONTEXT)


def test_an_envelope_with_another_senders_key_is_refused_without_any_secret():
    """Else the evidence of its exclusion would be the key to that other envelope."""
    honest = e.seal(CONTENT, KEYS.public, CONTEXT)
    thief = EnvelopeContext(CONTEXT.chain_id, CONTEXT.contract, CONTEXT.job, 3, "0x" + "ac" * 20)
    with pytest.raises(WrongOriginError):
        e.parse_envelope(honest, thief)
    rewritten = honest[: PUBLIC_HEADER.start] + thief.encode() + honest[PUBLIC_HEADER.stop :]
    moved = PublicKey(b"\x02" + honest[9:41]).add((5).to_bytes(32, "big")).format()[1:]
    own = e.EncryptionKeyPair.generate()
    signed_by_another = e._sign(rewritten[:-SIGNATURE], own)
    related_key = rewritten[:9] + moved + rewritten[41:]
    for forged in (rewritten, signed_by_another, related_key, e._sign(related_key[:-SIGNATURE], own)):
        with pytest.raises(e.TamperedEnvelopeError):
            e.parse_envelope(forged, thief)


def test_nothing_is_no_envelope():
    with pytest.raises(e.TruncatedEnvelopeError, match="has 0 bytes"):
        opened(b"", KEYS, CONTEXT)


def test_bytes_of_another_kind_or_version_are_refused():
    sealed = e.seal(CONTENT, KEYS.public, CONTEXT)
    for start in (b"CAIRNENV\x01", b"CAIRNENV\x03", b"CAIRNUPD\x01", bytes(9)):
        with pytest.raises(e.UnknownEnvelopeError, match="of another kind or version"):
            opened(start + sealed[9:], KEYS, CONTEXT)


def test_the_wrong_recipient_is_told_so():
    sealed = e.seal(CONTENT, KEYS.public, CONTEXT)
    with pytest.raises(e.WrongRecipientError, match=f"not sealed for the key 0x{OTHER_KEYS.public.hex()}"):
        opened(sealed, OTHER_KEYS, CONTEXT)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chain_id", 1),
        ("contract", "0x" + "c1" * 20),
        ("job", 6),
        ("round", 3),
        ("trainer", "0x" + "ac" * 20),
    ],
)
def test_an_envelope_replayed_in_another_context_is_refused_with_both_values(field, value):
    values = {name: getattr(CONTEXT, name) for name in ("chain_id", "contract", "job", "round", "trainer")}
    elsewhere = EnvelopeContext(**values | {field: value})
    sealed = e.seal(CONTENT, KEYS.public, CONTEXT)
    with pytest.raises(WrongOriginError, match=f"The envelope says {field.replace('_', ' ')} ") as caught:
        opened(sealed, KEYS, elsewhere)
    assert (caught.value.found, caught.value.expected) == (getattr(CONTEXT, field), getattr(elsewhere, field))
    # Writing the other context into the header does not help: it is authenticated.
    forged = sealed[: PUBLIC_HEADER.start] + elsewhere.encode() + sealed[PUBLIC_HEADER.stop :]
    with pytest.raises(e.TamperedEnvelopeError):
        opened(forged, KEYS, elsewhere)


def test_the_content_of_one_envelope_does_not_fit_the_header_of_another():
    first, second = (e.seal(CONTENT, KEYS.public, CONTEXT) for _ in range(2))
    with pytest.raises(e.TamperedEnvelopeError):
        opened(first[: PUBLIC_HEADER.stop] + second[PUBLIC_HEADER.stop :], KEYS, CONTEXT)


def hidden_windows(sealed: bytes) -> set[bytes]:
    """Every eight bytes in a row that are neither the magic nor the context."""
    hidden = [sealed[9 : PUBLIC_HEADER.start], sealed[PUBLIC_HEADER.stop :]]
    return {part[i : i + 8] for part in hidden for i in range(len(part) - 7)}


def test_the_same_content_twice_gives_envelopes_that_share_only_what_is_public():
    first, second = (e.seal(bytes(1000), KEYS.public, CONTEXT) for _ in range(2))
    assert len(hidden_windows(first)) > 1000
    assert not hidden_windows(first) & hidden_windows(second)


def test_no_ephemeral_key_and_so_no_nonce_is_ever_used_twice():
    sealed = [e.seal(CONTENT, KEYS.public, CONTEXT) for _ in range(200)]
    assert len({envelope[9:41] for envelope in sealed}) == 200
    assert len({envelope[41:73] for envelope in sealed}) == 200
    assert len({envelope[PUBLIC_HEADER.stop :] for envelope in sealed}) == 200


def test_the_size_tells_only_the_length_of_the_content():
    sizes = {len(e.seal(bytes([value]) * 500, KEYS.public, CONTEXT)) for value in range(20)}
    assert sizes == {e.envelope_size(500)}


def test_both_sides_can_be_recomputed_from_the_shared_point_alone():
    """Evidence that opens one envelope: the point S, without the aggregator's key."""
    sealed = e.seal(CONTENT, KEYS.public, CONTEXT)
    ephemeral = e.EncryptionKey(sealed[9:41])
    shared = PublicKey(b"\x02" + ephemeral).multiply(KEYS.secret)
    shared_hash = PrivateKey.from_int(1).ecdh(shared.format())
    key, key_commitment = e._derive(shared_hash, ephemeral, KEYS.public)
    assert key_commitment == sealed[41:73]
    header = sealed[: PUBLIC_HEADER.stop]
    assert ChaCha20Poly1305(key).decrypt(bytes(12), sealed[PUBLIC_HEADER.stop : -SIGNATURE], header) == CONTENT


def test_keys_have_even_y_and_work_whichever_scalar_they_came_from():
    for scalar in range(1, 20):
        pair = e.EncryptionKeyPair.from_secret(scalar.to_bytes(32, "big"))
        negated = e.EncryptionKeyPair.from_secret((ORDER - scalar).to_bytes(32, "big"))
        assert pair == negated
        assert PrivateKey(pair.secret).public_key.format() == b"\x02" + pair.public
        assert opened(e.seal(CONTENT, pair.public, CONTEXT), pair, CONTEXT) == CONTENT


def test_new_keys_differ_and_are_not_shown():
    pairs = {e.EncryptionKeyPair.generate() for _ in range(20)}
    assert len(pairs) == 20
    assert "secret" not in repr(KEYS)
    assert KEYS.secret.hex() not in repr(KEYS)


@pytest.mark.parametrize("secret", [b"", bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32, bytes(31) + b"\1\1"])
def test_what_is_no_scalar_is_no_secret(secret):
    with pytest.raises(ValueError, match="no scalar"):
        e.EncryptionKeyPair.from_secret(secret)


@pytest.mark.parametrize(
    "key",
    [b"", bytes(31), bytes(33), bytes(32), (5).to_bytes(32, "big"), b"\xff" * 32, b"\x02" + KEYS.public],
    ids=lambda k: k.hex()[:8] + f"x{len(k)}",
)
def test_what_is_no_point_of_the_curve_is_no_public_key(key):
    with pytest.raises(e.EncryptionKeyError, match="not the x of a point of secp256k1"):
        e.parse_encryption_key(key)
    with pytest.raises(e.EncryptionKeyError):
        e.seal(CONTENT, e.EncryptionKey(key), CONTEXT)


def test_a_public_key_is_taken_as_it_is():
    assert e.parse_encryption_key(KEYS.public) == KEYS.public


# --- One ciphertext under two keys ------------------------------------------------------------------------------

PRIME = (1 << 130) - 5
CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF


def one_time_key(key: bytes, associated: bytes, blocks: int) -> tuple[int, int, int]:
    """Return r, s and the sum of all MAC blocks but the ciphertext's for ChaCha20-Poly1305 with the zero nonce."""
    stream = Cipher(algorithms.ChaCha20(key, bytes(16)), None).encryptor().update(bytes(64))
    r = int.from_bytes(stream[:16], "little") & CLAMP
    s = int.from_bytes(stream[16:32], "little")
    padded = associated + bytes(-len(associated) % 16)
    lengths = len(associated).to_bytes(8, "little") + (16 * blocks).to_bytes(8, "little")
    parts = [padded[i : i + 16] for i in range(0, len(padded), 16)] + [None] * blocks + [lengths]
    total = 0
    for index, part in enumerate(parts):
        if part is not None:
            total += (int.from_bytes(part, "little") + (1 << 128)) * pow(r, len(parts) - index, PRIME)
    return r, s, total % PRIME


def two_key_ciphertext(first: bytes, second: bytes, associated: bytes) -> bytes:
    """Solve for two ciphertext blocks and a tag that ChaCha20-Poly1305 accepts under both keys."""
    (r1, s1, base1), (r2, s2, base2) = (one_time_key(key, associated, 2) for key in (first, second))
    # Blocks b1, b2 (with their 2^128 bit) must satisfy b1 r^3 + b2 r^2 + base = tag - s (mod 2^128) for both keys.
    determinant = (pow(r1, 3, PRIME) * pow(r2, 2, PRIME) - pow(r2, 3, PRIME) * pow(r1, 2, PRIME)) % PRIME
    inverse = pow(determinant, -1, PRIME)
    for tag in range(1 << 12):
        v1, v2 = (((tag - s) % (1 << 128) - base) % PRIME for s, base in ((s1, base1), (s2, base2)))
        b1 = (v1 * pow(r2, 2, PRIME) - v2 * pow(r1, 2, PRIME)) * inverse % PRIME
        b2 = (v2 * pow(r1, 3, PRIME) - v1 * pow(r2, 3, PRIME)) * inverse % PRIME
        if 1 << 128 <= b1 < 1 << 129 and 1 << 128 <= b2 < 1 << 129:
            blocks = [(block - (1 << 128)).to_bytes(16, "little") for block in (b1, b2)]
            return blocks[0] + blocks[1] + tag.to_bytes(16, "little")
    raise AssertionError("no tag of 4,096 works")


def test_a_ciphertext_made_to_open_under_two_keys_opens_under_one_at_most():
    ephemeral = e.EncryptionKeyPair.from_secret((777).to_bytes(32, "big"))
    derived = [
        e._derive(e.shared_hash(ephemeral, pair.public), ephemeral.public, pair.public) for pair in (KEYS, OTHER_KEYS)
    ]
    header = b"CAIRNENV\x02" + ephemeral.public + derived[0][1] + CONTEXT.encode()
    ciphertext = two_key_ciphertext(derived[0][0], derived[1][0], header)
    contents = [ChaCha20Poly1305(key).decrypt(bytes(12), ciphertext, header) for key, _ in derived]
    assert contents[0] != contents[1], "the bare cipher opens it to two different contents"
    envelope = e._sign(header + ciphertext, ephemeral)
    assert opened(envelope, KEYS, CONTEXT) == contents[0]
    with pytest.raises(e.WrongRecipientError):
        opened(envelope, OTHER_KEYS, CONTEXT)
