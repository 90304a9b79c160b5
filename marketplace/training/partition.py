"""Splitting one data set among referee, test and trainers, as demos and benchmarks need it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.training.data import Dataset
from marketplace.training.errors import DataError

_MAXIMUM_DRAWS = 10_000

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Three disjoint parts of one data set that together hold every sample."""

    referee: Dataset
    test: Dataset
    trainers: Dataset


def split_referee_test_trainers(dataset: Dataset, referee: int = 200, test: int = 360, seed: int = 0) -> Split:
    """Split off `referee` and `test` samples, stratified by class; the trainers get the rest.

    A class with a share p of the data set gets `p * referee` places in the referee's part, rounded by largest
    remainders (ties to the lower class), and likewise in the test part.

    Raises
    ------
    DataError
        If fewer than one sample would be left for the trainers, or a part would be empty.
    """
    if referee < 1 or test < 1 or referee + test >= len(dataset):
        raise DataError(
            f"{referee} samples for the referee and {test} for the test leave nothing of {len(dataset)} for the "
            "trainers, or a part is empty; ask for less, or bring more data."
        )
    first, second, rest = stratified_parts(dataset.y, (referee, test), seed)
    return Split(dataset.subset(first), dataset.subset(second), dataset.subset(rest))


def stratified_parts(labels: npt.NDArray[np.int64], sizes: Sequence[int], seed: int) -> list[Indices]:
    """Draw disjoint parts of a data set, each stratified by class, and return what is left as the last.

    Parameters
    ----------
    labels
        int64, shape (n,).
    sizes
        Samples of each part, 0 or more; they are drawn one after the other, each from what the earlier ones left.
    seed
        The same seed gives the same parts, and the first parts do not depend on the sizes of later ones.

    Returns
    -------
    list of ndarray
        `len(sizes) + 1` sorted arrays of indices; together every index once.

    Raises
    ------
    DataError
        If a size is negative or together they exceed the samples.
    """
    if min(sizes, default=0) < 0 or sum(sizes) > len(labels):
        raise DataError(
            f"{len(labels)} samples can't be split into parts of {', '.join(map(str, sizes))}, which need "
            f"{sum(sizes)}; ask for less, or bring more data."
        )
    generator = np.random.default_rng([seed, 0])
    left = np.arange(len(labels))
    parts = []
    for size in sizes:
        parts.append(_stratified(labels, left, size, generator) if size else left[:0])
        left = np.setdiff1d(left, parts[-1])
    return [*parts, left]


def _stratified(labels: npt.NDArray[np.int64], pool: Indices, size: int, generator: np.random.Generator) -> Indices:
    """Choose `size` of the indices in `pool`, each class in proportion to its share of the pool."""
    counts = np.bincount(labels[pool])
    exact = counts * size
    places = exact // len(pool)
    short = size - int(places.sum())
    # A stable sort by falling remainder gives ties to the lower class.
    places[np.argsort(-(exact % len(pool)), kind="stable")[:short]] += 1
    chosen = [generator.permutation(pool[labels[pool] == c])[: places[c]] for c in range(len(counts))]
    return np.sort(np.concatenate(chosen))


def dirichlet_partition(
    labels: npt.NDArray[np.int64], trainers: int, alpha: float, seed: int, minimum: int = 20, spread: float = 1.0
) -> list[Indices]:
    """Deal samples out non-IID: for each class, the trainers' shares are drawn from Dirichlet(alpha).

    Small alpha gives few classes a trainer and very different sizes, large alpha an even split. The whole draw is
    repeated until everyone has `minimum` samples and the largest part at least `spread` times the smallest, which
    keeps trainers exchangeable (Hsu et al. 2019, arXiv 1909.06335; the repetition as in Li et al. 2022, arXiv
    2102.02079).

    Parameters
    ----------
    labels
        int64, shape (n,).
    trainers
        Number of parts, at least 1.
    alpha
        Concentration, > 0.
    seed
        The same seed gives the same parts.
    minimum
        Samples that every trainer has at least.
    spread
        Largest over smallest number of samples, at least.

    Returns
    -------
    list of ndarray
        One sorted array of indices a trainer; together every index once.

    Raises
    ------
    DataError
        If there are too few samples, alpha is not positive, or no draw meets minimum and spread.
    """
    if trainers < 1 or not 0 < alpha < np.inf:
        raise DataError(f"{trainers} trainers and alpha {alpha} make no partition; use at least 1 and alpha > 0.")
    if trainers * minimum > len(labels):
        raise DataError(
            f"{len(labels)} samples can't give {trainers} trainers {minimum} each; use fewer trainers or more data."
        )
    generator = np.random.default_rng([seed, 1])
    for _ in range(_MAXIMUM_DRAWS):
        parts = _deal(labels, trainers, alpha, generator)
        sizes = [len(part) for part in parts]
        if min(sizes) >= minimum and max(sizes) >= spread * min(sizes):
            return parts
    raise DataError(
        f"None of {_MAXIMUM_DRAWS} draws with alpha {alpha} gave {trainers} trainers {minimum} of the {len(labels)} "
        f"samples each, the largest {spread} times the smallest; use fewer trainers, more data or another alpha."
    )


def _deal(labels: npt.NDArray[np.int64], trainers: int, alpha: float, generator: np.random.Generator) -> list[Indices]:
    """Draw one partition."""
    owners = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        shares = generator.dirichlet(np.full(trainers, alpha))
        ends = np.rint(np.cumsum(shares) * len(members)).astype(np.int64)
        owners[members] = np.minimum(np.searchsorted(ends, np.arange(len(members)), side="right"), trainers - 1)
    return [np.flatnonzero(owners == k) for k in range(trainers)]
