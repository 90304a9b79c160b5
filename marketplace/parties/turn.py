"""One worker at a time in a workspace: two would overwrite each other's files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from contribution.errors import CairnError

_LOCK: Final = "lock"


class WorkspaceError(CairnError):
    """Thrown when a workspace can't be used."""


class WorkspaceBusyError(WorkspaceError):
    """Thrown when another process works in a workspace.

    Attributes
    ----------
    workspace
        The directory.
    """

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        super().__init__(
            f"Another process works in {workspace} at this moment, and this one leaves the work to it. If there "
            "should be one alone, stop the other."
        )


@contextmanager
def turn(workspace: Path) -> Iterator[None]:
    """Be the only one who works in a workspace while the context lasts: in this process and among all others.

    The operating system ends a turn however its process ends.

    Parameters
    ----------
    workspace
        A party's directory, created if it is missing, for the user alone.

    Raises
    ------
    WorkspaceBusyError
        If it is another's turn.
    WorkspaceError
        If the directory can't be used.
    """
    try:
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(workspace / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as fault:
        raise WorkspaceError(
            f"Can't keep anything in {workspace} ({fault.strerror}); make it writable or name another workspace."
        ) from fault
    try:
        _lock(descriptor, workspace)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, workspace: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WorkspaceBusyError(workspace) from None
