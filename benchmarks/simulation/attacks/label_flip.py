"""Label flips: honest training on wrong labels.

Tolpegin et al. 2020, "Data Poisoning Attacks Against Federated Learning Systems", arXiv 2007.08432 (one class to
another); Fang et al. 2020, arXiv 1911.11815 (class c to C - 1 - c).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge, Poison
from benchmarks.simulation.attacks.view import AttackView, Vectors
from marketplace.training.data import Dataset

Labels = npt.NDArray[np.int64]
Relabelling = Callable[[Labels, int], Labels]

# Fashion-MNIST's shirts are taken for T-shirts, one of the pairs of Tolpegin et al.
_SOURCE_CLASS: Final = 6
_TARGET_CLASS: Final = 0


def scaled_own(view: AttackView) -> Vectors:
    """Return `strength u_j`: the updates as trained on poisoned data, made longer if the attackers like."""
    return np.asarray(view.strength * view.own)


def reverse_all(labels: Labels, classes: int) -> Labels:
    """Return `classes - 1 - y`."""
    return np.asarray(classes - 1 - labels)


def swap_pairs(labels: Labels, classes: int) -> Labels:
    """Swap the classes 0 and 1, 2 and 3, and so on; of an odd number the last stays."""
    swapped = labels ^ 1
    return np.where(swapped < classes, swapped, labels)


def source_class(classes: int) -> int:
    """Return the class that the targeted flip hides: 6, or the last of fewer."""
    return min(_SOURCE_CLASS, classes - 1)


def one_to_another(labels: Labels, classes: int) -> Labels:
    """Call every sample of the source class one of class 0."""
    return np.where(labels == source_class(classes), _TARGET_CLASS, labels)


def relabel(relabelling: Relabelling, datasets: Sequence[Dataset], _: np.random.Generator) -> Sequence[Dataset]:
    """Return each data set with other labels."""
    return [Dataset(data.x, relabelling(data.y, data.classes), data.classes) for data in datasets]


def hidden_class(data: Dataset) -> Dataset:
    """Return the samples of the source class, called what the attackers want them called."""
    chosen = data.subset(np.flatnonzero(data.y == source_class(data.classes)))
    return Dataset(chosen.x, one_to_another(chosen.y, data.classes), data.classes)


def _attack(name: str, source: str, relabelling: Relabelling, wanted: Callable[[Dataset], Dataset] | None) -> Attack:
    """Return a label flip with all that they have in common."""
    poisoning: Poison = partial(relabel, relabelling)
    return Attack(
        name=name,
        source=source,
        knowledge=Knowledge.OWN,
        aim=Aim.POISON,
        strength=1.0,
        grid=(1.0, 2.0, 4.0),
        recipe=scaled_own,
        poisoning=poisoning,
        wanted=wanted,
    )


LABEL_FLIP: Final = _attack("label-flip", "Fang et al. 2020, arXiv 1911.11815", reverse_all, None)
LABEL_FLIP_PAIRS: Final = _attack(
    "label-flip-pairs", "Tolpegin et al. 2020, arXiv 2007.08432, for every pair of neighbours", swap_pairs, None
)
LABEL_FLIP_TARGETED: Final = _attack(
    "label-flip-targeted", "Tolpegin et al. 2020, arXiv 2007.08432", one_to_another, hidden_class
)
