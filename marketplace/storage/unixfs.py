"""Files as trees of blocks, exactly as `ipfs add --cid-version=1 --raw-leaves --chunker=size-262144` builds them.

A file of at most 256 KiB is one raw block. A larger one is cut into raw blocks of 256 KiB, the last one shorter, under
a tree of dag-pb nodes with up to 174 links each, filled from the left, all leaves at the same depth. The size of a file
thus fixes the shape of its tree. The reader accepts that shape only: it knows before every block how many links and
bytes must be in it, so that cycles, deep chains, a million links or endless content can't occur.

A node is a protobuf message: the links (field 2: CID, empty name, size of the subtree with its blocks), then the data
(field 1: type file, file size, one size for each link). Encodings: https://ipld.io/specs/codecs/dag-pb/spec/ and
https://specs.ipfs.tech/unixfs/.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from marketplace.errors import ContentTooLargeError, CorruptContentError, MalformedCidError
from marketplace.storage.cid import BINARY_CID_BYTES, Cid, dag_pb_cid, parse_binary_cid, raw_cid
from marketplace.storage.varint import varint

CHUNK_BYTES: Final = 262_144
MAXIMUM_LINKS: Final = 174
MAXIMUM_BLOCK_BYTES: Final = CHUNK_BYTES

# Takes a block into a store / fetches it from one. What a getter returns is checked here against the CID.
PutBlock = Callable[[Cid, bytes], None]
GetBlock = Callable[[Cid], bytes]

# Protobuf field headers (field number and wire type) in the order in which they occur, and UnixFS's type for a file.
_NODE_LINK: Final = b"\x12"
_LINK_CID: Final = b"\x0a" + bytes([BINARY_CID_BYTES])
_LINK_NO_NAME_SIZE: Final = b"\x12\x00\x18"
_NODE_DATA: Final = b"\x0a"
_DATA_FILE_SIZE: Final = b"\x08\x02\x18"
_DATA_PART_SIZE: Final = b"\x20"


@dataclass(frozen=True)
class _Link:
    """A block or subtree: `size` counts bytes of the file, `total` bytes of all its blocks."""

    cid: Cid
    size: int
    total: int


def cid_of(content: bytes) -> Cid:
    """Return the CID that content will have, without storing a byte of it."""
    return import_file([content], lambda _cid, _block: None)


def import_file(pieces: Iterable[bytes], put_block: PutBlock) -> Cid:
    """Cut a stream of bytes into blocks, hand each to the store, and return the CID of the whole; the root comes last.

    Parameters
    ----------
    pieces
        The file's bytes in order, in pieces of any length.
    put_block
        Called once a block; equal blocks are handed over each time they occur.
    """
    levels: list[list[_Link]] = [[]]
    for chunk in _chunks(pieces):
        cid = raw_cid(chunk)
        put_block(cid, chunk)
        _append(levels, 0, _Link(cid, len(chunk), len(chunk)), put_block)
    height = 0
    while len(levels[height]) > 1 or height + 1 < len(levels):
        _append(levels, height + 1, _put_node(levels[height], put_block), put_block)
        height += 1
    return levels[height][0].cid


@dataclass(frozen=True)
class FileBlock:
    """One block of a file's tree, as `file_blocks` comes to it.

    Attributes
    ----------
    cid
        Of the block; raw for a leaf.
    offset, size
        Which bytes of the file are under it.
    block
        The block itself, checked; None for leaves, which `read_leaf` fetches, unless the file is one block.
    """

    cid: Cid
    offset: int
    size: int
    block: bytes | None


def export_file(cid: Cid, get_block: GetBlock, max_bytes: int) -> bytes:
    """Fetch a file block by block, checking each block's hash and place.

    Parameters
    ----------
    cid
        Of the file.
    get_block
        Fetches one block; what it returns need not be trusted.
    max_bytes
        The most that the file may have.

    Raises
    ------
    ContentTooLargeError
        If the file is, or declares to be, larger; nothing beyond its root is fetched then.
    CorruptContentError
        If a block is not what its CID names, or the tree does not have the one shape that files of its size have.
    """
    blocks = file_blocks(cid, get_block, max_bytes)
    return b"".join(read_leaf(block, get_block) for block in blocks if block.cid.is_raw)


def file_blocks(cid: Cid, get_block: GetBlock, max_bytes: int) -> Iterator[FileBlock]:
    """Go through a file's tree from the root, each node before what is under it and leaves in the order of the file.

    Every node is fetched and checked before anything under it; leaves are not fetched. The first block tells the
    file's size.

    Parameters
    ----------
    cid, get_block, max_bytes
        As for `export_file`.

    Raises
    ------
    ContentTooLargeError, CorruptContentError
        As `export_file`, but for what is in the leaves.
    """
    block = _checked(cid, get_block)
    size = declared_size(cid, block)
    if size > max_bytes:
        raise ContentTooLargeError(str(cid), size, max_bytes, block)
    height = 0
    while CHUNK_BYTES * MAXIMUM_LINKS**height < size:
        height += 1
    _check_kind(cid, height)
    yield from _below(FileBlock(cid, 0, size, block), height, get_block)


def read_leaf(leaf: FileBlock, get_block: GetBlock) -> bytes:
    """Return the bytes of a leaf, fetched and checked.

    Raises
    ------
    CorruptContentError
        If they are not what the CID names, or not as many as the tree says.
    """
    block = _checked(leaf.cid, get_block) if leaf.block is None else leaf.block
    if len(block) != leaf.size:
        raise CorruptContentError(str(leaf.cid), f"it has {len(block)} bytes where its parent says {leaf.size}")
    return block


def linked_cids(cid: Cid, block: bytes) -> list[Cid]:
    """Return what a block links to, in order; nothing if it is a leaf.

    Raises
    ------
    CorruptContentError
        If it is not the block that the CID names, or no node.
    """
    require_block(cid, block)
    return [] if cid.is_raw else _parse_node(cid, block)[0]


def declared_size(cid: Cid, first_block: bytes) -> int:
    """Return how many bytes content has, as its first block says; if the file is in order, it is true.

    Raises
    ------
    CorruptContentError
        If the block is not the one that the CID names, or declares no size.
    """
    require_block(cid, first_block)
    return len(first_block) if cid.is_raw else _parse_node(cid, first_block)[1]


def require_block(cid: Cid, block: bytes) -> None:
    """Check that this is the block that the CID names.

    Raises
    ------
    CorruptContentError
        If it is another, or larger than any block.
    """
    if len(block) > MAXIMUM_BLOCK_BYTES:
        raise CorruptContentError(str(cid), f"a block of it has {len(block)} bytes, at most {MAXIMUM_BLOCK_BYTES} fit")
    if not cid.names(block):
        found = raw_cid(block) if cid.is_raw else dag_pb_cid(block)
        raise CorruptContentError(str(cid), f"the {len(block)} bytes found are {found}")


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Regroup pieces into chunks of `CHUNK_BYTES`, the last one shorter; nothing at all is one empty chunk."""
    buffer = bytearray()
    yielded = False
    for piece in pieces:
        # Seen through a view, so that no more than a chunk of a large piece is copied at once.
        view = memoryview(piece)
        while view:
            room = CHUNK_BYTES - len(buffer)
            buffer += view[:room]
            view = view[room:]
            if len(buffer) == CHUNK_BYTES:
                yield bytes(buffer)
                yielded = True
                buffer.clear()
    if buffer or not yielded:
        yield bytes(buffer)


def _append(levels: list[list[_Link]], height: int, link: _Link, put_block: PutBlock) -> None:
    """Add a link to a level, closing the level's node first if that is full."""
    if height == len(levels):
        levels.append([])
    if len(levels[height]) == MAXIMUM_LINKS:
        _append(levels, height + 1, _put_node(levels[height], put_block), put_block)
        levels[height] = []
    levels[height].append(link)


def _put_node(links: list[_Link], put_block: PutBlock) -> _Link:
    """Store the node over these links."""
    block = _encode_node(links)
    cid = dag_pb_cid(block)
    put_block(cid, block)
    return _Link(cid, sum(link.size for link in links), len(block) + sum(link.total for link in links))


def _below(node: FileBlock, height: int, get_block: GetBlock) -> Iterator[FileBlock]:
    """Yield a block of this height and all below it.

    The node that has the expected shape is encoded and compared, so that only one encoding is accepted.
    """
    yield node
    if height == 0:
        return
    block = node.block or b""
    sizes = _part_sizes(node.size, height)
    children = _parse_node(node.cid, block)[0]
    if len(children) != len(sizes):
        raise CorruptContentError(str(node.cid), f"it has {len(children)} links where its size needs {len(sizes)}")
    totals = {size: _total(size, height - 1) for size in set(sizes)}
    links = [_Link(child, size, totals[size]) for child, size in zip(children, sizes, strict=True)]
    if _encode_node(links) != block:
        raise CorruptContentError(str(node.cid), "its sizes or encoding are not those that `ipfs add` gives")
    offset = node.offset
    for link in links:
        _check_kind(link.cid, height - 1)
        child = None if height == 1 else _checked(link.cid, get_block)
        yield from _below(FileBlock(link.cid, offset, link.size, child), height - 1, get_block)
        offset += link.size


def _check_kind(cid: Cid, height: int) -> None:
    """Refuse a leaf where a node belongs, and a node where a leaf does."""
    if cid.is_raw != (height == 0):
        found, expected = ("plain bytes", "links") if cid.is_raw else ("links", "plain bytes")
        raise CorruptContentError(str(cid), f"it holds {found} where a file of this size has {expected}")


def _part_sizes(size: int, height: int) -> list[int]:
    """Return how many bytes of the file are under each link of a node of this height over `size` bytes."""
    below = CHUNK_BYTES * MAXIMUM_LINKS ** (height - 1)
    return [min(below, size - start) for start in range(0, size, below)]


def _total(size: int, height: int) -> int:
    """Return how many bytes all blocks of the tree of this height over `size` bytes have; the shape fixes it."""
    if height == 0:
        return size
    sizes = _part_sizes(size, height)
    totals = {part: _total(part, height - 1) for part in set(sizes)}
    node = _encode_node([_Link(raw_cid(b""), part, totals[part]) for part in sizes])
    return len(node) + sum(totals[part] for part in sizes)


def _checked(cid: Cid, get_block: GetBlock) -> bytes:
    """Fetch a block and check its length and hash."""
    block = get_block(cid)
    require_block(cid, block)
    return block


def _encode_node(links: list[_Link]) -> bytes:
    """Encode a node over links."""
    node = bytearray()
    for link in links:
        encoded = _LINK_CID + link.cid.binary + _LINK_NO_NAME_SIZE + varint(link.total)
        node += _NODE_LINK + varint(len(encoded)) + encoded
    data = _DATA_FILE_SIZE + varint(sum(link.size for link in links))
    data += b"".join(_DATA_PART_SIZE + varint(link.size) for link in links)
    return bytes(node) + _NODE_DATA + varint(len(data)) + data


def _parse_node(cid: Cid, block: bytes) -> tuple[list[Cid], int]:
    """Return the CIDs and the file size that a node declares.

    Only what is returned is read; the caller encodes the node again, which settles all the rest.
    """
    children: list[Cid] = []
    at = 0
    while block.startswith(_NODE_LINK, at):
        length, at = _read_varint(cid, block, at + 1)
        first = at + len(_LINK_CID)
        try:
            children.append(parse_binary_cid(block[first : first + BINARY_CID_BYTES]))
        except MalformedCidError as error:
            raise CorruptContentError(str(cid), f"its link {len(children)} is no CID of this market") from error
        at += length
    _, at = _read_varint(cid, block, at + len(_NODE_DATA))
    return children, _read_varint(cid, block, at + len(_DATA_FILE_SIZE))[0]


def _read_varint(cid: Cid, block: bytes, at: int) -> tuple[int, int]:
    """Return the varint at this place, and the place behind it."""
    value = 0
    for shift in range(0, 63, 7):
        if at >= len(block):
            break
        value |= (block[at] & 0x7F) << shift
        at += 1
        if block[at - 1] < 0x80:
            return value, at
    raise CorruptContentError(str(cid), f"it holds no number of at most 63 bits before byte {at}")
