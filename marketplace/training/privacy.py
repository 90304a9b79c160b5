"""Optional privacy of a trainer: clip the update, add Gaussian noise before quantisation, and account for it.

Trainer-level differential privacy: what is protected is a trainer's whole update of a round, hence all its data at
once. Every round is one Gaussian mechanism on the update, clipped to L2 norm c, with noise of standard deviation
sigma a coordinate; quantisation, encryption and everything later is post-processing. A trainer uses all its data in
every round, so no amplification by subsampling is claimed. The guarantee holds against whoever sees the update
itself, the aggregator included.

Not covered: the number of rounds taken part in, and the rounding of float64 noise (Mironov 2012), which the integer
grid that follows coarsens but does not remove.
"""

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from marketplace.training.errors import TrainingError

Update = npt.NDArray[np.float64]
RandomBytes = Callable[[int], bytes]


class Neighbouring(StrEnum):
    """What the guarantee hides."""

    ADD_OR_REMOVE = "add-or-remove"
    REPLACE = "replace"


@dataclass(frozen=True)
class PrivacyLoss:
    """A statement "(epsilon, delta)-differentially private at trainer level", with the order that proves it."""

    epsilon: float
    delta: float
    order: float


def clip_update(update: Update, maximum_norm: float) -> Update:
    """Return `update * min(1, c / ||update||_2)`, c the maximum norm, > 0.

    Raises
    ------
    TrainingError
        If c is not positive and finite.
    """
    if not 0 < maximum_norm < math.inf:
        raise TrainingError(f"The clipping norm is {maximum_norm}; it must be a positive number.")
    norm = float(np.linalg.norm(update))
    return update if norm <= maximum_norm else update * (maximum_norm / norm)


def gaussian_noise(size: int, deviation: float, random_bytes: RandomBytes = secrets.token_bytes) -> Update:
    """Draw Gaussian noise from the operating system's random bytes (Box and Muller 1958).

    A statistical generator such as PCG64 can be reconstructed from its output, and with it the noise; the operating
    system's can't.

    Parameters
    ----------
    size
        Number of values.
    deviation
        Standard deviation sigma of each, >= 0.
    random_bytes
        Returns that many random bytes; given only by tests.
    """
    if not 0 <= deviation < math.inf:
        raise TrainingError(f"The noise's standard deviation is {deviation}; it must be 0 or a positive number.")
    pairs = (size + 1) // 2
    bits = np.frombuffer(random_bytes(16 * pairs), dtype="<u8") >> np.uint64(11)
    # 53 bits, and half a step above zero, so that the logarithm is finite.
    uniform = (bits.astype(np.float64) + 0.5) * 2.0**-53
    radius = deviation * np.sqrt(-2.0 * np.log(uniform[:pairs]))
    angle = 2.0 * math.pi * uniform[pairs:]
    noise: Update = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    return noise[:size]


def privatise(
    update: Update, maximum_norm: float, deviation: float, random_bytes: RandomBytes = secrets.token_bytes
) -> Update:
    """Return the update clipped to norm `maximum_norm` plus Gaussian noise of standard deviation `deviation`."""
    noise = gaussian_noise(update.size, deviation, random_bytes)
    return clip_update(update, maximum_norm) + noise


def privacy_loss(
    maximum_norm: float,
    deviation: float,
    rounds: int,
    delta: float,
    neighbouring: Neighbouring = Neighbouring.REPLACE,
) -> PrivacyLoss:
    """Return (epsilon, delta) of `rounds` releases of a clipped update with Gaussian noise.

    The Gaussian mechanism with sensitivity S has Renyi divergence `alpha S^2 / (2 sigma^2)` at order alpha, and
    rounds add up (Mironov 2017, arXiv 1702.07476, proposition 7 and 1). With rho = rounds S^2 / (2 sigma^2), for
    every alpha > 1

        epsilon = alpha rho + log((alpha - 1) / alpha) - (log delta + log alpha) / (alpha - 1)

    (Canonne, Kamath and Steinke 2020, arXiv 2004.00010, proposition 12; Balle et al. 2020, arXiv 1905.09982,
    theorem 21), minimised over alpha. S is c when the trainer takes part or does not (an absent update is zero), and
    2 c when its update is replaced by any other.

    Parameters
    ----------
    maximum_norm
        c, the clipping norm, > 0.
    deviation
        sigma, the noise's standard deviation a coordinate, in the same unit, > 0 for a finite epsilon.
    rounds
        Rounds in which the trainer submits, >= 0.
    delta
        Between 0 and 1, both excluded; well below 1 / (number of trainers).
    neighbouring
        What the guarantee hides.

    Raises
    ------
    TrainingError
        If an argument is out of range.
    """
    positive = 0 < maximum_norm < math.inf and 0 <= deviation < math.inf
    if not positive or rounds < 0 or not 0 < delta < 1:
        raise TrainingError(
            f"No privacy statement for clipping {maximum_norm}, noise {deviation}, {rounds} rounds and delta {delta}; "
            "clipping must be positive, noise and rounds at least 0, delta between 0 and 1."
        )
    if rounds == 0:
        return PrivacyLoss(epsilon=0.0, delta=delta, order=math.inf)
    if deviation == 0:
        return PrivacyLoss(epsilon=math.inf, delta=delta, order=math.inf)
    sensitivity = maximum_norm * (2 if neighbouring is Neighbouring.REPLACE else 1)
    rho = rounds * (sensitivity / deviation) ** 2 / 2
    order = _best_order(rho, delta)
    return PrivacyLoss(epsilon=max(0.0, _epsilon(order, rho, delta)), delta=delta, order=order)


def _epsilon(order: float, rho: float, delta: float) -> float:
    """Return the epsilon that one Renyi order proves; the formula is in `privacy_loss`."""
    return order * rho + math.log1p(-1 / order) - (math.log(delta) + math.log(order)) / (order - 1)


def _best_order(rho: float, delta: float) -> float:
    """Minimise `_epsilon` over orders above 1 by ternary search on log(order - 1).

    Any order gives a valid statement, so an inexact minimum costs tightness, never correctness.
    """
    # The minimum lies near 1 + sqrt(log(1/delta) / rho); the bracket leaves three decades on both sides.
    centre = 0.5 * math.log(math.log(1 / delta) / rho)
    low, high = centre - 7.0, centre + 7.0
    for _ in range(200):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if _epsilon(1 + math.exp(left), rho, delta) <= _epsilon(1 + math.exp(right), rho, delta):
            high = right
        else:
            low = left
    return 1 + math.exp((low + high) / 2)
