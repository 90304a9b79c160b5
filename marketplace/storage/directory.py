"""The embedded content store: every block a file, in one directory."""

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from marketplace.errors import ContentMissingError, CorruptContentError, MalformedCidError, StorageError
from marketplace.storage.cid import Cid, parse_cid
from marketplace.storage.store import BlockReader, Progress, no_progress
from marketplace.storage.unixfs import MAXIMUM_BLOCK_BYTES, GetBlock, file_blocks, import_file, read_leaf, require_block

_PIECE_BYTES: Final = 1 << 20
_WRITING: Final = ".writing-"
_PINS: Final = "pins"
_NO_LIMIT: Final = 1 << 62


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


class DirectoryStore(BlockReader):
    """A content store that keeps every block as one file named by its CID, in one directory that it creates.

    Several processes can share the directory: a block appears complete or not at all. Nothing in it is trusted when it
    is read again. Pins are empty files, named by CID, in its directory `pins`.

    Who writes holds a shared lock on the directory meanwhile; `alone` waits for an exclusive one, so that nothing is
    collected while content is only half there.

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

    @property
    def directory(self) -> Path:
        """Where the blocks are kept."""
        return self._directory

    @property
    def label(self) -> str:
        """The directory's path."""
        return str(self._directory)

    def add(self, content: bytes | Path, progress: Progress = no_progress) -> Cid:
        """Keep bytes, or a file's bytes read piece by piece, and return their CID.

        Raises
        ------
        UnreadableFileError
            If the path is not a readable plain file.
        UnwritableStoreError
            If the disk is full or the directory can't be written.
        """
        try:
            with self._lock(fcntl.LOCK_SH):
                cid = import_file(pieces_of(content, progress), self._put_block)
                self._keep_names()
        except OSError as error:
            raise UnwritableStoreError(self._directory, str(error)) from error
        return cid

    def put_block(self, cid: Cid, block: bytes) -> None:
        """Keep one block; see `WritableStore.put_block`."""
        require_block(cid, block)
        try:
            with self._lock(fcntl.LOCK_SH):
                self._put_block(cid, block)
        except OSError as error:
            raise UnwritableStoreError(self._directory, str(error)) from error

    def replicate(self, cid: Cid, get_block: GetBlock) -> None:
        """Take content over from another store; see `WritableStore.replicate`."""
        blocks = list(file_blocks(cid, get_block, _NO_LIMIT))
        try:
            with self._lock(fcntl.LOCK_SH):
                for each in reversed(blocks):
                    self._put_block(each.cid, read_leaf(each, get_block) if each.block is None else each.block)
                self._keep_names()
        except OSError as error:
            raise UnwritableStoreError(self._directory, str(error)) from error

    def get_block(self, cid: Cid) -> bytes:
        """Return one block, checked; see `ContentReader.get_block`."""
        block = self._get_block(cid)
        require_block(cid, block)
        return block

    def has(self, cid: Cid) -> bool:
        """Whether the first block of the content is here and intact."""
        try:
            return cid.names(self._get_block(cid))
        except StorageError:
            return False

    def pin(self, cid: Cid) -> None:
        """Keep content, all of which is here; see `WritableStore.pin`."""
        try:
            with self._lock(fcntl.LOCK_SH):
                for block in file_blocks(cid, self._get_block, _NO_LIMIT):
                    self.get_block(block.cid)
                (self._directory / _PINS).mkdir(exist_ok=True)
                (self._directory / _PINS / str(cid)).touch()
        except OSError as error:
            raise UnwritableStoreError(self._directory, str(error)) from error

    def unpin(self, cid: Cid) -> None:
        """Let go of what was pinned; see `WritableStore.unpin`."""
        try:
            (self._directory / _PINS / str(cid)).unlink(missing_ok=True)
        except OSError as error:
            raise UnwritableStoreError(self._directory, str(error)) from error

    def pins(self) -> list[Cid]:
        """Return what is pinned, in ascending order."""
        return _cids_in(self._directory / _PINS)

    def blocks(self) -> list[Cid]:
        """Return the CIDs of all blocks, in ascending order, whatever their files hold."""
        return _cids_in(self._directory)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every writer out meanwhile; waits until those at work are done.

        Raises
        ------
        UnwritableStoreError
            If the directory can't be locked, or what is done meanwhile fails in it.
        """
        try:
            with self._lock(fcntl.LOCK_EX):
                yield
        except OSError as error:
            raise UnwritableStoreError(self._directory, str(error)) from error

    def status_of(self, cid: Cid) -> os.stat_result | None:
        """Return what the file system says about a block's file; None if there is none."""
        try:
            return self._path(cid).lstat()
        except FileNotFoundError:
            return None

    def remove_block(self, cid: Cid) -> None:
        """Remove a block; only while `alone`, and never if something that is kept needs it."""
        self._path(cid).unlink(missing_ok=True)

    def remove_unfinished(self) -> None:
        """Remove what killed writers left; only while `alone`."""
        for path in self._directory.glob(f"{_WRITING}*"):
            path.unlink(missing_ok=True)

    @contextmanager
    def _lock(self, kind: int) -> Iterator[None]:
        """Hold a lock on the directory; the system lets go of it if the process dies."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)

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
        """Write a block under a temporary name and rename it; one that is there already counts as written now."""
        if self.has(cid):
            os.utime(self._path(cid))
            return
        descriptor, temporary = tempfile.mkstemp(dir=self._directory, prefix=_WRITING)
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


def pieces_of(content: bytes | Path, progress: Progress = no_progress) -> Iterator[bytes]:
    """Yield bytes, or those of a plain file piece by piece.

    Raises
    ------
    UnreadableFileError
        If the path is not a readable plain file.
    """
    done, size = 0, _size_of(content)
    for piece in _file_pieces(content) if isinstance(content, Path) else [content]:
        yield piece
        done += len(piece)
        progress(done, max(done, size))


def _size_of(content: bytes | Path) -> int:
    """Return a number of bytes, for display; 0 if the file is none, which is told when it is read."""
    if isinstance(content, bytes):
        return len(content)
    try:
        return content.stat().st_size
    except OSError:
        return 0


def _cids_in(directory: Path) -> list[Cid]:
    """Return the CIDs among a directory's names, in ascending order; none if there is no such directory."""
    cids = []
    try:
        names = os.listdir(directory)  # noqa: PTH208 - a store has many names and needs no paths for them
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableFileError(directory, f"can't be listed ({error.strerror})") from error
    for name in names:
        try:
            cids.append(parse_cid(name))
        except MalformedCidError:
            # Pins, and what is just being written.
            continue
    return sorted(cids)


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
