"""What a content store is: the part that reads, the part that writes, and what every reader does with blocks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from marketplace.errors import StorageError
from marketplace.storage.cid import Cid
from marketplace.storage.download import download
from marketplace.storage.unixfs import GetBlock, export_file

# Told how many bytes of how many are done.
Progress = Callable[[int, int], None]


def no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


class ReadOnlyStoreError(StorageError):
    """Thrown when something is to be kept where nothing can be.

    Attributes
    ----------
    place
        The store.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"Nothing can be kept in {place}: it only gives; name a directory or a Kubo node beside it.")


class ContentReader(Protocol):
    """Gives files by CID. What it returns has been checked against the CID, whoever delivered it."""

    @property
    def label(self) -> str:
        """What messages call it."""
        ...

    def get(self, cid: Cid, max_bytes: int) -> bytes:
        """Return the bytes that a CID names, of which there are at most `max_bytes`.

        Raises
        ------
        ContentMissingError
            If a block of it is not to be had.
        ContentTooLargeError
            If it declares to be larger.
        CorruptContentError
            If what was found is not what the CID names.
        """
        ...

    def fetch(self, cid: Cid, path: Path, max_bytes: int, progress: Progress = no_progress) -> int:
        """Write the bytes that a CID names to a file and return how many; goes on where an interrupted call ended.

        Raises
        ------
        StorageError
            As `get`, or if the file can't be written.
        """
        ...

    def get_block(self, cid: Cid) -> bytes:
        """Return one block, checked.

        Raises
        ------
        StorageError
            If it is not to be had.
        """
        ...

    def has(self, cid: Cid) -> bool:
        """Whether the first block of the content is here; what adds content writes it last."""
        ...


class ContentStore(ContentReader, Protocol):
    """Keeps files by CID, and gives them."""

    def add(self, content: bytes | Path, progress: Progress = no_progress) -> Cid:
        """Keep bytes, or a file's bytes read piece by piece, and return their CID; what is there is not written again.

        Raises
        ------
        StorageError
            If it can't be kept, or not everywhere where it should be.
        """
        ...


@runtime_checkable
class WritableStore(ContentStore, Protocol):
    """A store that can really keep something; a gateway has `add` only to refuse it."""

    def put_block(self, cid: Cid, block: bytes) -> None:
        """Keep a block, which must be the one that the CID names.

        Raises
        ------
        StorageError
            If it is another, or can't be kept.
        """
        ...

    def replicate(self, cid: Cid, get_block: GetBlock) -> None:
        """Take content over from another store, whose blocks are checked, the first one last.

        Raises
        ------
        StorageError
            If a block is not to be had, or can't be kept.
        """
        ...

    def pin(self, cid: Cid) -> None:
        """Keep content, all of which is here, until `unpin`.

        Raises
        ------
        StorageError
            If a block is missing, or the pin can't be kept.
        """
        ...

    def unpin(self, cid: Cid) -> None:
        """Let go of what was pinned; fine if it was not.

        Raises
        ------
        StorageError
            If the store fails.
        """
        ...

    def pins(self) -> Iterable[Cid]:
        """Return what is pinned, in ascending order.

        Raises
        ------
        StorageError
            If the store fails.
        """
        ...


class BlockReader(ABC):
    """A `ContentReader` over whatever gives single blocks."""

    @property
    @abstractmethod
    def label(self) -> str:
        """What messages call the store."""

    @abstractmethod
    def get_block(self, cid: Cid) -> bytes:
        """Return one block, checked; see `ContentReader.get_block`."""

    def get(self, cid: Cid, max_bytes: int) -> bytes:
        """Return the bytes that a CID names; see `ContentReader.get`."""
        return export_file(cid, self.get_block, max_bytes)

    def fetch(self, cid: Cid, path: Path, max_bytes: int, progress: Progress = no_progress) -> int:
        """Write the bytes that a CID names to a file; see `ContentReader.fetch`."""
        return download(cid, self.get_block, path, max_bytes, progress)
