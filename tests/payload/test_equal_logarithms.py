from hashlib import sha256

import pytest
from coincurve import PrivateKey, PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.payload import equal_logarithms as logarithms
from marketplace.payload.envelope import GROUP_ORDER, EncryptionKey, EncryptionKeyPair, shared_hash
from marketplace.payload.equal_logarithms import prove_equal_logarithms, shared_point, verify_equal_logarithms

KEYS = EncryptionKeyPair.from_secret((12345).to_bytes(32, "big"))
OTHER = EncryptionKeyPair.from_secret((777).to_bytes(32, "big"))
OCCASION = b"an occasion of sixteen"
SHARED = shared_point(KEYS, OTHER.public)
PROOF = prove_equal_logarithms(KEYS, OTHER.public, SHARED, OCCASION)

key_pairs = st.integers(1, GROUP_ORDER - 1).map(lambda k: EncryptionKeyPair.from_secret(k.to_bytes(32, "big")))


def flipped(data: bytes, position: int, mask: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= mask
    return bytes(changed)


@given(key_pairs, key_pairs)
def test_both_sides_have_one_shared_point_and_it_is_the_product(first, second):
    point = shared_point(first, second.public)
    assert point == shared_point(second, first.public)
    assert point == PublicKey(b"\x02" + second.public).multiply(first.secret).format()
    assert sha256(point).digest() == shared_hash(first, second.public)


def test_shared_points_of_either_parity_occur():
    assert {shared_point(KEYS, EncryptionKeyPair.generate().public)[0] for _ in range(60)} == {2, 3}


@given(key_pairs, key_pairs, st.binary(max_size=40))
def test_a_proof_of_the_shared_point_verifies(keys, other, occasion):
    shared = shared_point(keys, other.public)
    proof = prove_equal_logarithms(keys, other.public, shared, occasion)
    assert verify_equal_logarithms(keys.public, other.public, shared, occasion, proof)


def test_the_smallest_keys_and_equal_keys_work():
    one = EncryptionKeyPair.from_secret((1).to_bytes(32, "big"))
    for keys, other in ((one, one), (one, KEYS), (KEYS, one), (KEYS, KEYS)):
        shared = shared_point(keys, other.public)
        proof = prove_equal_logarithms(keys, other.public, shared, OCCASION)
        assert verify_equal_logarithms(keys.public, other.public, shared, OCCASION, proof)


@settings(max_examples=300)
@given(st.data())
def test_any_changed_byte_of_the_statement_or_the_proof_is_refused(data):
    parts = [KEYS.public, OTHER.public, SHARED, OCCASION, PROOF]
    which = data.draw(st.integers(0, 4))
    position = data.draw(st.integers(0, len(parts[which]) - 1))
    parts[which] = flipped(parts[which], position, data.draw(st.integers(1, 255)))
    try:
        PublicKey(b"\x02" + parts[0])
        PublicKey(b"\x02" + parts[1])
    except ValueError:
        return  # The parser of keys refuses it before.
    assert not verify_equal_logarithms(*parts)


@given(key_pairs)
def test_a_proof_for_another_point_is_refused(other):
    """The prover follows the protocol, with a point that is not the shared one."""
    wrong = PrivateKey(other.secret).public_key.format()
    proof = prove_equal_logarithms(KEYS, OTHER.public, wrong, OCCASION)
    assert (wrong == SHARED) == verify_equal_logarithms(KEYS.public, OTHER.public, wrong, OCCASION, proof)


def test_the_negated_point_is_refused():
    negated = flipped(SHARED, 0, 1)
    assert not verify_equal_logarithms(KEYS.public, OTHER.public, negated, OCCASION, PROOF)
    proof = prove_equal_logarithms(KEYS, OTHER.public, negated, OCCASION)
    assert not verify_equal_logarithms(KEYS.public, OTHER.public, negated, OCCASION, proof)


def test_the_proof_of_one_key_does_not_serve_another():
    stranger = EncryptionKeyPair.generate()
    shared = shared_point(stranger, OTHER.public)
    proof = prove_equal_logarithms(stranger, OTHER.public, shared, OCCASION)
    assert verify_equal_logarithms(stranger.public, OTHER.public, shared, OCCASION, proof)
    assert not verify_equal_logarithms(KEYS.public, OTHER.public, shared, OCCASION, proof)
    assert not verify_equal_logarithms(stranger.public, OTHER.public, SHARED, OCCASION, proof)


def scalar(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_another_spelling_of_the_same_proof_is_refused():
    """z and z + n are the same scalar; for these z both would fit 32 bytes."""
    for value in range(1, 4):
        spelled = PROOF[:32] + scalar(GROUP_ORDER + value)
        assert not verify_equal_logarithms(KEYS.public, OTHER.public, SHARED, OCCASION, spelled)


@pytest.mark.parametrize("challenge", [0, 1, GROUP_ORDER - 1, GROUP_ORDER, 2**256 - 1])
@pytest.mark.parametrize("response", [0, 1, GROUP_ORDER - 1, GROUP_ORDER, 2**256 - 1])
def test_extreme_scalars_are_refused_and_harm_nothing(challenge, response):
    proof = scalar(challenge) + scalar(response)
    assert not verify_equal_logarithms(KEYS.public, OTHER.public, SHARED, OCCASION, proof)


def test_a_commitment_at_infinity_is_refused():
    """With z = c k both commitments are the point at infinity, which has no encoding to hash."""
    challenge = 5
    response = challenge * int.from_bytes(KEYS.secret, "big") % GROUP_ORDER
    proof = scalar(challenge) + scalar(response)
    assert not verify_equal_logarithms(KEYS.public, OTHER.public, SHARED, OCCASION, proof)


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_proofs_of_another_length_are_refused(length):
    assert not verify_equal_logarithms(KEYS.public, OTHER.public, SHARED, OCCASION, (PROOF * 2)[:length])


@pytest.mark.parametrize("shared", [b"", SHARED[1:], bytes(33), b"\x02" + b"\xff" * 32, b"\x00" + SHARED[1:]])
def test_what_is_no_point_is_no_shared_point(shared):
    assert not verify_equal_logarithms(KEYS.public, OTHER.public, shared, OCCASION, PROOF)


def test_an_uncompressed_point_is_refused():
    uncompressed = PublicKey(SHARED).format(compressed=False)
    assert not verify_equal_logarithms(KEYS.public, OTHER.public, uncompressed, OCCASION, PROOF)


def test_two_proofs_of_one_statement_share_neither_challenge_nor_response():
    again = prove_equal_logarithms(KEYS, OTHER.public, SHARED, OCCASION)
    assert again[:32] != PROOF[:32]
    assert again[32:] != PROOF[32:]


WRONG = PrivateKey(scalar(4242)).public_key.format()
hashed = logarithms._challenge


def test_a_false_point_passes_only_where_the_second_commitment_is_left_out_of_the_hash(monkeypatch):
    """A and z are honest, and B is whatever the equation asks for."""
    with monkeypatch.context() as patch:
        patch.setattr(logarithms, "_challenge", lambda p, e, s, commitments, o: hashed(p, e, s, commitments[:33], o))
        proof = prove_equal_logarithms(KEYS, OTHER.public, WRONG, OCCASION)
        assert verify_equal_logarithms(KEYS.public, OTHER.public, WRONG, OCCASION, proof)
    assert not verify_equal_logarithms(KEYS.public, OTHER.public, WRONG, OCCASION, proof)


def test_a_false_point_passes_only_where_the_point_is_left_out_of_the_hash(monkeypatch):
    """A = r G and B = t E with another t; S = (z E - B) / c is chosen once c is known."""
    nonce, other_nonce = 31, 32
    secret, base = int.from_bytes(KEYS.secret, "big"), PublicKey(b"\x02" + OTHER.public)
    commitments = PublicKey.from_secret(scalar(nonce)).format() + base.multiply(scalar(other_nonce)).format()
    with monkeypatch.context() as patch:
        patch.setattr(logarithms, "_challenge", lambda p, e, s, commitments, o: hashed(p, e, b"", commitments, o))
        challenge = logarithms._challenge(KEYS.public, OTHER.public, b"", commitments, OCCASION)
        response = (nonce + challenge * secret) % GROUP_ORDER
        quotient = (response - other_nonce) * pow(challenge, -1, GROUP_ORDER) % GROUP_ORDER
        wrong = base.multiply(scalar(quotient)).format()
        assert wrong != SHARED
        proof = scalar(challenge) + scalar(response)
        assert verify_equal_logarithms(KEYS.public, OTHER.public, wrong, OCCASION, proof)
    assert not verify_equal_logarithms(KEYS.public, OTHER.public, wrong, OCCASION, proof)


def test_the_generator_is_the_curves():
    assert logarithms._GENERATOR.hex() == "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    assert pow(2, GROUP_ORDER, GROUP_ORDER) == 2


def test_keys_are_taken_by_their_x_alone():
    assert EncryptionKey(OTHER.public) == PrivateKey(OTHER.secret).public_key.format()[1:]
