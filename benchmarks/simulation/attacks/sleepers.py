"""Sleepers: honest for a time, so that reputation or inattention shields them when they strike.

Time-coupled attacks in the sense of Karimireddy, He and Jaggi 2021, "Learning from History for Byzantine Robust
Optimization", arXiv 2012.10333; the strike is a sign flip.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.sign_flip import flip_own
from benchmarks.simulation.attacks.view import AttackView, Vectors

_SOURCE: Final = "after Karimireddy et al. 2021, arXiv 2012.10333"
_GRID: Final = (1.0, 4.0, 20.0)


def _flip_if(strike: bool, view: AttackView) -> Vectors:
    """Return the flipped updates in a round of the strike, the honest ones before and after."""
    return flip_own(view) if strike else np.array(view.own)


def from_half_time(view: AttackView) -> Vectors:
    """Flip in the second half of the rounds."""
    return _flip_if(2 * view.round > view.rounds, view)


def for_a_quarter(view: AttackView) -> Vectors:
    """Flip in the third quarter of the rounds and be honest again in the last."""
    return _flip_if(2 * view.rounds < 4 * view.round <= 3 * view.rounds, view)


def in_last_round(view: AttackView) -> Vectors:
    """Flip once, when nobody can repair it any more."""
    return _flip_if(view.round == view.rounds, view)


SLEEPER: Final = Attack("sleeper", _SOURCE, Knowledge.OWN, Aim.POISON, 4.0, _GRID, from_half_time)
SLEEPER_QUARTER: Final = Attack("sleeper-quarter", _SOURCE, Knowledge.OWN, Aim.POISON, 4.0, _GRID, for_a_quarter)
ONE_SHOT: Final = Attack("one-shot", _SOURCE, Knowledge.OWN, Aim.POISON, 20.0, _GRID, in_last_round)
