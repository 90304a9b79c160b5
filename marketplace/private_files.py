"""Files for the user alone that are on the disk whole or not at all, whenever the process or the machine stops."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file in place of what was there, and return when the disk has it.

    Only one process at a time may write a file; see `marketplace.parties.turn`.

    Parameters
    ----------
    path
        The file; its directory exists. A killed process leaves `.NAME.new` beside it, for the next to overwrite.
    content
        All of it.

    Raises
    ------
    OSError
        If it can't be written.
    """
    temporary = path.with_name(f".{path.name}.new")
    _write(temporary, os.O_TRUNC, content)
    temporary.replace(path)
    sync_directory(path.parent)


def create_private(path: Path, content: bytes) -> None:
    """Write a new file, and return when the disk has it; of several processes that try at once, one succeeds.

    A process that is killed leaves `.NAME.*.new` beside it.

    Raises
    ------
    FileExistsError
        If there is such a file.
    OSError
        If it can't be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        _write(temporary, os.O_EXCL, content)
        # Unlike renaming, linking replaces nothing.
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Write a directory's names to the disk, or a power cut could lose a file that was just renamed."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, flag: int, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
