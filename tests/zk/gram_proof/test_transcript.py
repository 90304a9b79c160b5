"""The fast transcript is the readable one, and no two statements give the same bytes to a hash."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from zk.gram_proof import transcript as fast
from zk.readable import transcript as readable
from zk.srs.verification_key import VerificationKey

words = st.binary(min_size=32, max_size=32)
points = st.binary(min_size=64, max_size=64)
g2_points = st.binary(min_size=128, max_size=128)
sizes = st.integers(1, 6)


def statement(n: int, data) -> tuple[bytes, ...]:
    commitments = data.draw(st.binary(min_size=64 * n, max_size=64 * n))
    gram = data.draw(st.binary(min_size=4 * n * (n + 1), max_size=4 * n * (n + 1)))
    return data.draw(words), commitments, gram, data.draw(points), data.draw(words)


@settings(max_examples=50)
@given(points, points, g2_points, g2_points, sizes, st.data())
def test_both_transcripts_agree(tau, beta, tau_g2, tau_squared_g2, n, data):
    items = statement(n, data)
    key = readable.VerificationKey(tau, beta, tau_g2, tau_squared_g2)
    identity = VerificationKey(tau, beta, tau_g2, tau_squared_g2).identity
    seed = fast.statement_hash(identity, *items)
    assert seed == readable.statement_hash(key, *items)
    assert tuple(fast.row_challenges(seed, n)) == readable.row_challenges(seed, n)
    correlation = data.draw(points)
    evaluation = fast.evaluation_hash(seed, correlation)
    assert evaluation == readable.evaluation_hash(seed, correlation)
    assert fast.to_scalar(evaluation) == readable.reduced(evaluation)
    u, v, w = (data.draw(words) for _ in range(3))
    assert fast.batch_hash(evaluation, u + v + w) == readable.batch_hash(evaluation, u, v, w)


def test_bytes_moved_from_one_item_to_the_next_change_the_hash():
    """Two statements whose items, joined without lengths, would be the same string."""
    body = bytes(range(256)) * 3
    hashes = set()
    for split in range(0, 512, 8):
        hashes.add(fast.statement_hash(bytes(32), bytes(32), body[:split], body[split:640], bytes(64), bytes(32)))
    assert len(hashes) == 64


def test_each_purpose_has_its_own_hash():
    """The same 64 bytes give different digests to the row and the evaluation, whatever follows."""
    seed = bytes(32)
    assert fast.evaluation_hash(seed, (1).to_bytes(8, "big")) != readable.keccak(seed + (1).to_bytes(8, "big"))
    digests = {fast.evaluation_hash(seed, b""), fast.batch_hash(seed, b"")}
    assert len(digests) == 2


def test_row_challenges_have_128_bits_and_differ():
    rho = fast.row_challenges(b"\7" * 32, 255)
    assert len(set(rho)) == 255
    assert all(0 < value < 2**128 for value in rho)
    assert max(rho).bit_length() == 128


def test_degenerate_points_are_recognised():
    r = readable.SCALAR_ORDER
    assert [fast.is_degenerate(z) for z in (0, 1, r - 1, 2, r - 2)] == [True, True, True, False, False]
