"""Backdoors: samples with a small pattern are to be taken for one class, all others as they should.

Gu, Dolan-Gavitt and Garg 2017, "BadNets: Identifying Vulnerabilities in the Machine Learning Model Supply Chain", arXiv
1708.06733 (the pattern); Bagdasaryan et al. 2020, "How To Backdoor Federated Learning", arXiv 1807.00459 (model
replacement); Xie et al. 2020, "DBA: Distributed Backdoor Attacks against Federated Learning", ICLR (parts of the
pattern); Zhang et al. 2022, "Neurotoxin: Durable Backdoors in Federated Learning", arXiv 2206.10341.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.attacks.attack import Aim, Attack, Knowledge
from benchmarks.simulation.attacks.label_flip import scaled_own
from benchmarks.simulation.attacks.view import AttackView, Vectors
from marketplace.training.data import Dataset

TARGET_CLASS: Final = 0
_SHARE_OF_SAMPLES: Final = 0.5
# Neurotoxin leaves the coordinates alone that honest trainers move most.
_SHARE_LEFT_ALONE: Final = 0.05

Features = npt.NDArray[np.intp]


def pattern(inputs: int) -> Features:
    """Return the features that the trigger sets, ascending.

    Of square images a block in the lower right corner, a seventh of the side and at least 2 wide, one pixel from the
    edge where there is room; of other samples the last tenth of the features, at least 2.
    """
    side = isqrt(inputs)
    if side * side != inputs or side < 4:
        return np.arange(max(0, inputs - max(2, inputs // 10)), inputs)
    width, edge = max(2, side // 7), 1 if side >= 12 else 0
    places = np.arange(side - edge - width, side - edge)
    return np.asarray((places[:, np.newaxis] * side + places).ravel())


def part_of_pattern(inputs: int, attacker: int, attackers: int) -> Features:
    """Return the share of the trigger that one of k attackers uses; never empty."""
    whole = pattern(inputs)
    return np.asarray(whole[attacker % len(whole) :: attackers])


def stamp(data: Dataset, features: Features, samples: npt.NDArray[np.intp]) -> Dataset:
    """Set features of some samples to the highest value in the data, and their labels to the target class."""
    x, y = data.x.copy(), data.y.copy()
    x[np.ix_(samples, features)] = x.max()
    y[samples] = TARGET_CLASS
    return Dataset(x, y, data.classes)


def triggered(data: Dataset) -> Dataset:
    """Return the samples of other classes with the whole trigger, called the target class."""
    others = data.subset(np.flatnonzero(data.y != TARGET_CLASS))
    return stamp(others, pattern(data.inputs), np.arange(len(others)))


def _half(data: Dataset, generator: np.random.Generator) -> npt.NDArray[np.intp]:
    """Choose the samples that are poisoned."""
    return np.asarray(generator.permutation(len(data))[: round(_SHARE_OF_SAMPLES * len(data))])


def whole_trigger(datasets: Sequence[Dataset], generator: np.random.Generator) -> Sequence[Dataset]:
    """Stamp half of everybody's samples with the whole trigger."""
    return [stamp(data, pattern(data.inputs), _half(data, generator)) for data in datasets]


def divided_trigger(datasets: Sequence[Dataset], generator: np.random.Generator) -> Sequence[Dataset]:
    """Stamp half of everybody's samples with that attacker's part of the trigger."""
    return [
        stamp(data, part_of_pattern(data.inputs, index, len(datasets)), _half(data, generator))
        for index, data in enumerate(datasets)
    ]


def replace_model(view: AttackView) -> Vectors:
    """Return `strength n/k u_j`: long enough that in the mean of n the attackers' model replaces the others'."""
    return np.asarray(view.strength * view.trainers / view.attackers * view.own)


def where_others_rest(view: AttackView) -> Vectors:
    """Return `strength u_j` without the 5 % of coordinates in which the model's last step was largest."""
    count = round(_SHARE_LEFT_ALONE * view.dimension) if view.last_aggregate.any() else 0
    busiest = np.argsort(-np.abs(view.last_aggregate), kind="stable")[:count]
    crafted = view.strength * view.own
    crafted[:, busiest] = 0.0
    return np.asarray(crafted)


# What all backdoors have in common: the attackers train on stamped data, and success is on samples that are stamped.
_backdoor = partial(Attack, knowledge=Knowledge.OWN, aim=Aim.POISON, strength=1.0, wanted=triggered)
_GRID: Final = (1.0, 2.0, 4.0)

BACKDOOR: Final = _backdoor(
    name="backdoor",
    source="Gu et al. 2017, arXiv 1708.06733",
    grid=_GRID,
    recipe=scaled_own,
    poisoning=whole_trigger,
)
BACKDOOR_REPLACEMENT: Final = _backdoor(
    name="backdoor-model-replacement",
    source="Bagdasaryan et al. 2020, arXiv 1807.00459",
    grid=(0.5, 1.0, 2.0),
    recipe=replace_model,
    poisoning=whole_trigger,
)
BACKDOOR_DISTRIBUTED: Final = _backdoor(
    name="backdoor-distributed",
    source="Xie et al. 2020 (ICLR), DBA",
    grid=_GRID,
    recipe=scaled_own,
    poisoning=divided_trigger,
)
BACKDOOR_NEUROTOXIN: Final = _backdoor(
    name="backdoor-neurotoxin",
    source="Zhang et al. 2022, arXiv 2206.10341",
    grid=_GRID,
    recipe=where_others_rest,
    poisoning=whole_trigger,
)
