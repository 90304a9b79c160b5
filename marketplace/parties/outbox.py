"""What a party sends out, kept on its disk before anything is sent: a crash in between can't make it send another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contribution.errors import CairnError
from marketplace.private_files import sync_directory, write_private
from marketplace.storage.cid import Cid, parse_cid
from marketplace.strict_json import parse_json

_RECORD: Final = "record.json"
_OPENING: Final = "opening.bin"
_ENVELOPE: Final = "envelope.bin"


class OutboxError(CairnError):
    """Thrown when what a party keeps on its disk is incomplete or can't be written."""


@dataclass(frozen=True)
class Parcel:
    """One submission.

    Attributes
    ----------
    round
        The round it was made for.
    commitment
        What the chain gets the hash of: the commitment to each vector, one after the other.
    cid
        Of the envelope.
    opening
        The encoded vectors in clear, with their blinders; they stay here.
    envelope
        The same encrypted, which is published.
    recipient
        The encryption key that it is encrypted to.
    """

    round: int
    commitment: bytes
    cid: Cid
    opening: bytes
    envelope: bytes
    recipient: bytes


class Outbox:
    """The submissions of one account in one job, a directory each; one process at a time writes to it.

    Parameters
    ----------
    directory : Path
        Created if it is missing, for the user alone.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def keep(self, parcel: Parcel) -> None:
        """Write a submission to disk; its record, which makes it count, comes last.

        Raises
        ------
        OutboxError
            If it can't be written.
        """
        place = self._place(parcel.round)
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(self.directory)
            write_private(place / _OPENING, parcel.opening)
            write_private(place / _ENVELOPE, parcel.envelope)
            record = {
                "round": parcel.round,
                "commitment": parcel.commitment.hex(),
                "cid": str(parcel.cid),
                "recipient": parcel.recipient.hex(),
                "published": False,
                "republished": False,
            }
            write_private(place / _RECORD, json.dumps(record, indent=2).encode())
        except OSError as fault:
            raise OutboxError(
                f"Can't keep the submission of round {parcel.round} in {place} ({fault.strerror}); nothing was sent. "
                "Free some space or name another workspace."
            ) from fault

    def find(self, number: int) -> Parcel | None:
        """Return the submission made for a round, or None.

        Raises
        ------
        OutboxError
            If its files are damaged.
        """
        place = self._place(number)
        if not (place / _RECORD).is_file():
            return None
        try:
            record = self._record(number)
            opening, envelope = (place / _OPENING).read_bytes(), (place / _ENVELOPE).read_bytes()
            return Parcel(
                number,
                bytes.fromhex(record["commitment"]),
                parse_cid(record["cid"]),
                opening,
                envelope,
                bytes.fromhex(record["recipient"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise OutboxError(
                f"The submission of round {number} in {place} is damaged ({fault}); restore it from a backup. Without "
                "it the envelope can't be published, and the round counts as missed."
            ) from fault

    def mark_published(self, number: int, *, again: bool = False) -> None:
        """Note that the envelope of a round has left this machine, or left it again because it was missed.

        Raises
        ------
        OutboxError
            If that can't be written; it is published again then, which is harmless.
        """
        record = self._record(number) | {"published": True} | ({"republished": True} if again else {})
        file = self._place(number) / _RECORD
        try:
            write_private(file, json.dumps(record, indent=2).encode())
        except OSError as fault:
            raise OutboxError(
                f"The envelope of round {number} was published, but {file} can't be written ({fault.strerror}), and it "
                "will be published again; free some space."
            ) from fault

    def is_published(self, number: int) -> bool:
        """Tell whether the envelope of a round has left this machine."""
        return bool(self._record(number)["published"])

    def is_republished(self, number: int) -> bool:
        """Tell whether the envelope of a round was published again because it was missed."""
        return bool(self._record(number)["republished"])

    def rounds(self) -> list[int]:
        """Return the rounds for which a submission was made, ascending."""
        return sorted(int(record.parent.name) for record in self.directory.glob(f"*/{_RECORD}"))

    def _place(self, number: int) -> Path:
        return self.directory / f"{number:05d}"

    def _record(self, number: int) -> dict[str, Any]:
        return dict(parse_json((self._place(number) / _RECORD).read_bytes()))
