"""Dealing training data out to trainers: the ways in which holders of data differ, one at a time.

How strongly they differ is one number, the skew; what it means depends on the partition:

| partition | skew | what differs |
|---|---|---|
| `iid` | none | nothing: equal numbers of samples, drawn at random |
| `dirichlet` | concentration alpha > 0 | classes and sizes; see `dirichlet_partition` |
| `size-skew` | largest over smallest size, 1 or more | sizes, in geometric progression |
| `label-noise` | largest share of wrong labels, up to 1 | labels: shares from 0 in equal steps are of another class |
| `feature-skew` | strength, 0 or more | contrast, brightness and noise of the features |

The noise of `feature-skew` grows over the trainers as in Li et al. 2022, arXiv 2102.02079, section 4.2. Who gets the
largest share, or the most noise, is drawn from the seed, so that it does not depend on who attacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.errors import SettingError
from marketplace.training.data import Dataset
from marketplace.training.partition import Indices, dirichlet_partition
from marketplace.training.scenario import LEAST_SAMPLES

# Keeps the draws below apart from those of `dirichlet_partition` with the same seed.
_STREAM: Final = 2


class Partition(StrEnum):
    """How the trainers' data differ."""

    IID = "iid"
    DIRICHLET = "dirichlet"
    SIZE_SKEW = "size-skew"
    LABEL_NOISE = "label-noise"
    FEATURE_SKEW = "feature-skew"
    BY_WRITER = "by-writer"


# Used where a partition is named without a skew.
USUAL_SKEWS: Final[Mapping[Partition, float]] = MappingProxyType(
    {
        Partition.IID: 0.0,
        Partition.DIRICHLET: 0.3,
        Partition.SIZE_SKEW: 10.0,
        Partition.LABEL_NOISE: 0.5,
        Partition.FEATURE_SKEW: 0.5,
        Partition.BY_WRITER: 0.0,
    }
)


@dataclass(frozen=True, eq=False)
class Dealt:
    """What each trainer got.

    Attributes
    ----------
    datasets
        One a trainer.
    levels
        How far each trainer's data were changed: the share of wrong labels, or the standard deviation of the noise on
        the features; 0 where the partition changes no sample.
    """

    datasets: tuple[Dataset, ...]
    levels: tuple[float, ...]


def partition_faults(partition: str, skew: float) -> list[str]:
    """List what is wrong with a partition and its skew, one sentence each."""
    match partition:
        case Partition.IID:
            return [] if skew == 0 else [f"the partition iid takes no skew, this one is {skew}; use 0"]
        case Partition.DIRICHLET:
            return [] if 0 < skew < np.inf else [f"the concentration of dirichlet is {skew}; it must be above 0"]
        case Partition.SIZE_SKEW:
            return [] if 1 <= skew < np.inf else [f"largest over smallest size is {skew}; it must be 1 or more"]
        case Partition.LABEL_NOISE:
            return [] if 0 <= skew <= 1 else [f"the largest share of wrong labels is {skew}; it must be from 0 to 1"]
        case Partition.FEATURE_SKEW:
            return [] if 0 <= skew < np.inf else [f"the strength of feature-skew is {skew}; it must be 0 or more"]
        case Partition.BY_WRITER:
            return [
                "by-writer needs data that say who wrote each sample, and none of the data sets here does "
                "(LEAF's FEMNIST does, and is not among them); use dirichlet or feature-skew instead"
            ]
        case _:
            return [f"partition {partition!r} is not known; choose one of {', '.join(Partition)}"]


def deal(data: Dataset, partition: str, skew: float, trainers: int, seed: int) -> Dealt:
    """Deal samples out to trainers.

    Parameters
    ----------
    data
        What there is to deal; every sample goes to exactly one trainer.
    partition, skew
        As `partition_faults` accepts them.
    trainers
        Number of parts, at least 1.
    seed
        The same seed gives the same parts and the same changes.

    Raises
    ------
    SettingError
        If partition or skew are not usable.
    DataError
        If there are too few samples.
    """
    faults = partition_faults(partition, skew)
    if faults:
        raise SettingError(f"The data can't be dealt out: {'; '.join(faults)}.", faults)
    generator = np.random.default_rng([seed, _STREAM])
    match partition:
        case Partition.DIRICHLET:
            minimum = max(1, min(LEAST_SAMPLES, len(data) // (3 * trainers)))
            return _unchanged(data, dirichlet_partition(data.y, trainers, skew, seed, minimum))
        case Partition.SIZE_SKEW:
            return _unchanged(data, _by_sizes(len(data), geometric_shares(trainers, skew), generator))
        case Partition.LABEL_NOISE:
            return _with_wrong_labels(_even(data, trainers, generator), skew, generator)
        case Partition.FEATURE_SKEW:
            return _with_changed_features(_even(data, trainers, generator), skew, generator)
        case _:
            return Dealt(_even(data, trainers, generator), (0.0,) * trainers)


def geometric_shares(trainers: int, ratio: float) -> npt.NDArray[np.float64]:
    """Return shares that add up to 1, each the same factor above the one before, the last `ratio` times the first."""
    shares: npt.NDArray[np.float64] = np.geomspace(1.0, ratio, trainers)
    shares /= shares.sum()
    return shares


def _unchanged(data: Dataset, parts: list[Indices]) -> Dealt:
    return Dealt(tuple(data.subset(part) for part in parts), (0.0,) * len(parts))


def _even(data: Dataset, trainers: int, generator: np.random.Generator) -> tuple[Dataset, ...]:
    parts = _by_sizes(len(data), np.full(trainers, 1 / trainers), generator)
    return tuple(data.subset(part) for part in parts)


def _by_sizes(samples: int, shares: npt.NDArray[np.float64], generator: np.random.Generator) -> list[Indices]:
    """Deal samples out at random by shares, which go to the trainers in an order that is drawn."""
    dealt = generator.permutation(shares)
    ends = np.rint(np.cumsum(dealt) * samples).astype(np.int64)
    ends[-1] = samples
    if np.diff(ends, prepend=0).min() < 1:
        raise SettingError(
            f"{samples} training samples leave one of {len(shares)} trainers without any; use more samples, fewer "
            "trainers or a smaller skew."
        )
    order = generator.permutation(samples)
    return [np.sort(part) for part in np.split(order, ends[:-1])]


def _levels(trainers: int, largest: float, generator: np.random.Generator) -> tuple[float, ...]:
    """Return levels from 0 to the largest in equal steps, in an order that is drawn."""
    return tuple(float(level) for level in generator.permutation(np.linspace(0.0, largest, trainers)))


def _with_wrong_labels(datasets: tuple[Dataset, ...], largest: float, generator: np.random.Generator) -> Dealt:
    levels = _levels(len(datasets), largest, generator)
    noisy = []
    for data, level in zip(datasets, levels, strict=True):
        wrong = generator.permutation(len(data))[: round(level * len(data))]
        labels = data.y.copy()
        # An offset from 1 to classes - 1 never leads back to the right label.
        labels[wrong] = (labels[wrong] + generator.integers(1, data.classes, len(wrong))) % data.classes
        noisy.append(Dataset(data.x, labels, data.classes))
    return Dealt(tuple(noisy), levels)


def _with_changed_features(datasets: tuple[Dataset, ...], strength: float, generator: np.random.Generator) -> Dealt:
    """Return features `(1 + c) x + o` plus Gaussian noise; c and o are uniform in +-strength for each trainer."""
    levels = _levels(len(datasets), strength, generator)
    changed = []
    for data, level in zip(datasets, levels, strict=True):
        contrast, brightness = generator.uniform(-strength, strength, 2)
        noise = level * generator.standard_normal(data.x.shape)
        features = ((1.0 + contrast) * data.x + brightness + noise).astype(np.float32)
        changed.append(Dataset(features, data.y, data.classes))
    return Dealt(tuple(changed), levels)
