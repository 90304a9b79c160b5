"""What the index knows of a job between two events: the market's twin, and each trainer's tally."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from eth_typing import ChecksumAddress
from pydantic import ConfigDict, TypeAdapter

from marketplace.audit.replay.state import JobTwin


@dataclass
class Tally:
    """A trainer's part in a job so far; the attributes are those of `tables.Seat`, amounts in wei."""

    joined_block: int
    joined_time: int
    from_round: int
    left_round: int | None = None
    removed: int | None = None
    submitted: int = 0
    kept: int = 0
    dropped: int = 0
    excluded: int = 0
    earned: int = 0
    burned: int = 0


@dataclass
class JobState:
    """A job after a block.

    Attributes
    ----------
    twin
        As its events say it stands.
    block
        The last block that held one of them.
    tallies
        By trainer.
    paid
        What trainers were credited for settled rounds that stand, in wei.
    """

    # Bytes have no form of their own in JSON.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="hex", val_json_bytes="hex")

    twin: JobTwin
    block: int
    tallies: dict[ChecksumAddress, Tally] = field(default_factory=dict)
    paid: int = 0

    def encode(self) -> str:
        """Return the state as JSON."""
        return _ADAPTER.dump_json(self).decode()


def decode_state(text: str) -> JobState:
    """Read what `JobState.encode` wrote."""
    return _ADAPTER.validate_json(text)


_ADAPTER: Final = TypeAdapter(JobState)
