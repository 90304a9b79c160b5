"""Envelopes that the aggregator has fetched, kept on its disk until their round is settled.

Who takes an envelope away again after it was accepted can't keep the aggregator from settling, not even across a
restart. They stay encrypted.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from eth_typing import ChecksumAddress

from contribution.errors import CairnError
from marketplace.private_files import write_private
from marketplace.storage.cid import Cid
from marketplace.storage.unixfs import cid_of

_DIRECTORY: Final = "envelopes"


class KeptEnvelopeError(CairnError):
    """Thrown when an envelope can't be kept on the disk."""


def keep_envelope(workspace: Path, number: int, account: ChecksumAddress, envelope: bytes) -> None:
    """Keep an envelope of a round.

    Raises
    ------
    KeptEnvelopeError
        If it can't be written.
    """
    place = _place(workspace, number)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(place / account, envelope)
    except OSError as fault:
        raise KeptEnvelopeError(
            f"Can't keep an envelope of round {number} in {place} ({fault.strerror}); free some space or name another "
            "workspace."
        ) from fault


def find_envelope(workspace: Path, number: int, account: ChecksumAddress, cid: Cid) -> bytes | None:
    """Return a kept envelope, or None if there is none with this CID: then it is fetched again."""
    try:
        envelope = (_place(workspace, number) / account).read_bytes()
    except OSError:
        return None
    return envelope if cid_of(envelope) == cid else None


def forget_envelopes(workspace: Path, before: int) -> None:
    """Remove what was kept for the rounds before one."""
    for place in (workspace / _DIRECTORY).glob("*"):
        if place.name.isdecimal() and int(place.name) < before:
            shutil.rmtree(place, ignore_errors=True)


def _place(workspace: Path, number: int) -> Path:
    return workspace / _DIRECTORY / f"{number:05d}"
