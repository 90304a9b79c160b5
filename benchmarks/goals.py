"""What a benchmark is judged by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """What was aimed at and what came out; `met` if `measured` is at most `limit`."""

    name: str
    measured: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.measured <= self.limit
