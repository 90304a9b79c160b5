"""The model as a function of the initial model and the published sums: server momentum with a look ahead.

With `a_r = A_r / (W 2^s)`, where A_r is the cumulative sum that the r-th settled round published, and the job's server
momentum mu:

    c_r     = a_r + mu c_(r-1),   c_0 = 0       the displacement
    theta_r = theta_0 + c_r                     the job's model after r settled rounds
    y_r     = theta_0 + (a_r + mu c_r)          the round's model: where everybody trains from next

These are the recursions of momentum in closed form. With the step `s_r = a_r - a_(r-1)` of a round and the velocity
`v_r = c_r - c_(r-1)`:

    v_r = mu v_(r-1) + s_r,   theta_r = theta_(r-1) + v_r,   y_r = theta_r + mu v_r,   theta_(r+1) = y_r + s_(r+1)

so that every step is added where it was computed. Rounds that are not settled add nothing and don't count. Server
momentum is FedAvgM of Hsu, Qi and Brown 2019, "Measuring the Effects of Non-Identical Data Distribution for Federated
Visual Classification", arXiv 1909.06335; computing the step at y_r is Nesterov's form, as in Sutskever, Martens, Dahl
and Hinton 2013, "On the importance of initialization and momentum in deep learning", ICML.

All of it is elementwise in float64, a multiplication and then an addition, each rounded once, and rounded to float32 at
the end: the same bits on every machine. With mu = 0 both models are `float32(float64(theta_0) + A_r / (W 2^s))`, and
only the last sum matters.
"""

from __future__ import annotations

from typing import Final, cast

import numpy as np
import numpy.typing as npt

from marketplace.errors import DimensionError
from marketplace.payload.aggregate_file import WEIGHT_TOTAL, Cumulative
from marketplace.payload.model_file import Vector, without_subnormals
from marketplace.payload.quantise import check_scale_exponent, refuse_non_finite

# Of earlier steps more than the last hundred would count otherwise.
MAXIMUM_SERVER_MOMENTUM: Final = 0.99

Displacement = npt.NDArray[np.float64]


def server_momentum_faults(momentum: object) -> list[str]:
    """Return what is wrong with a server momentum, in a sentence, if anything is."""
    is_number = isinstance(momentum, int | float) and not isinstance(momentum, bool)
    if is_number and 0 <= cast(float, momentum) <= MAXIMUM_SERVER_MOMENTUM:
        return []
    return [f"server_momentum is {momentum!r}; it must be a number from 0 to {MAXIMUM_SERVER_MOMENTUM}"]


def displace(before: Displacement, cumulative: Cumulative, scale_exponent: int, momentum: float) -> Displacement:
    """Return `A_r / (W 2^s) + mu c_(r-1)`: the displacement after one more settled round.

    Parameters
    ----------
    before
        c_(r-1), float64, shape (d,); zeros before the first settled round.
    cumulative
        A_r, int64, shape (d,), below 2^53 in magnitude so that float64 is exact.
    scale_exponent
        s of the job.
    momentum
        mu, from 0 to 0.99.

    Raises
    ------
    DimensionError
        If the lengths differ.
    """
    check_scale_exponent(scale_exponent)
    if before.shape != cumulative.shape:
        raise DimensionError("aggregate", cumulative.size, before.size)
    step = np.ldexp(cumulative.astype(np.float64), -scale_exponent - (WEIGHT_TOTAL.bit_length() - 1))
    # Two roundings and never one: a fused multiplication and addition would differ between machines.
    return np.asarray(step + momentum * before)


def look_ahead(
    displacement: Displacement, cumulative: Cumulative, scale_exponent: int, momentum: float
) -> Displacement:
    """Return `A_r / (W 2^s) + mu c_r`, by which y_r differs from the initial model.

    It is the displacement that one more round would lead to if that round added nothing.

    Parameters
    ----------
    displacement
        c_r, float64, shape (d,).
    cumulative
        A_r, of the same round.
    scale_exponent, momentum
        As in `displace`.

    Raises
    ------
    DimensionError
        If the lengths differ.
    """
    return displace(displacement, cumulative, scale_exponent, momentum)


def displaced(initial: Vector, displacement: Displacement) -> Vector:
    """Return the model `float32(float64(theta_0) + displacement)`, subnormals and -0.0 as +0.0.

    Parameters
    ----------
    initial
        theta_0, float32, shape (d,).
    displacement
        float64, shape (d,).

    Raises
    ------
    DimensionError
        If the lengths differ.
    NonFiniteError
        If a parameter leaves the range of float32.
    """
    if initial.shape != displacement.shape:
        raise DimensionError("displacement", displacement.size, initial.size)
    with np.errstate(over="ignore"):
        model = (without_subnormals(initial).astype(np.float64) + displacement).astype(np.float32)
    refuse_non_finite(model, "model")
    return without_subnormals(model)
