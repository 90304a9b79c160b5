"""Each party's own small disk, which can be filled to its last byte."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

DISK_MIB: Final = 24
_FILLING: Final = ".filling"
_PIECE: Final = bytes(1 << 16)
_NAMESPACE: Final = "CAIRN_SOAK_NAMESPACE"


class NoDisksError(Exception):
    """Thrown when this machine lets nobody mount small disks."""


def enter_namespace(module: str, arguments: Sequence[str]) -> None:
    """Run a module again where mounting is allowed and nobody else sees it; return if this already is there.

    Raises
    ------
    NoDisksError
        If the operating system does not allow it.
    """
    if os.environ.get(_NAMESPACE):
        return
    unshare = shutil.which("unshare")
    if unshare is None:
        raise NoDisksError("there is no unshare (Linux, util-linux), with which every party gets a disk of its own")
    options = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    tried = subprocess.run([unshare, *options, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise NoDisksError(f"unshare {' '.join(options)} is refused here: {tried.stderr.strip()}")
    command = [unshare, *options, sys.executable, "-m", module, *arguments]
    os.execve(unshare, command, {**os.environ, _NAMESPACE: "1"})  # noqa: S606 - itself


@contextmanager
def mounted_disk(place: Path) -> Iterator[Path]:
    """Mount an empty disk of `DISK_MIB` in a new directory while the context lasts."""
    place.mkdir(parents=True)
    size = f"size={DISK_MIB}m,mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "cairn-soak", str(place)], check=True)
    try:
        yield place
    finally:
        # Whatever still has a file open there keeps it; the place itself is free at once.
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> None:
    """Take every byte that a disk has left."""
    descriptor = os.open(place / _FILLING, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    piece = _PIECE
    try:
        while piece:
            try:
                os.write(descriptor, piece)
            except OSError as fault:
                if fault.errno != errno.ENOSPC:
                    raise
                piece = piece[: len(piece) // 2]
    finally:
        os.close(descriptor)


def free(place: Path) -> None:
    """Give back what `fill` took."""
    (place / _FILLING).unlink(missing_ok=True)
