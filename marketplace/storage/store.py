"""Where content is kept: the interface of a content store, and the one that keeps blocks in a directory."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from marketplace.errors import ContentMissingError, CorruptContentError, StorageError
from marketplace.storage.cid import Cid
from marketplace.storage.unixfs import MAXIMUM_BLOCK_BYTES, export_file, import_file

_PIECE_BYTES: Final = 1 << 20


class ContentStore(Protocol):
    """Keeps files by CID. What `get` returns has been checked against the CID, whoever delivered it."""

    def add(self, content: bytes | Path) -> Cid:
        """Keep bytes, or a file's bytes read piece by piece, and return their CID."""
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

    def has(self, cid: Cid) -> bool:
        """Whether the first block of the content is here; it is always the last one written."""
        ...


class UnreadableFileError(StorageError):
    """Thrown when something that should be a plain file is a directory, a link or a device, or can't be read.

    Attributes
    ----------
    path
        What was to be read.
    fault
        What it is instead.
    """

    def __init__(self, path: Path, fault: str) -> None:
        self.path = path
        self.fault = fault
        super().__init__(f"{path} {fault}; give a plain file.")


class UnwritableStoreError(StorageError):
    """Thrown when a block can't be written.

    Attributes
    ----------
    directory
        Of the store.
    fault
        What the operating system says.
    """

    def __init__(self, directory: Path, fault: str) -> None:
        self.directory = directory
        self.fault = fault
        super().__init__(f"Nothing can be kept in {directory} ({fault}); check its space and permissions.")


class DirectoryStore:
    """A content store that keeps every block as one file named by its CID, in one directory that it creates.

    Several processes can share the directory: a block appears complete or not at all. Nothing in it is trusted when it
    is read again.

    Parameters
    ----------
    directory
        Where the blocks are kept.

    Raises
    ------
    UnwritableStoreError
        If the directory can't be created.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableStoreError(directory, str(error)) from error

    def add(self, content: bytes | Path) -> Cid:
        """Keep bytes, or a file's bytes read piece by piece, and return their CID.

        Raises
        ------
        UnreadableFileError
            If the path is not a readable plain file.
        UnwritableStoreError
            If the disk is full or the directory can't be written.
        """
        try:
            cid = import_file(_file_pieces(content) if isinstance(content, Path) else [content], self._put_block)
            self._keep_names()
        except OSError as error:
            raise UnwritableStoreError(self._directory, str(error)) from error
        return cid

    def get(self, cid: Cid, max_bytes: int) -> bytes:
        """Return the bytes that a CID names; see `ContentStore.get`."""
        return export_file(cid, self._get_block, max_bytes)

    def has(self, cid: Cid) -> bool:
        """Whether the first block of the content is here and intact."""
        try:
            return cid.names(self._get_block(cid))
        except StorageError:
            return False

    def _keep_names(self) -> None:
        """Write the directory itself to disk, or a power cut could lose blocks whose CID was promised to others."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _path(self, cid: Cid) -> Path:
        """Return the file of a block; a CID's text is 59 letters and digits, so it can't point anywhere else."""
        return self._directory / str(cid)

    def _put_block(self, cid: Cid, block: bytes) -> None:
        """Write a block under a temporary name and rename it, unless it is there already."""
        if self.has(cid):
            return
        descriptor, temporary = tempfile.mkstemp(dir=self._directory, prefix=".writing-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(block)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path(cid))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _get_block(self, cid: Cid) -> bytes:
        """Read a block's file, refusing links, devices and oversized files; its hash is checked by the caller."""
        try:
            with _open_plain(self._path(cid)) as file:
                block = file.read(MAXIMUM_BLOCK_BYTES + 1)
        except FileNotFoundError as error:
            raise ContentMissingError(str(cid), str(self._directory)) from error
        except UnreadableFileError as error:
            raise CorruptContentError(str(cid), f"its file {error.fault}") from error
        if len(block) > MAXIMUM_BLOCK_BYTES:
            fault = f"its file has {self._path(cid).stat().st_size} bytes, a block at most {MAXIMUM_BLOCK_BYTES}"
            raise CorruptContentError(str(cid), fault)
        return block


def _open_plain(path: Path) -> BinaryIO:
    """Open a plain file for reading, following no link at its end and waiting for no pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        fault = "is a symbolic link" if error.errno == errno.ELOOP else f"can't be read ({error.strerror})"
        raise UnreadableFileError(path, fault) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableFileError(path, "is no plain file")
    return os.fdopen(descriptor, "rb")


def _file_pieces(path: Path) -> Iterator[bytes]:
    """Read a plain file piece by piece."""
    try:
        file = _open_plain(path)
    except FileNotFoundError as error:
        raise UnreadableFileError(path, "does not exist") from error
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
