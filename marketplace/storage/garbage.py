"""What a directory may forget: blocks that nothing pinned or named needs, and that are not new."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from marketplace.errors import StorageError
from marketplace.storage.cid import Cid
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.unixfs import GetBlock, linked_cids

# What was written so recently is kept: the transaction that names it may still be under way.
GRACE_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True)
class Collected:
    """What was found.

    Attributes
    ----------
    needed
        Blocks that a pin or a named file needs.
    young
        Other blocks, too new to be removed.
    removed, removed_bytes
        The rest, or what would be removed.
    """

    needed: int
    young: int
    removed: int
    removed_bytes: int


def collect_garbage(
    store: DirectoryStore, roots: Iterable[Cid], grace_seconds: float = GRACE_SECONDS, *, only_look: bool = False
) -> Collected:
    """Remove every block that is neither under a pin, nor under a named file, nor new.

    Waits for whoever is writing, and keeps others from it meanwhile: of what is just being added, no root may be there
    yet, and a block that is there already may be counted on.

    Parameters
    ----------
    store
        Where.
    roots
        Files that are kept, as far as they are there.
    grace_seconds
        How long a block is new after it was last added.
    only_look
        Whether to count only.

    Raises
    ------
    UnwritableStoreError
        If a block can't be removed.
    """
    named = list(roots)
    needed = young = removed = removed_bytes = 0
    with store.alone():
        kept = reachable([*store.pins(), *named], store.get_block)
        oldest = time.time() - grace_seconds
        for cid in store.blocks():
            status = store.status_of(cid)
            if status is None:
                continue
            if cid in kept:
                needed += 1
            elif status.st_mtime > oldest:
                young += 1
            else:
                removed += 1
                removed_bytes += status.st_size
                if not only_look:
                    store.remove_block(cid)
        if not only_look:
            store.remove_unfinished()
    return Collected(needed, young, removed, removed_bytes)


def reachable(roots: Iterable[Cid], get_block: GetBlock) -> set[Cid]:
    """Return the CIDs of files and all below them; where a node is missing or damaged, only what the others link to."""
    found: set[Cid] = set()
    waiting = list(roots)
    while waiting:
        cid = waiting.pop()
        if cid in found:
            continue
        found.add(cid)
        if not cid.is_raw:
            try:
                waiting += linked_cids(cid, get_block(cid))
            except StorageError:
                # Nothing more can be known; what is under it is refetched with it.
                continue
    return found
