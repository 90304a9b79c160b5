"""What dishonest trainers may send: published attacks, free riders, Sybils and attackers who know the rule.

`ATTACKS` has them all by name. Each is a pure function of an `AttackView`, which holds what its authors assume that
attackers know; `Attack.craft` takes everything else away before it calls.
"""

from benchmarks.simulation.attacks.attack import Aim, Attack, AttackError, Knowledge
from benchmarks.simulation.attacks.library import ATTACKS
from benchmarks.simulation.attacks.tuning import tune
from benchmarks.simulation.attacks.view import AttackView

__all__ = ["ATTACKS", "Aim", "Attack", "AttackError", "AttackView", "Knowledge", "tune"]
