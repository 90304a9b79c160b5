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
    block = _checked(cid, get_block)
    size = declared_size(cid, block)
    if size > max_bytes:
        raise ContentTooLargeError(str(cid), size, max_bytes, block)
    height = 0
    while CHUNK_BYTES * MAXIMUM_LINKS**height < size:
        height += 1
    parts: list[bytes] = []
    _read(cid, block, size, height, get_block, parts)
    return b"".join(parts)


def declared_size(cid: Cid, first_block: bytes) -> int:
    """Return how many bytes content has, as its first block says; if the file is in order, it is true.

    Raises
    ------
    CorruptContentError
        If the block is not the one that the CID names, or declares no size.
    """
    _check(cid, first_block)
    return len(first_block) if cid.is_raw else _parse_node(cid, first_block)[1]


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Regroup pieces into chunks of `CHUNK_BYTES`, the last one shorter; nothing at all is one empty chunk."""
    buffer = bytearray()
    yielded = False
    for piece in pieces:
        buffer += piece
        while len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer[:CHUNK_BYTES])
            yielded = True
            del buffer[:CHUNK_BYTES]
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


def _read(cid: Cid, block: bytes, size: int, height: int, get_block: GetBlock, parts: list[bytes]) -> int:
    """Append the bytes under a block that must hold `size` of them at this height; return the size of all its blocks.

    The node that has the expected shape is encoded again and compared, so that only one encoding is accepted.
    """
    if cid.is_raw != (height == 0):
        found, expected = ("plain bytes", "links") if cid.is_raw else ("links", "plain bytes")
        raise CorruptContentError(str(cid), f"it holds {found} where a file of this size has {expected}")
    if height == 0:
        if len(block) != size:
            raise CorruptContentError(str(cid), f"it has {len(block)} bytes where its parent says {size}")
        parts.append(block)
        return size
    below = CHUNK_BYTES * MAXIMUM_LINKS ** (height - 1)
    sizes = [min(below, size - start) for start in range(0, size, below)]
    children = _parse_node(cid, block)[0]
    if len(children) != len(sizes):
        raise CorruptContentError(str(cid), f"it has {len(children)} links where its size needs {len(sizes)}")
    links = []
    for child, child_size in zip(children, sizes, strict=True):
        total = _read(child, _checked(child, get_block), child_size, height - 1, get_block, parts)
        links.append(_Link(child, child_size, total))
    if _encode_node(links) != block:
        raise CorruptContentError(str(cid), "its sizes or encoding are not those that `ipfs add` gives")
    return len(block) + sum(link.total for link in links)


def _checked(cid: Cid, get_block: GetBlock) -> bytes:
    """Fetch a block and check its length and hash."""
    block = get_block(cid)
    _check(cid, block)
    return block


def _check(cid: Cid, block: bytes) -> None:
    """Raise `CorruptContentError` unless this is the block that the CID names."""
    if len(block) > MAXIMUM_BLOCK_BYTES:
        raise CorruptContentError(str(cid), f"a block of it has {len(block)} bytes, at most {MAXIMUM_BLOCK_BYTES} fit")
    if not cid.names(block):
        found = raw_cid(block) if cid.is_raw else dag_pb_cid(block)
        raise CorruptContentError(str(cid), f"the {len(block)} bytes found are {found}")


def _encode_node(links: list[_Link]) -> bytes:
    """Encode a node over links."""
    node = bytearray()
    for link in links:
        encoded = _LINK_CID + link.cid.binary + _LINK_NO_NAME_SIZE + _varint(link.total)
        node += _NODE_LINK + _varint(len(encoded)) + encoded
    data = _DATA_FILE_SIZE + _varint(sum(link.size for link in links))
    data += b"".join(_DATA_PART_SIZE + _varint(link.size) for link in links)
    return bytes(node) + _NODE_DATA + _varint(len(data)) + data


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


def _varint(value: int) -> bytes:
    """Encode an unsigned integer as a protobuf varint."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


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
