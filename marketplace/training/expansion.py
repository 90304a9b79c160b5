"""The referee's quadratic model of the held-out loss, from which its vectors are made.

Around a point theta + c, an update delta of the round's model theta lowers the loss, to second order, by

    L(theta) - L(theta + delta) = <g, delta> - delta' H delta / 2,   g = -grad L(theta + c) + H c,

H being the leading part of the generalised Gauss-Newton matrix at theta + c. (H in g is the same leading part: what is
left out of `H c` and of `delta' H delta / 2` nearly cancels for a step of 2c.) A round's steps are so long that around
theta itself, c = 0, the model misjudges them, because curvature changes on the way. So the referee expands in the
middle of the way that the round is likely to take: half of what training on its own samples changes.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import nn

from marketplace.training.configuration import RoundConfiguration
from marketplace.training.curvature import leading_curvature
from marketplace.training.data import Dataset
from marketplace.training.gradient import reference_gradient
from marketplace.training.local import fit, local_update
from marketplace.training.models import get_vector, set_vector

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Expansion:
    """A quadratic model of the fall in loss by an update delta: `<slope, delta> - delta' H delta / 2`.

    Attributes
    ----------
    slope
        g, float64, shape (d,).
    eigenvalues, eigenvectors
        Those of H, float64, shapes (K,) and (K, d).
    """

    slope: Vector
    eigenvalues: Vector
    eigenvectors: Vector


def expand(model: nn.Module, held_out: Dataset, count: int, training: RoundConfiguration) -> Expansion:
    """Expand the held-out loss where a round of training is likely to lead.

    Parameters
    ----------
    model
        The round's model; it is not changed.
    held_out
        The referee's samples.
    count
        K, eigenvectors of the curvature, at least 1.
    training
        How trainers train in this round.

    Raises
    ------
    TrainingError
        If the model has diverged, or training makes it diverge.
    """
    step = local_update(model, get_vector(model), fit, held_out, training) / 2
    middle = copy.deepcopy(model)
    set_vector(middle, (get_vector(model) + step).astype(np.float32))
    eigenvalues, eigenvectors = leading_curvature(middle, held_out, count)
    slope = reference_gradient(middle, held_out) + eigenvalues * (eigenvectors @ step) @ eigenvectors
    return Expansion(slope, eigenvalues, eigenvectors)
