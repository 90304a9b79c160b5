import hashlib
import itertools
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import ContentMissingError, ContentTooLargeError, CorruptContentError, StorageError
from marketplace.storage import unixfs
from marketplace.storage.cid import Cid, dag_pb_cid, raw_cid
from marketplace.storage.varint import varint


def content_of(size: int) -> bytes:
    """The first bytes of sha256(0) || sha256(1) || ..., numbers as 32-bit big-endian."""
    return b"".join(hashlib.sha256(struct.pack(">I", i)).digest() for i in range(-(-size // 32)))[:size]


class Blocks(dict):
    """Blocks in memory, counting what is fetched."""

    fetched = 0

    def put(self, cid: Cid, block: bytes) -> None:
        self[cid] = block

    def get_block(self, cid: Cid) -> bytes:
        self.fetched += 1
        if cid not in self:
            raise ContentMissingError(str(cid), "memory")
        return self[cid]

    def read(self, cid: Cid, max_bytes: int = 1 << 30) -> bytes:
        return unixfs.export_file(cid, self.get_block, max_bytes)


@pytest.fixture
def small_blocks(monkeypatch):
    """Chunks of 4 bytes and 3 links a node, so that deep trees are small."""
    monkeypatch.setattr(unixfs, "CHUNK_BYTES", 4)
    monkeypatch.setattr(unixfs, "MAXIMUM_LINKS", 3)


# CIDs computed by ipfs-unixfs-importer 17.1 (the JavaScript implementation) for the same bytes and settings.
LARGE_FILES = [
    (262_143, "bafkreibd3fiw3lli2rhfm7jw5zvgkj3k6cs4ti2dgmzysjxruqbzgbzwoy"),
    (262_144, "bafkreic4gt3jdy3xkg3piti4m2za7z7d3rs7objq23cyknnklcs6pmlbhq"),
    (262_145, "bafybeich523peexfkagfpfnagh6rwbgj7w6n4srga7lqikta3rszpa4mmu"),
    (524_288, "bafybeigwt77ksn3he5z4plj4lvrjz47p5ogcxkqco7gex7vhh44vfa64a4"),
    (786_437, "bafybeieyarhuc7lkb5v2nwif7yjneomuwz5om6l6o7u4agfj6ewhnn5vta"),
    (45_613_056, "bafybeienectuq6okewt3onzpmpw2v7ntqmiyhl2gd7gcfhpfh5oxdpqoj4"),
    (45_613_057, "bafybeiem7gadxu6l6csqykqivleowsfs4szniu7pgxkvhygby3aojj47cy"),
    (45_875_200, "bafybeigdafftxwgoed4c6jpi3huqlhcnh2zcadiispdm2zthmvqidvkea4"),
]
SMALL_BLOCKS = [
    (12, "bafybeidvdj3s2czx7mmvtgdn33st5ro7we6kmyfvvbph5qpw74ooqj3iga"),
    (13, "bafybeidzhhbzs5t3ek2ymmysehbwhlbui2n4vizkvlc4ly3gk2elnioyr4"),
    (36, "bafybeifhih6jzue7tsabjblkbzq6qoejzflukot7y4qblti445t6qsdf2m"),
    (37, "bafybeiac2mixzhpaskzqis5m4rmwppkxxfkypnhielmcmyxfvljprom2qe"),
    (40, "bafybeibniaehxxbgp35tip546g34az57df6ytkhtktlytwr4lojqhmydwy"),
    (108, "bafybeibrd3jvhlvkuk74quybjumbdvcck6jcr6btihritgp4oyor5cynmi"),
    (109, "bafybeidrqbwredcn4ok3ll5iqe33tbushgb4yneekqd6353ons2v6slso4"),
    (150, "bafybeiefoxtl4mlu2g263jlvrlpsxy6w6uzwi56dxvccnmzy2wjxugh7mq"),
    (325, "bafybeie5pp2hq2rawqdqqbpothvjybuc5rnww5sr63yk4dpy4tea4xzp7m"),
]


@pytest.mark.parametrize(("size", "cid"), LARGE_FILES)
def test_files_of_every_shape_have_the_cid_that_ipfs_gives(size, cid):
    blocks = Blocks()
    content = content_of(size)
    root = unixfs.import_file([content], blocks.put)
    assert str(root) == cid
    assert blocks.read(root, size) == content


@pytest.mark.parametrize(("size", "cid"), SMALL_BLOCKS)
def test_deep_trees_have_the_cid_that_ipfs_gives(small_blocks, size, cid):
    blocks = Blocks()
    root = unixfs.import_file([content_of(size)], blocks.put)
    assert str(root) == cid
    assert blocks.read(root, size) == content_of(size)


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=40), max_size=12))
def test_what_was_imported_in_pieces_is_exported_whole(pieces):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unixfs, "CHUNK_BYTES", 4)
        patch.setattr(unixfs, "MAXIMUM_LINKS", 3)
        blocks, whole = Blocks(), Blocks()
        root = unixfs.import_file(pieces, blocks.put)
        assert root == unixfs.import_file([b"".join(pieces)], whole.put)
        assert blocks.read(root, len(b"".join(pieces))) == b"".join(pieces)


def test_importing_holds_no_more_than_a_piece_and_a_chunk():
    kept = []
    pieces = (bytes(100_000) for _ in range(20))
    unixfs.import_file(pieces, lambda cid, block: kept.append(len(block)))
    assert max(kept) == unixfs.CHUNK_BYTES
    assert len(kept) == -(-2_000_000 // unixfs.CHUNK_BYTES) + 1


def test_every_changed_byte_of_every_block_is_refused(small_blocks):
    blocks = Blocks()
    root = unixfs.import_file([content_of(40)], blocks.put)
    for cid, block in list(blocks.items()):
        for position in range(len(block)):
            changed = bytearray(block)
            changed[position] ^= 1
            with pytest.raises(CorruptContentError, match=str(cid)):
                Blocks(blocks | {cid: bytes(changed)}).read(root)


def node(parts, *, file_size=None, sizes=None, totals=None, data=None) -> bytes:
    """Encode a dag-pb node with chosen lies; `parts` are (cid, size) pairs."""
    out = b""
    for number, (cid, size) in enumerate(parts):
        total = size if totals is None else totals[number]
        link = b"\x0a\x24" + cid.binary + b"\x12\x00\x18" + varint(total)
        out += b"\x12" + varint(len(link)) + link
    sizes = [size for _, size in parts] if sizes is None else sizes
    if data is None:
        data = b"\x08\x02\x18" + varint(sum(sizes) if file_size is None else file_size)
        data += b"".join(b"\x20" + varint(size) for size in sizes)
    return out + b"\x0a" + varint(len(data)) + data


def store(blocks: Blocks, block: bytes) -> Cid:
    cid = dag_pb_cid(block)
    blocks[cid] = block
    return cid


@pytest.fixture
def leaves():
    """Blocks that hold three chunks of 4, 4 and 2 bytes, and their parts list."""
    blocks = Blocks()
    parts = []
    for chunk in (b"abcd", b"efgh", b"ij"):
        blocks[raw_cid(chunk)] = chunk
        parts.append((raw_cid(chunk), len(chunk)))
    return blocks, parts


def test_the_hand_made_node_is_the_canonical_one(small_blocks, leaves):
    blocks, parts = leaves
    assert blocks.read(store(blocks, node(parts))) == b"abcdefghij"


def lies(parts):
    last, size = parts[2]
    other = raw_cid(b"ab")
    yield "file size too large", node(parts, file_size=11)
    yield "file size too small", node(parts, file_size=9)
    yield "file size of one chunk", node(parts, file_size=4)
    yield "sizes that do not match the chunks", node(parts, sizes=[4, 2, 4])
    yield "sizes left out", node(parts, sizes=[], file_size=10)
    yield "totals that lie", node(parts, totals=[4, 4, 3])
    yield "links in another order", node([parts[2], parts[0], parts[1]])
    yield "one link too few", node(parts[:2], file_size=10)
    yield "one link too many", node([*parts, (last, size)], file_size=10)
    yield "no link", node([], file_size=10)
    yield "bytes behind the data", node(parts) + b"\0"
    yield "a field repeated", node(parts, data=b"\x08\x02" * 2 + b"\x18\x0a\x20\x04\x20\x04\x20\x02")
    yield "an overlong number", node(parts, data=b"\x08\x02\x18\x8a\x00\x20\x04\x20\x04\x20\x02")
    yield "a number without end", node(parts, data=b"\x08\x02\x18" + b"\xff" * 20)
    yield "another type", node(parts, data=b"\x08\x01\x18\x0a\x20\x04\x20\x04\x20\x02")
    yield "data cut off", node(parts)[:-1]
    yield "cut within a link", node(parts)[:20]
    yield "only a link tag", b"\x12"
    yield "empty", b""
    yield "a link to a CID of another form", node(parts).replace(last.binary, b"\x01\x71" + last.binary[2:])
    yield "a chunk of another length", node([parts[0], (other, 4), parts[2]])


@pytest.mark.parametrize("lie", range(21))
def test_a_tree_of_any_other_shape_or_encoding_is_refused(small_blocks, leaves, lie):
    blocks, parts = leaves
    blocks[raw_cid(b"ab")] = b"ab"
    what, block = list(lies(parts))[lie]
    with pytest.raises((CorruptContentError, ContentTooLargeError)):
        print(what, blocks.read(store(blocks, block), 10))


def test_all_lies_are_tried(leaves):
    assert len(list(lies(leaves[1]))) == 21


def test_a_node_where_plain_bytes_belong_is_refused(small_blocks, leaves):
    blocks, parts = leaves
    small = store(blocks, node(parts[:1]))
    with pytest.raises(CorruptContentError, match="holds links where a file of this size has plain bytes"):
        blocks.read(small)
    with pytest.raises(CorruptContentError, match="plain bytes"):
        blocks.read(store(blocks, node([(small, 4), *parts[1:]])))


def test_plain_bytes_longer_than_a_chunk_are_refused(small_blocks):
    blocks = Blocks({raw_cid(b"abcd"): b"abcd"})
    assert blocks.read(raw_cid(b"abcd")) == b"abcd"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unixfs, "MAXIMUM_BLOCK_BYTES", 8)
        long = Blocks({raw_cid(b"abcde"): b"abcde"})
        with pytest.raises(CorruptContentError, match="holds plain bytes where a file of this size has links"):
            long.read(raw_cid(b"abcde"))


def test_a_file_that_declares_too_much_is_refused_after_its_first_block():
    blocks = Blocks()
    chunk = bytes(unixfs.CHUNK_BYTES)
    blocks[raw_cid(chunk)] = chunk
    root = store(blocks, node([(raw_cid(chunk), len(chunk))] * 100, file_size=1 << 60))
    with pytest.raises(ContentTooLargeError, match=f"has {1 << 60} bytes where at most 1000000"):
        blocks.read(root, 1_000_000)
    assert blocks.fetched == 1


def test_a_chain_of_nodes_is_refused_after_its_first_block():
    blocks = Blocks()
    deep = raw_cid(b"x")
    blocks[deep] = b"x"
    for _ in range(10_000):
        deep = store(blocks, node([(deep, 1_000_000)]))
    with pytest.raises(CorruptContentError, match="it has 1 links where its size needs 4"):
        blocks.read(deep, 1_000_000)
    assert blocks.fetched == 1


def test_a_million_links_are_refused_after_the_first_block():
    """Nodes that point a thousand times at the same child unfold to a million leaves from three blocks."""
    blocks = Blocks({raw_cid(b"x"): b"x"})
    inner = store(blocks, node([(raw_cid(b"x"), 1)] * 1_000))
    root = store(blocks, node([(inner, 1_000)] * 1_000))
    with pytest.raises(CorruptContentError, match="it has 1000 links where its size needs 4"):
        blocks.read(root, 1_000_000)
    assert blocks.fetched == 1


def test_a_getter_that_runs_in_a_circle_is_bounded():
    """No block can contain its own hash, so a cycle needs a getter that lies; it gets no further than one block."""
    blocks = Blocks()
    chunk = bytes(unixfs.CHUNK_BYTES)
    inner = node([(raw_cid(chunk), unixfs.CHUNK_BYTES)] * 2)
    fetched = itertools.count()

    def circle(cid: Cid) -> bytes:
        next(fetched)
        return inner

    root = store(blocks, inner)
    with pytest.raises(CorruptContentError, match="bytes found are"):
        unixfs.export_file(root, circle, 1 << 30)
    assert next(fetched) == 2


@pytest.mark.parametrize("size", [unixfs.MAXIMUM_BLOCK_BYTES + 1, 3 << 20])
def test_a_block_that_is_too_large_is_refused_unread(size):
    block = bytes(size)
    with pytest.raises(CorruptContentError, match=f"a block of it has {size} bytes, at most 262144 fit"):
        Blocks({raw_cid(block): block}).read(raw_cid(block))


@pytest.mark.parametrize("size", [1, 262_144, 262_145, 600_000])
def test_what_is_too_large_is_shown_by_its_first_block_alone(size):
    blocks = Blocks()
    root = unixfs.import_file([bytes(size)], blocks.put)
    with pytest.raises(ContentTooLargeError) as refused:
        blocks.read(root, size - 1)
    assert unixfs.declared_size(root, refused.value.first_block) == refused.value.size == size
    with pytest.raises(CorruptContentError, match="bytes found are"):
        unixfs.declared_size(root, b"\1" + refused.value.first_block[1:])


@pytest.mark.parametrize("size", [1, 262_144, 262_145, 600_000])
def test_the_limit_counts_the_last_byte(size):
    blocks = Blocks()
    root = unixfs.import_file([bytes(size)], blocks.put)
    assert len(blocks.read(root, size)) == size
    with pytest.raises(ContentTooLargeError, match=f"has {size} bytes where at most {size - 1}"):
        blocks.read(root, size - 1)


def test_a_missing_block_is_named():
    blocks = Blocks()
    root = unixfs.import_file([content_of(600_000)], blocks.put)
    missing = next(cid for cid in blocks if cid != root)
    del blocks[missing]
    with pytest.raises(ContentMissingError, match=f"Content {missing} is not in memory"):
        blocks.read(root)


@given(st.binary(max_size=300))
def test_any_bytes_as_a_node_are_refused_with_a_sentence(block):
    with pytest.raises(StorageError):
        Blocks({dag_pb_cid(block): block}).read(dag_pb_cid(block))
