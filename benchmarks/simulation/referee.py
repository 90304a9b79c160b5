"""What the referee posts in a round."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import nn

from benchmarks.simulation.setting import Setting
from marketplace.training.data import Dataset
from marketplace.training.reference import REFEREE_SEED, referee_vectors


def references(
    model: nn.Module, held_out: Dataset | None, setting: Setting, number: int
) -> list[npt.NDArray[np.int16]]:
    """Return the vectors that the referee of a job posts in a round, `setting.references` of them.

    Parameters
    ----------
    model
        The round's model; it is not changed.
    held_out
        The referee's samples, or None without referee.
    setting
        The job.
    number
        The round, from 1.

    Returns
    -------
    list of ndarray
        int16, shape (d,), of `setting.coordinate_bits` bits: the reference, then curvature vectors if there are any;
        empty without referee.

    Raises
    ------
    TrainingError
        If the model has diverged.
    """
    if held_out is None:
        return []
    training = setting.training.at_round(number - 1, REFEREE_SEED)
    return referee_vectors(
        model, held_out, setting.references, setting.coordinate_bits, setting.scale_exponent, training
    )
