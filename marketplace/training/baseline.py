"""The yardstick of a demonstration: size-weighted federated averaging, in floating point, without market or attackers.

McMahan et al. 2017, arXiv 1602.05629, algorithm 1, with every trainer taking part in every round; with the server
momentum of `marketplace.payload.server_momentum`, if the market's job has one, it is FedAvgM in Nesterov's form.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch import nn

from marketplace.training.configuration import TrainingConfiguration
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.local import Fit, local_update


def federated_average(
    model: nn.Module,
    start: npt.NDArray[np.floating],
    datasets: Sequence[Dataset],
    seeds: Sequence[int],
    fit: Fit,
    configuration: TrainingConfiguration,
    rounds: int,
    server_momentum: float = 0.0,
) -> list[npt.NDArray[np.float64]]:
    """Return the model vector after each round of `v <- mu v + sum_k (n_k / n) delta_k`, `theta <- theta + v`.

    Everybody trains from `theta + mu v`.

    Parameters
    ----------
    model
        Of the architecture; it is not changed.
    start
        Initial model, shape (d,).
    datasets, seeds
        One of each for every trainer, as the trainers of the market have them.
    fit, configuration, rounds, server_momentum
        As in the market's job; mu is the last.

    Raises
    ------
    TrainingError
        If there is no trainer, or not one seed a trainer; or from local training.
    """
    if not datasets or len(datasets) != len(seeds):
        raise TrainingError(f"{len(datasets)} data sets and {len(seeds)} seeds; give one of each per trainer.")
    shares = np.array([len(data) for data in datasets], dtype=np.float64)
    shares /= shares.sum()
    vector = np.asarray(start, dtype=np.float64)
    velocity = np.zeros_like(vector)
    history = []
    for number in range(rounds):
        ahead = vector + server_momentum * velocity
        updates = [
            local_update(model, ahead, fit, data, configuration.at_round(number, seed))
            for data, seed in zip(datasets, seeds, strict=True)
        ]
        velocity = server_momentum * velocity + shares @ np.stack(updates)
        vector = vector + velocity
        history.append(vector)
    return history
