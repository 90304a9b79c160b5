"""Sybils: one trainer under k identities.

Douceur 2002, "The Sybil Attack", IPTPS; in federated learning Fung, Yoon and Beschastnikh 2018, "Mitigating Sybils in
Federated Learning Poisoning", arXiv 1808.04866. The trainer is the first of the attackers; whatever the others hold
is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.geometry import repeated, with_noise
from benchmarks.simulation.attacks.label_flip import scaled_own
from benchmarks.simulation.attacks.view import AttackView, Vectors
from marketplace.training.data import Dataset

_SOURCE: Final = "Douceur 2002 (IPTPS); Fung et al. 2018, arXiv 1808.04866"


def copies(view: AttackView) -> Vectors:
    """Return the first attacker's update k times, with noise of `strength` times its norm on all but the first."""
    crafted = repeated(view.own[0], view.attackers)
    crafted[1:] = with_noise(crafted, view, view.strength)[1:]
    return crafted


def alone(view: AttackView) -> Vectors:
    """Return the first attacker's update and zeros for the other identities: what the trainer earns without Sybils."""
    crafted = np.zeros_like(view.own)
    crafted[0] = view.own[0]
    return crafted


def divide(datasets: Sequence[Dataset], generator: np.random.Generator) -> Sequence[Dataset]:
    """Deal the first attacker's samples out over all identities, in equal parts and at random.

    Every identity trains honestly, so that nothing in the updates can tell it from a trainer with little data.
    """
    holder = datasets[0]
    order = generator.permutation(len(holder))
    return [holder.subset(np.sort(part)) for part in np.array_split(order, len(datasets))]


def share(datasets: Sequence[Dataset], _: np.random.Generator) -> Sequence[Dataset]:
    """Let every identity train on all of the first attacker's samples, in an order of its own."""
    return [datasets[0]] * len(datasets)


SYBIL_ALONE: Final = Attack(
    "sybil-alone", _SOURCE + "; the baseline of the others", Knowledge.OWN, Aim.INFLATE, 1.0, (1.0,), alone
)
SYBIL_COPIES: Final = Attack(
    "sybil-copies", _SOURCE, Knowledge.OWN, Aim.INFLATE, 0.0, (0.0, 0.03, 0.05, 0.1, 0.3, 0.5), copies
)
SYBIL_SPLIT: Final = Attack("sybil-split", _SOURCE, Knowledge.OWN, Aim.INFLATE, 1.0, (1.0,), scaled_own, divide)
SYBIL_SAME_DATA: Final = Attack("sybil-same-data", _SOURCE, Knowledge.OWN, Aim.INFLATE, 1.0, (1.0,), scaled_own, share)
INFLATED_NORM: Final = Attack(
    "inflated-norm",
    "Bagdasaryan et al. 2020, arXiv 1807.00459, without a backdoor",
    Knowledge.OWN,
    Aim.INFLATE,
    10.0,
    (2.0, 4.0, 10.0),
    scaled_own,
)
