"""Free riders: updates that cost no training.

Lin, Du and Liu 2019, "Free-riders in Federated Learning: Attacks and Defenses", arXiv 1911.12560 (random weights, the
last step, the last step with noise); Fraboni, Vidal and Lorenzi 2021, "Free-rider Attacks on Model Aggregation in
Federated Learning", arXiv 2006.11901 (noise that looks like training).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.geometry import (
    apart,
    honest_updates,
    public_length,
    repeated,
    unit_noise,
    with_noise,
)
from benchmarks.simulation.attacks.view import AttackView, Vectors

_LIN: Final = "Lin et al. 2019, arXiv 1911.12560"
_NOISE: Final = (0.05, 0.1, 0.3, 1.0)


def zero(view: AttackView) -> Vectors:
    """Return nothing but zeros."""
    return np.zeros_like(view.own)


def random_direction(view: AttackView) -> Vectors:
    """Return random directions, `strength` times as long as the model's last step."""
    return np.asarray(view.strength * public_length(view) * unit_noise(view))


def stale_own(view: AttackView) -> Vectors:
    """Return `strength` times the update that the trainer made in round 1, in all rounds."""
    return np.asarray(view.strength * view.first_own)


def replay(view: AttackView) -> Vectors:
    """Return `strength` times the model's last step, k times."""
    return repeated(view.strength * view.last_aggregate, view.attackers)


def replay_with_noise(view: AttackView) -> Vectors:
    """Return the model's last step with noise of `strength` times its norm, drawn by each attacker."""
    return with_noise(repeated(view.last_aggregate, view.attackers), view, view.strength)


def forecast(view: AttackView) -> Vectors:
    """Return a guess of the next step: the mean of the last one and, `strength` times, the average step so far."""
    past = (view.model - view.initial_model) / max(1, view.round - 1)
    return apart(np.asarray((view.last_aggregate + view.strength * past) / 2), view)


def copy_with_noise(view: AttackView) -> Vectors:
    """Return honest updates with noise of `strength` times their norms: attacker j copies honest trainer j.

    In the market this cannot be done: commitments are made before any update is published, so that it bounds what
    copying could earn if that failed.
    """
    honest = honest_updates(view)
    return with_noise(honest[np.arange(view.attackers) % len(honest)], view, view.strength)


def scaled_copy(view: AttackView) -> Vectors:
    """Return honest updates times `strength`: attacker j copies honest trainer j, as impossibly as with noise."""
    honest = honest_updates(view)
    return np.asarray(view.strength * honest[np.arange(view.attackers) % len(honest)])


FREE_RIDER_ZERO: Final = Attack("free-rider-zero", _LIN, Knowledge.NONE, Aim.FREE_RIDE, 1.0, (1.0,), zero)
FREE_RIDER_RANDOM: Final = Attack(
    "free-rider-random", _LIN, Knowledge.NONE, Aim.FREE_RIDE, 1.0, (0.1, 1.0, 3.0), random_direction
)
FREE_RIDER_STALE: Final = Attack(
    "free-rider-stale",
    "after Fraboni et al. 2021, arXiv 2006.11901",
    Knowledge.OWN,
    Aim.FREE_RIDE,
    1.0,
    (0.3, 1.0, 3.0),
    stale_own,
)
FREE_RIDER_REPLAY: Final = Attack(
    "free-rider-replay", _LIN, Knowledge.NONE, Aim.FREE_RIDE, 1.0, (1.0, 2.0, 4.0), replay
)
FREE_RIDER_REPLAY_NOISE: Final = Attack(
    "free-rider-replay-noise", _LIN, Knowledge.NONE, Aim.FREE_RIDE, 0.1, _NOISE, replay_with_noise
)
FREE_RIDER_FORECAST: Final = Attack(
    "free-rider-forecast",
    "after Xu et al. 2024, ACE (USENIX Security), without its estimate of the curvature",
    Knowledge.NONE,
    Aim.FREE_RIDE,
    1.0,
    (0.5, 1.0, 2.0),
    forecast,
)
FREE_RIDER_COPY: Final = Attack(
    "free-rider-copy",
    "after Lin et al. 2019, arXiv 1911.12560, with this round's updates",
    Knowledge.OMNISCIENT,
    Aim.FREE_RIDE,
    0.1,
    (0.0, *_NOISE),
    copy_with_noise,
)
FREE_RIDER_SCALED_COPY: Final = Attack(
    "free-rider-scaled-copy",
    "after Lin et al. 2019, arXiv 1911.12560, with this round's updates",
    Knowledge.OMNISCIENT,
    Aim.FREE_RIDE,
    2.0,
    (0.5, 2.0),
    scaled_copy,
)
