"""Several stores as one: what one lacks, the next is asked for, and what is kept is kept in all that can."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from marketplace.errors import ContentMissingError, StorageError
from marketplace.storage.cid import Cid
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.http import StoreUnreachableError
from marketplace.storage.store import (
    BlockReader,
    ContentStore,
    Progress,
    ReadOnlyStoreError,
    WritableStore,
    no_progress,
)
from marketplace.storage.unixfs import GetBlock

# How long a store that did not answer is left alone, so that it does not hold up every single block.
REST_SECONDS: Final = 30.0


class SeveralFaultsError(StorageError):
    """Thrown when each of several stores failed in a way of its own.

    Attributes
    ----------
    faults
        What each says.
    """

    def __init__(self, what: str, faults: Sequence[StorageError]) -> None:
        self.faults = [str(fault) for fault in faults]
        super().__init__(f"{what}: {' '.join(self.faults)}")


class LayeredStore(BlockReader):
    """Reads from the first store that has a block, and keeps a copy in the first directory among them.

    Parameters
    ----------
    layers : sequence of ContentStore
        In the order in which they are asked; at least one.
    clock
        Seconds that only grow.
    """

    def __init__(self, layers: Sequence[ContentStore], clock: Callable[[], float] = time.monotonic) -> None:
        self.layers = tuple(layers)
        self._cache = next((layer for layer in layers if isinstance(layer, DirectoryStore)), None)
        self._clock = clock
        self._resting: dict[int, float] = {}

    @property
    def label(self) -> str:
        """All their labels."""
        return ", ".join(layer.label for layer in self.layers)

    @property
    def writable(self) -> list[WritableStore]:
        """Those that can keep something: all but gateways."""
        return [layer for layer in self.layers if isinstance(layer, WritableStore)]

    def add(self, content: bytes | Path, progress: Progress = no_progress) -> Cid:
        """Keep content in every store that can; see `ContentStore.add`.

        Raises
        ------
        ReadOnlyStoreError
            If none can.
        StorageError
            If one of them fails; the others were tried all the same. Adding again is harmless.
        """
        cids: list[Cid] = []
        self._each(lambda layer: cids.append(layer.add(content, progress)))
        return cids[0]

    def get_block(self, cid: Cid) -> bytes:
        """Return one block from the first store that has it; see `ContentReader.get_block`."""
        faults: list[StorageError] = []
        for place, layer in enumerate(self.layers):
            if self._clock() < self._resting.get(place, 0.0):
                faults.append(
                    StoreUnreachableError(layer.label, f"did not answer within the last {REST_SECONDS:.0f} s")
                )
                continue
            try:
                block = layer.get_block(cid)
            except StoreUnreachableError as fault:
                self._resting[place] = self._clock() + REST_SECONDS
                faults.append(fault)
            except StorageError as fault:
                faults.append(fault)
            else:
                if self._cache is not None and layer is not self._cache:
                    self._cache.put_block(cid, block)
                return block
        if all(isinstance(fault, ContentMissingError) for fault in faults):
            raise ContentMissingError(str(cid), self.label)
        told = [fault for fault in faults if not isinstance(fault, ContentMissingError)]
        raise _as_one(f"Content {cid} can't be had", told)

    def put_block(self, cid: Cid, block: bytes) -> None:
        """Keep one block in every store that can; see `WritableStore.put_block`."""
        self._each(lambda layer: layer.put_block(cid, block))

    def replicate(self, cid: Cid, get_block: GetBlock) -> None:
        """Take content over into every store that can keep it; see `WritableStore.replicate`."""
        self._each(lambda layer: layer.replicate(cid, get_block))

    def pin(self, cid: Cid) -> None:
        """Pin content in every store that can; see `WritableStore.pin`."""
        self._each(lambda layer: layer.pin(cid))

    def unpin(self, cid: Cid) -> None:
        """Let go of content in every store that can; see `WritableStore.unpin`."""
        self._each(lambda layer: layer.unpin(cid))

    def pins(self) -> list[Cid]:
        """Return what is pinned in any of the stores, in ascending order."""
        return sorted({cid for layer in self.writable for cid in layer.pins()})

    def _each(self, do: Callable[[WritableStore], None]) -> None:
        """Do something with every store that can keep something, though some fail; tell those that did."""
        if not self.writable:
            raise ReadOnlyStoreError(self.label)
        faults = []
        for layer in self.writable:
            try:
                do(layer)
            except StorageError as fault:
                faults.append(fault)
        if faults:
            raise _as_one("Not done everywhere", faults)

    def has(self, cid: Cid) -> bool:
        """Whether every store that can keep something has the first block; if none can, whether any gives it."""
        asked, enough = (self.writable, all) if self.writable else (self.layers, any)
        return enough(layer.has(cid) for layer in asked)


def _as_one(what: str, faults: Sequence[StorageError]) -> StorageError:
    """Return one fault as it is, several as one."""
    return faults[0] if len(faults) == 1 else SeveralFaultsError(what, faults)
