"""The parties' data of a demonstration: who holds what, who cheats and how.

Attackers are pure functions of honest inputs, so that the same scenario runs in one process, in many, and in tests:
`poisoned_data` is what a party trains on, `poisoned_update` what it makes of its honest update.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from marketplace.training.data import Dataset
from marketplace.training.errors import DataError
from marketplace.training.partition import dirichlet_partition, split_referee_test_trainers

SIGN_FLIP_FACTOR = 4.0

# A third of an even share in a small set.
LEAST_SAMPLES = 20


class Role(StrEnum):
    """How a trainer behaves."""

    HONEST = "honest"
    SIGN_FLIP = "sign-flip"
    LABEL_FLIP = "label-flip"
    FREE_RIDER = "free-rider"


ATTACKERS = (Role.SIGN_FLIP, Role.LABEL_FLIP, Role.FREE_RIDER)


@dataclass(frozen=True)
class Party:
    """A trainer of the demonstration: its role, and the data it holds before any poisoning."""

    role: Role
    data: Dataset


@dataclass(frozen=True)
class Scenario:
    """Everything a demonstration needs; `trainers` is in no particular order, attackers last."""

    trainers: tuple[Party, ...]
    referee: Dataset
    test: Dataset

    @property
    def honest(self) -> tuple[Party, ...]:
        """The honest trainers, in order."""
        return tuple(party for party in self.trainers if party.role is Role.HONEST)


def held_out_sizes(samples: int) -> tuple[int, int]:
    """Return the sizes of the referee's and the test set: 200 and 360, or less of a small set.

    A sixth and a fourth of the samples at most, so that of 569 samples 94 go to the referee and 142 to the test.
    """
    return min(200, samples // 6), min(360, samples // 4)


def build_scenario(
    dataset: Dataset,
    seed: int,
    trainers: int = 10,
    *,
    alpha: float = 0.5,
    attackers: tuple[Role, ...] = ATTACKERS,
    spread: float = 3.0,
) -> Scenario:
    """Split a data set among referee, test and trainers, of whom the last `len(attackers)` cheat.

    The held-out sets are stratified by class and sized by `held_out_sizes`; everyone gets `LEAST_SAMPLES` at least.
    The partition is drawn without regard to roles, so attackers hold as much data as anyone.

    Parameters
    ----------
    dataset
        All samples, normalised.
    seed
        Of both the split and the partition.
    trainers
        Number of trainers, attackers included.
    alpha
        Concentration of the Dirichlet partition.
    attackers
        Roles of the last trainers.
    spread
        Samples of the largest trainer over those of the smallest, at least.

    Raises
    ------
    DataError
        If no honest trainer would be left, or the data do not suffice.
    """
    if trainers <= len(attackers):
        raise DataError(
            f"{trainers} trainers with {len(attackers)} attackers among them leave no honest one; ask for more than "
            f"{len(attackers)} trainers."
        )
    referee, test = held_out_sizes(len(dataset))
    split = split_referee_test_trainers(dataset, referee, test, seed)
    minimum = min(LEAST_SAMPLES, len(split.trainers) // (3 * trainers))
    parts = dirichlet_partition(split.trainers.y, trainers, alpha, seed, minimum, spread)
    roles = (Role.HONEST,) * (trainers - len(attackers)) + attackers
    parties = tuple(Party(role, split.trainers.subset(part)) for role, part in zip(roles, parts, strict=True))
    return Scenario(parties, split.referee, split.test)


def poisoned_data(role: Role, data: Dataset) -> Dataset:
    """Return what a party trains on: labels `y -> classes - 1 - y` for the label flipper, the data itself otherwise."""
    if role is not Role.LABEL_FLIP:
        return data
    return Dataset(data.x, np.asarray(data.classes - 1 - data.y, dtype=np.int64), data.classes)


def poisoned_update(role: Role, update: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return what a party submits instead of the update it trained: -4 times it, zero, or the update itself."""
    match role:
        case Role.SIGN_FLIP:
            return -SIGN_FLIP_FACTOR * update
        case Role.FREE_RIDER:
            return np.zeros_like(update)
        case _:
            return update
