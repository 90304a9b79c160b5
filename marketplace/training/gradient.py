"""The gradient of the held-out loss."""

import copy

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError

Vector = npt.NDArray[np.float64]


def reference_gradient(model: nn.Module, held_out: Dataset) -> Vector:
    """Return the negative gradient of the mean cross-entropy on the held-out set, computed in float64.

    Parameters
    ----------
    model
        The round's model; it is not changed.
    held_out
        The referee's samples.

    Returns
    -------
    ndarray, float64, shape (d,)
        In the order of the model's vector.

    Raises
    ------
    TrainingError
        If the gradient is not finite.
    """
    double = copy.deepcopy(model).double().eval()
    double.zero_grad()
    logits = double(torch.tensor(held_out.x, dtype=torch.float64))
    loss = nn.functional.cross_entropy(logits, torch.tensor(held_out.y))
    gradients = torch.autograd.grad(loss, list(double.parameters()))
    vector = -torch.cat([g.reshape(-1) for g in gradients]).numpy()
    if not np.isfinite(vector).all():
        bad = int((~np.isfinite(vector)).sum())
        raise TrainingError(
            f"{bad} of the reference's {vector.size} values are NaN or infinite: the round's model has diverged; "
            "check the held-out set's normalisation and the job's learning rate."
        )
    return np.asarray(vector, dtype=np.float64)
