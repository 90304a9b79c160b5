"""What a trainer's software does with its data in one round: local training, then clipping and noise if asked for."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from marketplace.job.document import JobDocument
from marketplace.parties.trainer import Train
from marketplace.parties.turn import WorkspaceError
from marketplace.private_files import create_private
from marketplace.training.data import Dataset
from marketplace.training.local import Fit, local_update
from marketplace.training.privacy import privatise
from marketplace.training.zoo import Vector

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

    Nobody else learns it, so that the order of samples tells nothing about the data.

    Raises
    ------
    WorkspaceError
        If it can't be kept, or is damaged.
    """
    file = workspace / "seed"
    try:
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            with suppress(FileExistsError):
                create_private(file, secrets.token_bytes(_SEED_BYTES))
        seed = file.read_bytes()
    except OSError as fault:
        raise WorkspaceError(
            f"Can't keep a seed in {file} ({fault.strerror}); make it writable or name another workspace."
        ) from fault
    if len(seed) != _SEED_BYTES:
        raise WorkspaceError(
            f"The seed in {file} is damaged: it has {len(seed)} bytes instead of {_SEED_BYTES}. Delete it, and another "
            "is drawn."
        )
    return int.from_bytes(seed, "big")
