"""What all rules share: the matrix they accept, who passes their filters, and what a void round looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from contribution.errors import RuleInputError
from contribution.gram import GramMatrix
from contribution.outcome import Decision, Reason, RuleOutcome

MAX_TRAINERS: Final = 255
# The aggregate of fewer hides nobody.
MIN_KEPT: Final = 3


@dataclass(frozen=True)
class Candidates:
    """Who passed a rule's filters.

    Attributes
    ----------
    indices
        Those who did, ascending.
    dropped
        What became of the others.
    tolerated
        f', how many of `indices` may still be faulty.
    reference_used
        Whether the reference decides about them.
    """

    indices: list[int]
    dropped: dict[int, Decision]
    tolerated: int
    reference_used: bool


def checked_matrix(
    gram: GramMatrix | Sequence[Sequence[int]], trainers: int, references: int, tolerated: int
) -> list[list[int]]:
    """Return the matrix in Python integers, refusing numbers that no round can have."""
    matrix = gram.tolist() if isinstance(gram, np.ndarray) else [list(row) for row in gram]
    if not 1 <= trainers <= MAX_TRAINERS or references < 0 or tolerated < 0:
        raise RuleInputError(
            f"a round has 1..{MAX_TRAINERS} trainers and no negative number of anything, not {trainers} trainers, "
            f"{references} references and {tolerated} tolerated; take the numbers from the settlement"
        )
    rows = trainers + references
    if len(matrix) != rows or any(len(row) != rows for row in matrix):
        raise RuleInputError(
            f"{trainers} trainers and {references} references need a matrix of {rows} x {rows}, this one has "
            f"{len(matrix)} rows of {sorted({len(row) for row in matrix})} entries; unpack it with these numbers"
        )
    return matrix


def remaining(trainers: int, tolerated: int, dropped: dict[int, Decision], reference_used: bool) -> Candidates:
    """Describe those not dropped; each dropped update is taken for one of the faulty ones."""
    indices = [i for i in range(trainers) if i not in dropped]
    return Candidates(indices, dropped, max(0, tolerated - len(dropped)), reference_used)


def void_outcome(candidates: Candidates, trainers: int, decisions: dict[int, Decision]) -> RuleOutcome:
    """Return the outcome of a void round: no weights, no contributions, and what is known of the reasons."""
    known = {**candidates.dropped, **{i: d for i, d in decisions.items() if d.reason is not Reason.KEPT}}
    nothing = (0,) * trainers
    return RuleOutcome(
        weights=nothing,
        contributions=nothing,
        decisions=tuple(known.get(i, Decision(Reason.ROUND_VOID)) for i in range(trainers)),
        reference_used=candidates.reference_used,
        candidates=len(candidates.indices),
        tolerated=candidates.tolerated,
    )
