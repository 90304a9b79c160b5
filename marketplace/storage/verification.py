"""Content read again from beginning to end, to see whether it is still what its CIDs name."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from marketplace.errors import StorageError
from marketplace.storage.cid import Cid
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.store import ContentReader
from marketplace.storage.unixfs import file_blocks, read_leaf

_NO_LIMIT: Final = 1 << 62


@dataclass
class Verification:
    """What was read again.

    Attributes
    ----------
    checked
        Blocks that are what their CIDs name.
    faults
        A sentence for each that is not, or is missing.
    """

    checked: int = 0
    faults: list[str] = field(default_factory=list)


def verify_files(store: ContentReader, cids: Iterable[Cid]) -> Verification:
    """Read files whole; of each, the first block that is missing or wrong is told."""
    result = Verification()
    for cid in cids:
        try:
            for block in file_blocks(cid, store.get_block, _NO_LIMIT):
                if block.cid.is_raw:
                    read_leaf(block, store.get_block)
                result.checked += 1
        except StorageError as fault:
            result.faults.append(str(fault))
    return result


def verify_directory(store: DirectoryStore) -> Verification:
    """Read every block of a directory, and see that under every pin all is there."""
    result = Verification()
    for cid in store.blocks():
        try:
            store.get_block(cid)
            result.checked += 1
        except StorageError as fault:
            result.faults.append(str(fault))
    told = set(result.faults)
    result.faults += [fault for fault in verify_files(store, store.pins()).faults if fault not in told]
    return result
