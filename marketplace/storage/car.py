"""CAR files, version 1: several files' blocks one after the other, for copies that need no network.

A CAR file is a header, the dag-cbor map of its roots and the version, and then blocks, each a CID and its bytes; before
each of them stands a length. See https://ipld.io/specs/transport/car/carv1/. What is written here has each node before
what is under it, in the order of the file; what is read may have any order.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from marketplace.errors import MalformedCidError, StorageError
from marketplace.storage.cid import BINARY_CID_BYTES, Cid, parse_binary_cid
from marketplace.storage.store import WritableStore
from marketplace.storage.unixfs import MAXIMUM_BLOCK_BYTES, GetBlock, file_blocks, read_leaf, require_block
from marketplace.storage.varint import varint

# The largest number of roots in a header: a job with its whole history fits.
MAXIMUM_ROOTS: Final = 10_000
_NO_LIMIT: Final = 1 << 62
# Nodes that are kept back until what is under them is there; those of some 80 GiB of files.
_MAXIMUM_NODES_BYTES: Final = 1 << 24

# dag-cbor: a map of two, its keys in order of length; an array of roots, each tagged as a CID of 37 bytes.
_MAP_ROOTS: Final = b"\xa2\x65roots"
_VERSION_1: Final = b"\x67version\x01"
_CID_LINK: Final = b"\xd8\x2a\x58\x25\x00"
_VERSION_2_HEADER: Final = b"\xa1\x67version\x02"


class MalformedCarError(StorageError):
    """Thrown when a file is not a CAR file that can be taken in.

    Attributes
    ----------
    fault
        What is wrong with it.
    """

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(
            f"This is no CAR file that can be imported: {fault}; make one with `cairn store export` or `ipfs dag "
            "export` of files with CIDv1, raw leaves and chunks of 256 KiB."
        )


def write_car(roots: Sequence[Cid], get_block: GetBlock) -> Iterator[bytes]:
    """Yield the CAR file of several files; blocks that they share occur once.

    Parameters
    ----------
    roots
        The files, in the order of the header.
    get_block
        Fetches one block; what it returns need not be trusted.

    Raises
    ------
    StorageError
        If a block can't be had, or a file is none of the form that Cairn uses.
    MalformedCarError
        If there are no roots, or more than `MAXIMUM_ROOTS`.
    """
    if not 0 < len(roots) <= MAXIMUM_ROOTS:
        raise MalformedCarError(f"it would have {len(roots)} roots, and must have 1 to {MAXIMUM_ROOTS}")
    yield _section(_header(roots))
    written: set[Cid] = set()
    for root in roots:
        for each in file_blocks(root, get_block, _NO_LIMIT):
            if each.cid not in written:
                written.add(each.cid)
                block = read_leaf(each, get_block) if each.cid.is_raw else each.block or b""
                yield _section(each.cid.binary + block)


def write_block(cid: Cid, block: bytes) -> Iterator[bytes]:
    """Yield the CAR file of a single block, whatever it links to."""
    yield _section(_header([cid]))
    yield _section(cid.binary + block)


def read_car(pieces: Iterable[bytes], take: Callable[[Cid, bytes], None]) -> list[Cid]:
    """Read a CAR file from a stream, check every block against its CID, hand it over, and return the roots.

    Parameters
    ----------
    pieces
        The file's bytes, in pieces of any length. No more than one block is kept.
    take
        Called with each block, in the order of the file.

    Raises
    ------
    MalformedCarError
        If the bytes are no CAR file of version 1, break off, or name content of another form than Cairn's.
    CorruptContentError
        If a block is not what its CID names.
    """
    stream = _Stream(pieces)
    length = stream.length()
    if length is None or length > len(_header([])) + 9 + MAXIMUM_ROOTS * (len(_CID_LINK) + BINARY_CID_BYTES):
        raise MalformedCarError(f"its header has {length or 'no'} bytes")
    roots = _parse_header(stream.take(length))
    while (length := stream.length()) is not None:
        if not BINARY_CID_BYTES <= length <= BINARY_CID_BYTES + MAXIMUM_BLOCK_BYTES:
            raise MalformedCarError(
                f"a block with its CID has {length} bytes, at most {MAXIMUM_BLOCK_BYTES} and 36 fit"
            )
        data = stream.take(length)
        cid = _cid(data[:BINARY_CID_BYTES])
        block = data[BINARY_CID_BYTES:]
        require_block(cid, block)
        take(cid, block)
    return roots


def import_car(pieces: Iterable[bytes], store: WritableStore) -> list[Cid]:
    """Take a CAR file into a store, its roots last and only if each is whole, and return the roots.

    Parameters
    ----------
    pieces
        The file's bytes.
    store
        Where the blocks go.

    Raises
    ------
    MalformedCarError, CorruptContentError
        As `read_car`; what was taken before stays, without a root.
    ContentMissingError
        If a root or a block under it is neither in the file nor in the store.
    StorageError
        If the store does not take a block.
    """
    nodes: dict[Cid, bytes] = {}
    room = _MAXIMUM_NODES_BYTES

    def take(cid: Cid, block: bytes) -> None:
        nonlocal room
        # A node that may be a root must not be found while what is under it is missing; leaves are most of a file.
        if cid.is_raw:
            store.put_block(cid, block)
            return
        nodes[cid] = block
        room -= len(block)
        if room < 0:
            raise MalformedCarError(f"it has more than {_MAXIMUM_NODES_BYTES} bytes of nodes")

    def find(cid: Cid) -> bytes:
        return nodes[cid] if cid in nodes else store.get_block(cid)

    roots = read_car(pieces, take)
    for root in roots:
        below = list(file_blocks(root, find, _NO_LIMIT))
        for each in below:
            if each.cid.is_raw:
                read_leaf(each, find)
        # From the leaves to the root, which comes last.
        for each in reversed(below):
            if each.cid in nodes:
                store.put_block(each.cid, nodes[each.cid])
    return roots


class _Stream:
    """Bytes that come in pieces, taken in other pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._buffer = bytearray()

    def take(self, count: int) -> bytes:
        """Return exactly so many bytes."""
        if not self._fill(count):
            raise MalformedCarError(f"it ends after {len(self._buffer)} of {count} bytes")
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def length(self) -> int | None:
        """Return the number that comes next, an unsigned LEB128 in its shortest form; None at the end."""
        if not self._fill(1):
            return None
        value = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and shift:
                    break
                return value
        raise MalformedCarError("a length in it is not written as it must be")

    def _fill(self, count: int) -> bool:
        """Read until there are so many bytes; tell whether there are."""
        while len(self._buffer) < count:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._buffer += piece
        return True


def _section(data: bytes) -> bytes:
    return varint(len(data)) + data


def _header(roots: Sequence[Cid]) -> bytes:
    links = b"".join(_CID_LINK + root.binary for root in roots)
    return _MAP_ROOTS + _array(len(roots)) + links + _VERSION_1


def _parse_header(header: bytes) -> list[Cid]:
    """Return the roots; the header is encoded again and compared, so that only one encoding is accepted."""
    if header == _VERSION_2_HEADER:
        raise MalformedCarError("it has version 2, and only version 1 is read")
    size = len(_CID_LINK) + BINARY_CID_BYTES
    count = max(0, len(header) - len(_MAP_ROOTS) - len(_VERSION_1) - 1) // size
    start = len(_MAP_ROOTS) + len(_array(count))
    links = [header[start + k * size : start + (k + 1) * size] for k in range(count)]
    roots = [_cid(link[len(_CID_LINK) :]) for link in links]
    if not roots or _header(roots) != header:
        raise MalformedCarError("its header is not that of version 1 with roots of CIDv1, raw or dag-pb, sha2-256")
    return roots


def _array(count: int) -> bytes:
    """Return the head of a CBOR array in its shortest form."""
    if count < 24:
        return bytes([0x80 | count])
    if count < 1 << 8:
        return bytes([0x98, count])
    return b"\x99" + count.to_bytes(2, "big")


def _cid(binary: bytes) -> Cid:
    try:
        return parse_binary_cid(binary)
    except MalformedCidError as fault:
        raise MalformedCarError(
            f"it names content of another form than CIDv1, raw or dag-pb, sha2-256 ({fault.shown})"
        ) from fault
