"""What a trainer's software does with its data in one round: local training, then clipping and noise if asked for."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from marketplace.job.document import JobDocument
from marketplace.parties.trainer import Train
from marketplace.training.data import Dataset
from marketplace.training.local import Fit, local_update
from marketplace.training.models import Vector
from marketplace.training.privacy import privatise

_SEED_BYTES: Final = 8


@dataclass(frozen=True)
class Noise:
    """Clipping to an L2 norm and Gaussian noise of a standard deviation, both in units of the model's parameters."""

    maximum_norm: float
    deviation: float


def training_function(document: JobDocument, data: Dataset, fit: Fit, seed: int, noise: Noise | None) -> Train:
    """Return what a `Trainer` calls in each round.

    Parameters
    ----------
    document
        The job.
    data
        The trainer's samples.
    fit
        Cairn's local training or the trainer's own.
    seed
        The trainer's private seed.
    noise
        Clipping and noise before quantisation, or None.
    """
    model = document.build_model()

    def train(vector: Vector, number: int) -> npt.NDArray[np.float64]:
        # Rounds count from 1 on the chain and from 0 in the training configuration.
        update = local_update(model, vector, fit, data, document.training.at_round(number - 1, seed))
        return update if noise is None else privatise(update, noise.maximum_norm, noise.deviation)

    return train


def private_seed(workspace: Path) -> int:
    """Return the seed kept in a workspace, drawn from the operating system the first time.

    Nobody else learns it, so that the order of samples and the rounding tell nothing about the data.
    """
    file = workspace / "seed"
    workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return int.from_bytes(file.read_bytes(), "big")
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(secrets.token_bytes(_SEED_BYTES))
    return int.from_bytes(file.read_bytes(), "big")
