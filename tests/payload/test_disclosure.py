import pytest
from coincurve import PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.payload import envelope as e
from marketplace.payload.context import EnvelopeContext
from marketplace.payload.disclosure import DISCLOSURE_BYTES, DisclosureError, disclose, open_disclosed
from marketplace.payload.equal_logarithms import prove_equal_logarithms

CONTEXT = EnvelopeContext(31337, "0x" + "c0" * 20, 5, 2, "0x" + "ab" * 20)
KEYS = e.EncryptionKeyPair.from_secret((12345).to_bytes(32, "big"))
OTHER_KEYS = e.EncryptionKeyPair.from_secret((54321).to_bytes(32, "big"))
CONTENT = b"an update of thirty-two bytes..."
ENVELOPE = e.seal(CONTENT, KEYS.public, CONTEXT)
SEALED = e.parse_envelope(ENVELOPE, CONTEXT)
DISCLOSURE = disclose(SEALED, KEYS)


def opened(envelope: bytes, keys: e.EncryptionKeyPair, context: EnvelopeContext) -> bytes:
    return e.open_envelope(e.parse_envelope(envelope, context), keys)


def resigned(change) -> bytes:
    """An envelope of the example's form that its sender changed before signing it."""
    sender = e.EncryptionKeyPair.generate()
    key, key_commitment = e._derive(e.shared_hash(sender, KEYS.public), sender.public, KEYS.public)
    header = b"CAIRNENV\x02" + sender.public + key_commitment + CONTEXT.encode()
    unsigned = bytearray(header + e.ChaCha20Poly1305(key).encrypt(bytes(12), CONTENT, header))
    change(unsigned)
    return e._sign(bytes(unsigned), sender)


def flip(position):
    def change(unsigned: bytearray) -> None:
        unsigned[position] ^= 1

    return change


@given(st.binary(max_size=300))
def test_anyone_reads_what_the_aggregator_reads(content):
    sealed = e.parse_envelope(e.seal(content, KEYS.public, CONTEXT), CONTEXT)
    disclosure = disclose(sealed, KEYS)
    assert open_disclosed(sealed, disclosure, KEYS.public) == content
    assert len(disclosure) == DISCLOSURE_BYTES == 106


@pytest.mark.parametrize(
    ("change", "fault"),
    [(flip(41), e.WrongRecipientError), (flip(-1), e.BrokenSealError), (flip(190), e.BrokenSealError)],
)
def test_anyone_sees_the_fault_that_the_aggregator_sees(change, fault):
    envelope = resigned(change)
    sealed = e.parse_envelope(envelope, CONTEXT)
    disclosure = disclose(sealed, KEYS)
    with pytest.raises(fault) as by_key:
        opened(envelope, KEYS, CONTEXT)
    with pytest.raises(fault) as by_disclosure:
        open_disclosed(sealed, disclosure, KEYS.public)
    assert str(by_key.value) == str(by_disclosure.value)


def test_an_envelope_for_another_key_is_seen_to_be_one():
    sealed = e.parse_envelope(e.seal(CONTENT, OTHER_KEYS.public, CONTEXT), CONTEXT)
    with pytest.raises(e.WrongRecipientError):
        open_disclosed(sealed, disclose(sealed, KEYS), KEYS.public)


@settings(max_examples=300)
@given(st.integers(0, DISCLOSURE_BYTES - 1), st.integers(1, 255))
def test_every_changed_byte_of_a_disclosure_is_refused(position, mask):
    changed = bytearray(DISCLOSURE)
    changed[position] ^= mask
    with pytest.raises(DisclosureError):
        open_disclosed(SEALED, bytes(changed), KEYS.public)


@given(st.binary(max_size=200))
def test_any_other_bytes_are_no_disclosure(data):
    with pytest.raises(DisclosureError):
        open_disclosed(SEALED, data, KEYS.public)


@pytest.mark.parametrize("rest", [b"\0", DISCLOSURE])
def test_trailing_bytes_are_refused(rest):
    with pytest.raises(DisclosureError, match=f"it has {106 + len(rest)} bytes, not 106"):
        open_disclosed(SEALED, DISCLOSURE + rest, KEYS.public)


@settings(max_examples=100)
@given(st.integers(0, 31), st.integers(1, 255))
def test_every_other_aggregator_key_is_refused(position, mask):
    changed = bytearray(KEYS.public)
    changed[position] ^= mask
    with pytest.raises(DisclosureError):
        open_disclosed(SEALED, DISCLOSURE, e.EncryptionKey(bytes(changed)))


@pytest.mark.parametrize("field", ["chain_id", "job", "round", "contract", "trainer"])
def test_a_disclosure_of_the_same_envelope_in_another_context_is_refused(field):
    """The envelope itself is of its context alone; the proof is bound to it once more."""
    changed = "0x" + "12" * 20 if field in ("contract", "trainer") else 9
    values = {name: getattr(CONTEXT, name) for name in ("chain_id", "contract", "job", "round", "trainer")}
    elsewhere = e.SealedEnvelope(
        SEALED.ephemeral,
        SEALED.key_commitment,
        SEALED.header,
        SEALED.ciphertext,
        EnvelopeContext(**values | {field: changed}),
        SEALED.envelope,
    )
    assert open_disclosed(elsewhere, disclose(elsewhere, KEYS), KEYS.public) == CONTENT
    with pytest.raises(DisclosureError):
        open_disclosed(elsewhere, DISCLOSURE, KEYS.public)


def test_the_disclosure_of_another_envelope_is_refused():
    another = e.parse_envelope(e.seal(CONTENT, KEYS.public, CONTEXT), CONTEXT)
    with pytest.raises(DisclosureError, match=f"key 0x{KEYS.public.hex()} shares with this envelope"):
        open_disclosed(another, DISCLOSURE, KEYS.public)


def test_an_envelope_signed_again_needs_a_disclosure_of_its_own():
    sender = e.EncryptionKeyPair.generate()
    key, commitment = e._derive(e.shared_hash(sender, KEYS.public), sender.public, KEYS.public)
    header = b"CAIRNENV\x02" + sender.public + commitment + CONTEXT.encode()
    unsigned = header + e.ChaCha20Poly1305(key).encrypt(bytes(12), CONTENT, header)
    first, second = (e.parse_envelope(e._sign(unsigned, sender), CONTEXT) for _ in range(2))
    assert first.envelope != second.envelope
    with pytest.raises(DisclosureError):
        open_disclosed(second, disclose(first, KEYS), KEYS.public)


def test_a_false_point_that_would_make_an_honest_envelope_fail_is_refused():
    wrong = PublicKey.from_secret((5).to_bytes(32, "big")).format()
    occasion = CONTEXT.encode() + e.sha256(ENVELOPE).digest()
    forged = DISCLOSURE[:9] + wrong + prove_equal_logarithms(KEYS, SEALED.ephemeral, wrong, occasion)
    with pytest.raises(DisclosureError):
        open_disclosed(SEALED, forged, KEYS.public)


def test_two_disclosures_of_one_envelope_differ_and_both_open_it():
    again = disclose(SEALED, KEYS)
    assert again[:42] == DISCLOSURE[:42], "magic and point are the same"
    assert again[42:74] != DISCLOSURE[42:74]
    assert again[74:] != DISCLOSURE[74:]
    assert open_disclosed(SEALED, again, KEYS.public) == CONTENT


def test_a_disclosure_opens_no_other_envelope_of_the_same_key():
    other = e.parse_envelope(e.seal(b"somebody else's", KEYS.public, CONTEXT), CONTEXT)
    with pytest.raises(e.WrongRecipientError):
        e.decrypt_envelope(other, e.sha256(DISCLOSURE[9:42]).digest(), KEYS.public)


def test_no_secret_is_shown():
    secret = KEYS.secret.hex()
    assert secret not in DISCLOSURE.hex()
    for attempt in (b"", DISCLOSURE[:-1], bytes(106), DISCLOSURE[:-1] + b"\0"):
        with pytest.raises(DisclosureError) as refused:
            open_disclosed(SEALED, attempt, KEYS.public)
        text = str(refused.value) + repr(refused.value) + repr(vars(refused.value))
        assert secret not in text
        assert DISCLOSURE[9:42].hex() not in text
