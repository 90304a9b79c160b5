"""What a rule returns: weights, contributions, and for each trainer the reason and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a trainer is in the aggregate, or not."""

    KEPT = "kept"
    ZERO_UPDATE = "zero update"
    DUPLICATE = "duplicate"
    REFERENCE_FILTER = "reference filter"
    MULTI_KRUM = "multi-Krum"
    CLIPPED_AWAY = "clipped away"
    NO_GAIN = "no gain"
    ROUND_VOID = "round void"


@dataclass(frozen=True)
class Decision:
    """One trainer's fate.

    Attributes
    ----------
    reason
        What decided.
    measured, limit
        The number that was compared and what it was compared with; None where nothing was. Duplicate: index of the
        first row that it copies, or that copies it, and its own. Reference filter: inner product with the reference,
        and 0. Multi-Krum, and kept by it: score, and the largest score kept. Clipped away: clip factor, and the
        smallest that gives a weight. No gain, and kept for gain: slope (see `contribution.mixture`), and the lowest of
        those with a weight.
    """

    reason: Reason
    measured: int | None = None
    limit: int | None = None


@dataclass(frozen=True)
class RuleOutcome:
    """A round as the rule decides it; the tuples are parallel to the trainers.

    Attributes
    ----------
    weights
        Weights in the aggregate in units of 2^-16; their sum is at most 2^16; all 0 if the round is void.
    contributions
        Shapley values in units of 2^-32 of the unit of the gains; 0 for those not kept.
    decisions
        Why each trainer is kept or not.
    reference_used
        Whether the reference decided who was kept: False without one, or if it was ignored as a filter because it
        would have left too few. Without it nobody earns a strike.
    candidates
        Number of trainers that passed the filters.
    tolerated
        Faulty trainers still tolerated among them.
    """

    weights: tuple[int, ...]
    contributions: tuple[int, ...]
    decisions: tuple[Decision, ...]
    reference_used: bool
    candidates: int
    tolerated: int

    @property
    def void(self) -> bool:
        """Whether nobody has a weight, so that the round counts for nothing."""
        return not any(self.weights)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reason alone, for each trainer."""
        return tuple(decision.reason for decision in self.decisions)
