"""Dealing a public data set out into files, as if several holders had collected it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from marketplace.training.data import PUBLIC_DATASETS, Dataset, make_dataset, public_arrays
from marketplace.training.errors import DataError
from marketplace.training.partition import dirichlet_partition, split_referee_test_trainers
from marketplace.training.scenario import LEAST_SAMPLES, held_out_sizes

ALPHA = 0.5


def deal(name: str, trainers: int, directory: Path, *, seed: int = 0, data_dir: Path | None = None) -> dict[Path, int]:
    """Write `referee.npz`, `test.npz` and `trainer-1.npz` to `trainer-N.npz` with raw features.

    Referee and test set are stratified; the rest is dealt out non-IID, see `dirichlet_partition`.

    Parameters
    ----------
    name
        A public data set.
    trainers
        N.
    directory
        Created if it is missing; files of these names in it are replaced.
    seed
        The same seed gives the same files.
    data_dir
        Directory with the larger public sets.

    Returns
    -------
    dict of Path to int
        Number of samples by file.

    Raises
    ------
    DataError
        If the set is not known or can't be dealt out so.
    """
    if name not in PUBLIC_DATASETS:
        raise DataError(f"Data set {name!r} is not known; choose one of {', '.join(PUBLIC_DATASETS)}.")
    raw = make_dataset(*public_arrays(name, data_dir), normalisation="none", source=name)
    split = split_referee_test_trainers(raw, *held_out_sizes(len(raw)), seed)
    minimum = max(1, min(LEAST_SAMPLES, len(split.trainers) // (3 * max(trainers, 1))))
    parts = dirichlet_partition(split.trainers.y, trainers, ALPHA, seed, minimum)
    holders = {f"trainer-{k}": split.trainers.subset(part) for k, part in enumerate(parts, start=1)}
    directory.mkdir(parents=True, exist_ok=True)
    return {
        _write(directory / f"{holder}.npz", data): len(data)
        for holder, data in {"referee": split.referee, "test": split.test, **holders}.items()
    }


def _write(path: Path, data: Dataset) -> Path:
    np.savez_compressed(path, x=data.x, y=data.y)
    return path
