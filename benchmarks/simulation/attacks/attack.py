"""What an attack is: where it comes from, what it must know, what it is after, and how it makes updates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from benchmarks.simulation.attacks.view import AttackView, Vectors
from contribution.errors import CairnError
from marketplace.training.data import Dataset

Craft = Callable[[AttackView], Vectors]
Poison = Callable[[Sequence[Dataset], np.random.Generator], Sequence[Dataset]]


class AttackError(CairnError):
    """An attack was asked to craft updates from a view that lacks what it needs."""


class Knowledge(StrEnum):
    """What an attack needs beyond what the chain tells everybody; each level includes those before."""

    NONE = "public"
    OWN = "own updates"
    OMNISCIENT = "this round's honest updates"
    ADAPTIVE = "this round's honest updates and the rule"


class Aim(StrEnum):
    """What the attackers are after.

    Who works honestly and wants more for it is not judged by its share of the pay, but by how much more that is than
    without the trick.
    """

    POISON = "a worse model"
    FREE_RIDE = "pay without contribution"
    INFLATE = "more pay for honest work"


def _unchanged(datasets: Sequence[Dataset], _: np.random.Generator) -> Sequence[Dataset]:
    """Return the data as they are."""
    return datasets


@dataclass(frozen=True)
class Attack:
    """One attack of the library.

    Attributes
    ----------
    name
        As the commands and results call it.
    source
        Where it was published, or how it follows from what was.
    knowledge, aim
        See `Knowledge` and `Aim`.
    strength
        Default of the view's `strength`.
    grid
        Strengths among which `tune` chooses; the default is one of them.
    recipe
        Makes updates from a view that has been stripped to the attack's knowledge.
    poisoning
        Makes the attackers' data from what they hold; by default the data themselves.
    wanted
        For an attack with a target: makes of test data the samples with the labels that the attackers want, so that
        the model's accuracy on them is the attack's success rate. None without target.
    """

    name: str
    source: str
    knowledge: Knowledge
    aim: Aim
    strength: float
    grid: tuple[float, ...]
    recipe: Craft
    poisoning: Poison = _unchanged
    wanted: Callable[[Dataset], Dataset] | None = None

    def craft(self, view: AttackView) -> Vectors:
        """Return what the attackers send, shape (k, d), float64.

        Whatever the attack's knowledge does not include is taken out of the view first: honest updates and the rule
        become None, own updates of attackers without any become zeros.

        Raises
        ------
        AttackError
            If the view lacks what the attack needs, or the attack made vectors of a wrong shape or not finite.
        """
        crafted = np.asarray(self.recipe(self._stripped(view)), dtype=np.float64)
        if crafted.shape != view.own.shape or not np.isfinite(crafted).all():
            raise AttackError(
                f"attack {self.name!r} made an array of shape {crafted.shape} with "
                f"{int((~np.isfinite(crafted)).sum())} values that are not finite, where {view.own.shape} finite ones "
                "are due; look at the updates and the strength it was given"
            )
        return crafted

    def poison(self, datasets: Sequence[Dataset], generator: np.random.Generator) -> tuple[Dataset, ...]:
        """Return what the attackers train on, one data set each, in their order.

        Parameters
        ----------
        datasets
            What the attackers hold, one each.
        generator
            Their randomness; the same state gives the same data.
        """
        return tuple(self.poisoning(datasets, generator))

    def _stripped(self, view: AttackView) -> AttackView:
        """Return the view without anything that the attack may not know."""
        sees_honest = self.knowledge in (Knowledge.OMNISCIENT, Knowledge.ADAPTIVE)
        sees_rule = self.knowledge is Knowledge.ADAPTIVE
        if (sees_honest and view.honest is None) or (sees_rule and view.decide is None):
            raise AttackError(
                f"attack {self.name!r} needs {self.knowledge.value}, but the view has "
                f"{'no honest updates' if view.honest is None else 'no rule to ask'}; fill in `honest`"
                f"{' and `decide`' if sees_rule else ''}"
            )
        sees_own = self.knowledge is not Knowledge.NONE
        return replace(
            view,
            own=view.own if sees_own else np.zeros_like(view.own),
            first_own=view.first_own if sees_own else np.zeros_like(view.first_own),
            honest=view.honest if sees_honest else None,
            decide=view.decide if sees_rule else None,
        )
