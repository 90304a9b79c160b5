"""The attack relative to a reference point, made against clipping around the last step.

Özfatura, Özfatura, Küpçü and Gündüz 2024, "Byzantines can also Learn from History: Fall of Centered Clipping in
Federated Learning", arXiv 2208.09894.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.geometry import apart, honest_updates, unit
from benchmarks.simulation.attacks.view import AttackView, Vectors

_SHARE_OF_MEAN: Final = 0.9


def orthogonal_to_reference(view: AttackView) -> Vectors:
    """Return `r + strength |mean| o`: close to where clipping is centred, and as far off course as can be.

    r is 0.9 of the honest mean and 0.1 of the model's last step; o is the unit vector of the part of the honest
    updates' deviations (coordinate by coordinate, negative) that is orthogonal to r.
    """
    honest = honest_updates(view)
    mean = honest.mean(axis=0)
    reference = _SHARE_OF_MEAN * mean + (1 - _SHARE_OF_MEAN) * view.last_aggregate
    along = unit(reference)
    deviation = -honest.std(axis=0)
    aside = unit(deviation - float(deviation @ along) * along)
    return apart(np.asarray(reference + view.strength * float(np.linalg.norm(mean)) * aside), view)


REFERENCE_POINT: Final = Attack(
    "reference-point",
    "after Özfatura et al. 2024, arXiv 2208.09894",
    Knowledge.OMNISCIENT,
    Aim.POISON,
    1.0,
    (0.5, 1.0, 2.0, 4.0),
    orthogonal_to_reference,
)
