"""Keeping the index at the chain's last block until somebody stops it, through failures that pass."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from marketplace.chain.errors import ChainError, WrongChainError
from marketplace.index.errors import (
    ConcurrentWriterError,
    DatabaseError,
    LaggingNodeError,
    NodesDisagreeError,
    RestlessChainError,
)
from marketplace.index.indexer import Indexer, Step

LONGEST_PAUSE_SECONDS: Final = 60.0
# Everything else needs somebody to look at it.
_PASSES: Final = (
    ChainError,
    DatabaseError,
    NodesDisagreeError,
    LaggingNodeError,
    RestlessChainError,
    ConcurrentWriterError,
)


def follow(
    indexer: Indexer,
    report: Callable[[str], None],
    *,
    pause: float,
    stop: threading.Event,
    after: Callable[[Step], None] | None = None,
) -> Step | None:
    """Bring the index up to the chain over and over; return the last step that succeeded when told to stop.

    What fails and may pass by itself is reported once and tried again after a pause that doubles up to a minute: nodes
    and databases come back.

    Parameters
    ----------
    indexer
        Who does it.
    report
        Gets what happens, a line each.
    pause
        Seconds between two looks at the chain.
    stop
        Set to stop after the current step.
    after
        Called after every step that succeeded.

    Raises
    ------
    WrongChainError, DeepReorganisationError, ContradictionError
        If going on needs somebody's decision.
    """
    failure, wait, last = "", pause, None
    while not stop.is_set():
        try:
            last = indexer.step()
            if failure:
                report(f"Going on at block {last.pointer.place.number}.")
            failure, wait = "", pause
            if after is not None:
                after(last)
        except WrongChainError:
            raise
        except _PASSES as fault:
            if str(fault) != failure:
                report(f"{fault} Trying again.")
            failure, wait = str(fault), min(2 * wait, LONGEST_PAUSE_SECONDS)
        stop.wait(wait)
    return last
