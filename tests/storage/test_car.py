"""CAR files: written, read, and whatever is wrong with one refused."""

from __future__ import annotations

import base64
import json

import multiformats
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import ContentMissingError, CorruptContentError, StorageError
from marketplace.storage import car
from marketplace.storage.car import MAXIMUM_ROOTS, MalformedCarError, import_car, read_car, write_block, write_car
from marketplace.storage.cid import Cid, dag_pb_cid, raw_cid
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.unixfs import import_file
from tests.storage.conftest import ANSWERS
from tests.storage.servers import unpacked

LARGE = b"".join(k.to_bytes(4, "big") for k in range(150_000))
BLOCKS: dict = {}
ROOT = import_file([LARGE], BLOCKS.__setitem__)
SMALL = b"a small file"
BLOCKS[raw_cid(SMALL)] = SMALL


def written(*roots: Cid) -> bytes:
    return b"".join(write_car(roots, BLOCKS.__getitem__))


def ignore(cid: Cid, block: bytes) -> None:
    pass


@pytest.fixture
def store(tmp_path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "blocks")


@pytest.mark.parametrize("size", [97, 1 << 16, 1 << 30])
def test_what_is_written_is_read_in_pieces_of_any_size(store, size):
    data = written(ROOT, raw_cid(SMALL))
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    assert import_car(pieces, store) == [ROOT, raw_cid(SMALL)]
    assert store.get(ROOT, len(LARGE)) == LARGE
    assert store.get(raw_cid(SMALL), 100) == SMALL


def test_each_block_occurs_once_and_a_node_before_what_is_under_it():
    seen: list[Cid] = []
    assert read_car([written(ROOT, ROOT)], lambda cid, block: seen.append(cid)) == [ROOT, ROOT]
    assert seen[0] == ROOT
    assert sorted(seen) == sorted(set(BLOCKS) - {raw_cid(SMALL)})


def test_the_header_is_what_an_independent_reading_says():
    """A CBOR map with the keys roots and version, each root under tag 42 with the zero byte of a binary CID."""
    data = written(raw_cid(SMALL))
    cid = bytes(multiformats.CID("base32", 1, "raw", multiformats.multihash.digest(SMALL, "sha2-256")))
    header = bytes.fromhex("a2 65") + b"roots" + bytes.fromhex("81 d8 2a 58 25 00") + cid + b"\x67version\x01"
    assert data == bytes([len(header)]) + header + bytes([len(cid) + len(SMALL)]) + cid + SMALL


def test_a_file_that_a_node_wrote_is_read():
    document = json.loads(ANSWERS.read_text("utf-8"))
    (export,) = [
        exchange
        for exchange in document["tests"]["test_the_car_file_of_the_node_has_all_blocks"]
        if "/dag/export" in exchange["request"]["target"]
    ]
    blocks: dict = {}
    (root,) = read_car([unpacked(export["answer"]["body"])], blocks.__setitem__)
    assert root in blocks
    assert len(blocks) == 4


@pytest.mark.parametrize("count", [1, 23, 24, 255, 256, 300])
def test_any_number_of_roots_is_read_back(count):
    blocks = {raw_cid(b"%d" % k): b"%d" % k for k in range(count)}
    data = b"".join(write_car(list(blocks), blocks.__getitem__))
    found: dict = {}
    assert read_car([data], found.__setitem__) == list(blocks)
    assert found == blocks


@pytest.mark.parametrize("count", [0, MAXIMUM_ROOTS + 1])
def test_no_roots_or_too_many_are_not_written(count):
    with pytest.raises(MalformedCarError, match=f"it would have {count} roots"):
        next(write_car([ROOT] * count, BLOCKS.__getitem__))


def test_the_root_comes_last_into_the_store(store, monkeypatch):
    taken: list[Cid] = []
    put = store.put_block
    monkeypatch.setattr(store, "put_block", lambda cid, block: (taken.append(cid), put(cid, block)))
    import_car([written(ROOT)], store)
    assert taken[-1] == ROOT
    assert len(taken) == len(set(taken)) == 4


@pytest.mark.parametrize("cut", [1, 40, 100, 1_000, 300_000])
def test_a_file_that_breaks_off_is_refused_and_leaves_no_root(store, cut):
    with pytest.raises((MalformedCarError, ContentMissingError)):
        import_car([written(ROOT)[:-cut]], store)
    assert not store.has(ROOT)


def test_a_file_without_one_of_its_blocks_is_refused_unless_the_store_has_it(store):
    leaf = next(cid for cid in BLOCKS if cid.is_raw)
    parts = [car._section(car._header([ROOT]))]
    parts += [car._section(cid.binary + block) for cid, block in BLOCKS.items() if cid != leaf]
    with pytest.raises(ContentMissingError, match=str(leaf)):
        import_car(parts, store)
    assert not store.has(ROOT)
    store.put_block(leaf, BLOCKS[leaf])
    assert import_car(parts, store) == [ROOT]
    assert store.get(ROOT, len(LARGE)) == LARGE


@pytest.mark.parametrize("at", [0, 1, 20, 58, 59, 60, 62, 66, 100, 1_000, 300_000])
def test_a_changed_byte_is_refused(store, at):
    data = bytearray(written(ROOT))
    data[at] ^= 0x01
    with pytest.raises(StorageError):
        import_car([bytes(data)], store)
    assert not store.has(ROOT)


def test_a_wrong_block_is_named():
    data = written(raw_cid(SMALL))
    with pytest.raises(CorruptContentError, match="the 12 bytes found are"):
        read_car([data.replace(SMALL, SMALL.upper())], ignore)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "its header has no bytes"),
        (b"\x00", "its header is not that of version 1"),
        (b"\xff" * 10, "a length in it is not written as it must be"),
        (b"\x80\x00", "a length in it is not written as it must be"),
        (b"\xff\xff\xff\x7f", "its header has 268435455 bytes"),
        (b"\x3a", "it ends after 0 of 58 bytes"),
        (bytes.fromhex("0aa16776657273696f6e02") + bytes(40), "it has version 2, and only version 1 is read"),
        (car._section(b"\xa1\x67version\x01"), "its header is not that of version 1"),
        (car._section(b"\xa2\x65roots\x80\x67version\x01"), "its header is not that of version 1"),
        (car._section(b"\xa2\x67version\x01\x65roots\x80"), "its header is not that of version 1"),
        (written(ROOT) + b"\x05abcde", "a block with its CID has 5 bytes"),
        (written(ROOT) + b"\xff\xff\xff\x07", "a block with its CID has 16777215 bytes"),
        (written(ROOT) + car._section(b"\x01\x71" + bytes(40)), "it names content of another form"),
        (written(ROOT) + b"\x00", "a block with its CID has 0 bytes"),
    ],
)
def test_what_is_no_such_file_is_refused_with_a_sentence(data, words):
    with pytest.raises(MalformedCarError, match=words):
        read_car([data], ignore)


def test_nodes_without_end_are_refused(store, monkeypatch):
    monkeypatch.setattr(car, "_MAXIMUM_NODES_BYTES", 1_000)
    nodes = [b"node %d" % k + bytes(90) for k in range(12)]
    parts = [car._section(car._header([ROOT]))] + [car._section(dag_pb_cid(n).binary + n) for n in nodes]
    with pytest.raises(MalformedCarError, match="more than 1000 bytes of nodes"):
        import_car(parts, store)


def test_a_single_block_is_a_file_of_its_own():
    blocks: dict = {}
    assert read_car(write_block(ROOT, BLOCKS[ROOT]), blocks.__setitem__) == [ROOT]
    assert blocks == {ROOT: BLOCKS[ROOT]}


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_sentence(data):
    with pytest.raises(StorageError):
        read_car([data], ignore)


def test_the_text_of_a_root_is_that_of_its_bytes():
    assert str(ROOT) == "b" + base64.b32encode(ROOT.binary).decode().rstrip("=").lower()
