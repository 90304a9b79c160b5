"""The referee's reference vector: which way the round's model should move, seen from the held-out set.

The reference is `a = -grad L(theta)`, `L` the mean cross-entropy of the round's model on the referee's held-out
samples. The inner product `<a, delta>` is then the first-order fall in loss that an update `delta` brings.

Its scale is free: the filter reads only the sign of `<a, q_i>` and pay only the ratios of Shapley values, which
without curvature vectors are linear in `a`. So the gradient is stretched until its largest coordinate is exactly
`2^(b-1) - 1`: nothing is clipped and no bit of the range is wasted, whether the gradient is large (first round) or
small (last). Rounding is to nearest, so that whoever learns the held-out set can recompute the vector exactly up
to the floating-point sum.
"""

import copy

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError


def reference_gradient(model: nn.Module, held_out: Dataset) -> npt.NDArray[np.float64]:
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


def integer_reference(gradient: npt.NDArray[np.float64], bits: int = 16) -> npt.NDArray[np.int16]:
    """Return the reference as signed integers of `bits` bits: `round(g (2^(bits-1) - 1) / max |g|)`.

    Parameters
    ----------
    gradient
        As `reference_gradient` returns it, shape (d,).
    bits
        b, width of a coordinate, 2 to 16, as in the job's terms.

    Returns
    -------
    ndarray, int16, shape (d,)
        All zero for a zero gradient (a model at a stationary point says nothing about updates).

    Raises
    ------
    TrainingError
        If `bits` is out of range or the gradient holds NaN or infinity.
    """
    if not 2 <= bits <= 16:
        raise TrainingError(f"A reference of {bits} bits is not supported; use 2 to 16, as the job does.")
    if not np.isfinite(gradient).all():
        raise TrainingError("The reference gradient holds NaN or infinity; the round's model has diverged.")
    largest = float(np.abs(gradient).max(initial=0.0))
    if largest == 0.0:
        return np.zeros(gradient.shape, dtype=np.int16)
    # Dividing first keeps the quotient within [-1, 1] for subnormal gradients too.
    stretched: npt.NDArray[np.float64] = np.rint(gradient / largest * (2 ** (bits - 1) - 1))
    return stretched.astype(np.int16)
