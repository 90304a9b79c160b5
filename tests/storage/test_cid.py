import base64
import hashlib

import multiformats
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import MalformedCidError
from marketplace.storage.cid import Cid, dag_pb_cid, parse_binary_cid, parse_cid, raw_cid

# What `ipfs add --cid-version=1` prints for these files (Kubo's own test suite, IPFS documentation).
PUBLISHED = [
    (b"hello\n", "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"),
    (b"hello world\n", "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"),
    (b"hello world", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"),
    (b"Hello IPFS\n", "bafkreidfdrlkeq4m4xnxuyx6iae76fdm4wgl5d4xzsb77ixhyqwumhz244"),
    (b"", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
]

DIGEST = hashlib.sha256(b"hello world").digest()
GOOD = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"


def base32(data: bytes) -> str:
    return "b" + base64.b32encode(data).decode().rstrip("=").lower()


@pytest.mark.parametrize(("content", "cid"), PUBLISHED)
def test_small_files_have_their_published_cids(content, cid):
    assert str(raw_cid(content)) == cid
    assert raw_cid(content).names(content)
    assert not raw_cid(content).names(content + b"x")


@given(st.binary(max_size=100), st.sampled_from([("raw", raw_cid), ("dag-pb", dag_pb_cid)]))
def test_cids_agree_with_an_independent_library(content, codec):
    name, make = codec
    independent = multiformats.CID("base32", 1, name, multiformats.multihash.digest(content, "sha2-256"))
    assert str(make(content)) == str(independent)
    assert make(content).binary == bytes(independent)


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["01551220", "01701220"]))
def test_text_and_bytes_of_a_cid_read_back_as_the_same_cid(digest, prefix):
    binary = bytes.fromhex(prefix) + digest
    cid = parse_binary_cid(binary)
    assert cid.binary == binary
    assert parse_cid(str(cid)) == cid
    assert len(str(cid)) == 59
    assert cid.is_raw == (prefix == "01551220")


OTHER_FORMS = {
    "version 0": "QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4",
    "base58btc": multiformats.CID.decode(GOOD).encode("base58btc"),
    "base16": multiformats.CID.decode(GOOD).encode("base16"),
    "base64url": multiformats.CID.decode(GOOD).encode("base64url"),
    "base36": multiformats.CID.decode(GOOD).encode("base36"),
    "base32 upper case": multiformats.CID.decode(GOOD).encode("base32upper"),
    "upper case": GOOD.upper(),
    "one capital": GOOD[:-1] + "E",
    "padded": GOOD + "======",
    "without multibase prefix": GOOD[1:],
    "spare bits set": GOOD[:-1] + "f",
    "identity hash, inline data": base32(bytes.fromhex("015500") + b"\x05hello"),
    "identity hash, 32 bytes inline": base32(bytes.fromhex("01550020") + DIGEST),
    "sha1": base32(bytes.fromhex("01551114") + hashlib.sha1(b"x", usedforsecurity=False).digest()),
    "md5": base32(bytes.fromhex("0155d50110") + hashlib.md5(b"x", usedforsecurity=False).digest()),
    "sha2-512": base32(bytes.fromhex("01551340") + hashlib.sha512(b"x").digest()),
    "sha2-256 cut to 20 bytes": base32(bytes.fromhex("01551214") + DIGEST[:20]),
    "sha3-256": base32(bytes.fromhex("01551620") + DIGEST),
    "codec dag-cbor": base32(bytes.fromhex("01711220") + DIGEST),
    "codec libp2p-key": base32(bytes.fromhex("01721220") + DIGEST),
    "version 2": base32(bytes.fromhex("02551220") + DIGEST),
    "overlong version": base32(bytes.fromhex("8100551220") + DIGEST),
    "one byte more": base32(bytes.fromhex("01551220") + DIGEST + b"\0"),
    "one byte less": base32(bytes.fromhex("01551220") + DIGEST[:31]),
    "path appended": GOOD + "/model",
    "path instead of the end": GOOD[:-6] + "/../..",
    "query appended": GOOD + "?format=raw",
    "gateway path": "/ipfs/" + GOOD,
    "url": "ipfs://" + GOOD,
    "trailing newline": GOOD + "\n",
    "leading space": " " + GOOD,
    "nul appended": GOOD + "\0",
    "nul inside": GOOD[:30] + "\0" + GOOD[31:],
    "fullwidth letter": GOOD[:-1] + "ｅ",
    "dotless i": GOOD.replace("i", "ı"),
    "right-to-left mark": "\u200f" + GOOD,
    "digits of another script": GOOD.replace("3", "٣"),
    "digit 1": GOOD[:-1] + "1",
    "empty": "",
    "b": "b",
    "parent directory": "../" * 19 + "ab",
    "absolute path": "/etc/passwd",
    "300 characters": "b" * 300,
    "a million characters": "b" * 1_000_000,
}


@pytest.mark.parametrize("text", OTHER_FORMS.values(), ids=OTHER_FORMS.keys())
def test_every_other_way_to_write_a_cid_is_refused(text):
    with pytest.raises(MalformedCidError, match="is not a CID that this market uses") as caught:
        parse_cid(text)
    assert len(str(caught.value)) < 500


@given(st.text(max_size=70))
def test_any_text_is_one_canonical_cid_or_refused(text):
    try:
        cid = parse_cid(text)
    except MalformedCidError:
        return
    assert str(cid) == text


@given(st.integers(0, 58), st.characters())
def test_a_changed_character_gives_another_cid_or_a_refusal(position, character):
    text = GOOD[:position] + character + GOOD[position + 1 :]
    try:
        cid = parse_cid(text)
    except MalformedCidError:
        return
    assert (cid == parse_cid(GOOD)) == (text == GOOD)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(36),
        DIGEST,
        bytes.fromhex("01551220") + DIGEST + b"\0",
        bytes.fromhex("01551220") + DIGEST[:31],
        bytes.fromhex("01711220") + DIGEST,
        bytes.fromhex("1220") + DIGEST,
        GOOD.encode()[:36],
    ],
    ids=lambda d: d[:5].hex() + f"x{len(d)}",
)
def test_bytes_of_any_other_form_are_refused(data):
    with pytest.raises(MalformedCidError):
        parse_binary_cid(data)


def test_a_cid_can_not_be_made_from_bytes_of_another_form():
    with pytest.raises(MalformedCidError):
        Cid(b"../../../../etc/passwd/with/36/bytes")
