"""Content written to a file as it comes, so that it fits into little memory and an interruption costs little."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from marketplace.errors import StorageError
from marketplace.storage.cid import Cid
from marketplace.storage.unixfs import FileBlock, GetBlock, file_blocks, read_leaf


class UnwritableFileError(StorageError):
    """Thrown when a file can't be written, or not to its end.

    Attributes
    ----------
    path
        The file.
    fault
        What the operating system says.
    """

    def __init__(self, path: Path, fault: str) -> None:
        self.path = path
        self.fault = fault
        super().__init__(
            f"{path} can't be written ({fault}); make space or name another file. The same command goes on where this "
            "one ended."
        )


def download(cid: Cid, get_block: GetBlock, path: Path, max_bytes: int, progress: Callable[[int, int], None]) -> int:
    """Write a file block by block and return its length.

    What has come lies in `.NAME.CID.part` beside the file until all is there; a later call hashes it again, piece by
    piece, and fetches what is missing or wrong. The file itself appears whole or not at all.

    Parameters
    ----------
    cid, get_block, max_bytes
        As for `export_file`.
    path
        Where the content goes; a file that is there is replaced.
    progress
        Called after each leaf with the bytes that are done and those of the whole.

    Raises
    ------
    StorageError
        As `export_file`.
    UnwritableFileError
        If the disk is full, or the file can't be written for another reason; what has come stays.
    """
    partial = path.with_name(f".{path.name}.{cid}.part")
    blocks = file_blocks(cid, get_block, max_bytes)
    size = 0
    try:
        with _open_partial(partial) as file:
            for block in blocks:
                size = max(size, block.size)
                if block.cid.is_raw:
                    _write_leaf(file, block, get_block)
                    progress(block.offset + block.size, size)
            file.truncate(size)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise UnwritableFileError(path, error.strerror or str(error)) from error
    return size


def _open_partial(path: Path) -> BinaryIO:
    """Open what an earlier call left, or an empty file; a link in its place is not followed."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    return os.fdopen(descriptor, "r+b")


def _write_leaf(file: BinaryIO, leaf: FileBlock, get_block: GetBlock) -> None:
    """Write a leaf to its place, unless it is there already."""
    file.seek(leaf.offset)
    if leaf.size and leaf.cid.names(file.read(leaf.size)):
        return
    block = read_leaf(leaf, get_block)
    file.seek(leaf.offset)
    file.write(block)
