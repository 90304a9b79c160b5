"""How attackers choose the strength of their attack."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.simulation.attacks.attack import Attack


def tune(attack: Attack, evaluate: Callable[[float], float]) -> float:
    """Return the strength of the attack's grid at which `evaluate` is lowest; ties go to the earlier one.

    Seeds on which a strength is chosen must not be among those on which the attack is then reported: otherwise the
    attacker would know the future, and the figure would be of nothing that can happen.

    Parameters
    ----------
    attack
        Its grid is searched.
    evaluate
        What the attackers want low, given a strength: the final accuracy for an attack on the model, minus the pay
        for one that is after money.
    """
    return min(attack.grid, key=evaluate)
