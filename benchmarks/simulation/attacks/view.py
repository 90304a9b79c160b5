"""What attackers know when they choose what to send in a round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contribution.outcome import RuleOutcome

Vector = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AttackView:
    """One round as k colluding attackers see it; arrays are float64, in units of the model's parameters.

    An update is the change of the parameters that a trainer proposes, so that adding the mean of honest updates to
    the model is one step of federated averaging.

    Attributes
    ----------
    round
        Counted from 1.
    rounds
        Rounds of the job.
    trainers
        n, everybody, attackers included; public.
    own
        Shape (k, d): what each attacker would have sent after training on its own data, which are poisoned if the
        attack poisons data.
    first_own
        Shape (k, d): `own` of round 1.
    honest
        Shape (h, d): the others' updates of this round, or None. In the market nobody sees them before it has
        committed to its own; an attack that needs them bounds what any attacker could do.
    model
        Shape (d,): parameters at the beginning of the round; public.
    initial_model
        Shape (d,): parameters before round 1; public.
    last_aggregate
        Shape (d,): the step that the model made in the last round that was not void; zeros before; public.
    generator
        The attackers' source of randomness.
    decide
        The rule's outcome if the attackers sent the given (k, d) updates and everybody else what they send, or None.
        The outcome's tuples list the trainers of `honest` in order, then the attackers in order.
    strength
        The attack's one free number; what it means is said by each attack.
    """

    round: int
    rounds: int
    trainers: int
    own: Vectors
    first_own: Vectors
    honest: Vectors | None
    model: Vector
    initial_model: Vector
    last_aggregate: Vector
    generator: np.random.Generator
    decide: Callable[[Vectors], RuleOutcome] | None
    strength: float

    @property
    def attackers(self) -> int:
        """k, number of attackers."""
        return len(self.own)

    @property
    def dimension(self) -> int:
        """d, number of parameters."""
        return int(self.model.size)
