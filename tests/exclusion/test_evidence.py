import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.chain.structs import ExclusionReason
from marketplace.errors import MalformedPayloadError
from marketplace.exclusion.evidence import (
    LARGEST_EVIDENCE_BYTES,
    Evidence,
    decode_evidence,
    encode_evidence,
)
from marketplace.payload.context import EnvelopeContext
from marketplace.storage.cid import raw_cid
from marketplace.storage.unixfs import MAXIMUM_BLOCK_BYTES

CONTEXT = EnvelopeContext(31337, "0x" + "c0" * 20, 5, 2, "0x" + "ab" * 20)
EVIDENCE = Evidence(CONTEXT, ExclusionReason.MISMATCH, raw_cid(b"envelope"), bytes(range(32)), b"\x01\x02\x03", None)
ENCODED = encode_evidence(EVIDENCE)

reasons = st.sampled_from([ExclusionReason.UNDECRYPTABLE, ExclusionReason.MISMATCH, ExclusionReason.OUT_OF_RANGE])
addresses = st.binary(min_size=20, max_size=20).map(lambda data: "0x" + data.hex())
contexts = st.builds(
    EnvelopeContext,
    st.integers(0, 2**256 - 1),
    addresses,
    st.integers(0, 2**256 - 1),
    st.integers(0, 2**64 - 1),
    addresses,
)
pieces = st.none() | st.binary(max_size=200)


def rewritten(**changed) -> bytes:
    document = json.loads(ENCODED) | changed
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def test_the_format_is_the_documented_one():
    assert ENCODED.decode() == (
        '{"account":"0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB","chain_id":31337,'
        '"commitment_hash":"0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",'
        f'"contract":"{CONTEXT.contract}","disclosure":"AQID",'
        f'"envelope":"{raw_cid(b"envelope")}","first_block":null,"format":"cairn-exclusion-evidence-1",'
        '"job":5,"reason":"mismatch","round":2}'
    )


@given(contexts, reasons, st.binary(max_size=40), st.binary(min_size=32, max_size=32), pieces, pieces)
def test_evidence_reads_back_as_it_was(context, reason, envelope, commitment_hash, disclosure, first_block):
    evidence = Evidence(context, reason, raw_cid(envelope), commitment_hash, disclosure, first_block)
    assert decode_evidence(encode_evidence(evidence)) == evidence


def test_the_largest_block_fits():
    evidence = Evidence(
        CONTEXT, ExclusionReason.OUT_OF_RANGE, raw_cid(b""), bytes(32), None, bytes(MAXIMUM_BLOCK_BYTES)
    )
    assert decode_evidence(encode_evidence(evidence)) == evidence


@given(st.integers(0, len(ENCODED) - 1), st.integers(1, 255))
def test_a_changed_byte_is_other_evidence_or_refused(position, mask):
    changed = bytearray(ENCODED)
    changed[position] ^= mask
    with contextlib.suppress(MalformedPayloadError):
        assert encode_evidence(decode_evidence(bytes(changed))) == bytes(changed)


@given(st.binary(max_size=500))
def test_any_bytes_are_evidence_or_refused(data):
    with pytest.raises(MalformedPayloadError):
        decode_evidence(data)


@pytest.mark.parametrize(
    "data",
    [
        ENCODED + b"\n",
        b" " + ENCODED,
        ENCODED.replace(b",", b", "),
        ENCODED.replace(b'"job":5', b'"job":5,"job":5'),
        ENCODED.replace(b'"job":5', b'"job":5.0'),
        ENCODED.replace(b'"job":5', b'"job":"5"'),
        ENCODED.replace(b'"job":5', b'"job":true'),
        ENCODED.replace(b'"job":5', b'"job":-5'),
        ENCODED.replace(b'"job":5,', b""),
        ENCODED.replace(b'"job":5', b'"job":' + b"9" * 5000),
        ENCODED.replace(b'"job":5', b'"job":5,"more":1'),
        ENCODED.replace(b'"job":5', b'"job":[5]'),
        ENCODED.replace(CONTEXT.trainer.encode(), CONTEXT.trainer.lower().encode()),
        ENCODED.replace(b"AQID", b"AQI"),
        ENCODED.replace(b"AQID", b"AQ\\nID"),
        ENCODED.replace(b"0x0001", b"0X0001"),
        ENCODED.replace(b"1d1e1f", b"1D1E1F"),
        ENCODED.replace(b"1d1e1f", b"1d1e"),
        b"[" * 10_000,
        b"null",
        b"[]",
        b"{}",
        rewritten(format="cairn-exclusion-1"),
        rewritten(reason="unavailable"),
        rewritten(reason="MISMATCH"),
        rewritten(reason=None),
        rewritten(envelope="../../etc/passwd"),
        rewritten(envelope=None),
        rewritten(account="0x12"),
        rewritten(disclosure=7),
        rewritten(disclosure="a b c d "),
        rewritten(chain_id=2**256),
        rewritten(round=2**64),
        b"x" * (LARGEST_EVIDENCE_BYTES + 1),
    ],
    ids=lambda data: repr(data[:40]),
)
def test_every_other_spelling_is_refused_with_a_sentence(data):
    assert data != ENCODED
    with pytest.raises(MalformedPayloadError, match="The evidence is malformed: "):
        decode_evidence(data)
