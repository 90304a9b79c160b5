"""The referee's vectors: which way the round's model should move, seen from the held-out set, and how far.

A reference alone is `a = -grad L(theta)`, `L` the mean cross-entropy of the round's model on the referee's held-out
samples. The inner product `<a, delta>` is then the first-order fall in loss that an update `delta` brings. With
curvature vectors it is the slope of the quadratic model that `marketplace.training.expansion` makes.

Its scale is free: the filter reads only the sign of `<a, q_i>` and pay only the ratios of Shapley values, which
without curvature vectors are linear in `a`. So the reference is stretched until its largest coordinate is exactly
`2^(b-1) - 1`: nothing is clipped and no bit of the range is wasted, whether the gradient is large (first round) or
small (last). Rounding is to nearest, so that whoever learns the held-out set can recompute the vector exactly up
to the floating-point sum.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from torch import nn

from contribution.curvature import CURVATURE_BITS
from marketplace.training.configuration import RoundConfiguration
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.expansion import expand
from marketplace.training.gradient import reference_gradient

Vector = npt.NDArray[np.float64]

# Of the referee's training; known to all, so that whoever learns the held-out set can check the vectors.
REFEREE_SEED: Final = 0


def referee_vectors(
    model: nn.Module, held_out: Dataset, count: int, bits: int, scale_exponent: int, training: RoundConfiguration
) -> list[npt.NDArray[np.int16]]:
    """Return all that a referee posts in a round: the reference, then `count - 1` curvature vectors.

    Parameters
    ----------
    model
        The round's model; it is not changed.
    held_out
        The referee's samples.
    count
        Of the vectors, at least 1.
    bits, scale_exponent
        b and s, as in the job's terms.
    training
        How trainers train in this round; a reference alone doesn't depend on it.

    Returns
    -------
    list of ndarray
        int16, shape (d,); see `integer_references`.

    Raises
    ------
    TrainingError
        If the model has diverged, or `bits` is out of range.
    """
    if count == 1:
        return [integer_reference(reference_gradient(model, held_out), bits)]
    found = expand(model, held_out, count - 1, training)
    return integer_references(found.slope, found.eigenvalues, found.eigenvectors, bits, scale_exponent)


def integer_reference(gradient: Vector, bits: int = 16) -> npt.NDArray[np.int16]:
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
    _require_supported(gradient, bits)
    largest = float(np.abs(gradient).max(initial=0.0))
    # Dividing first keeps the quotient within [-1, 1] for subnormal gradients too.
    return _rounded(gradient / largest * _top(bits)) if largest else np.zeros(gradient.shape, dtype=np.int16)


def integer_references(
    gradient: Vector, eigenvalues: Vector, eigenvectors: Vector, bits: int, scale_exponent: int
) -> list[npt.NDArray[np.int16]]:
    """Return what the referee posts: the reference, then one curvature vector per eigenvalue.

    `a = round(alpha g)` and `c_k = round(2^8 sqrt(alpha lambda_k 2^-s) v_k)`, with the largest alpha for which every
    coordinate fits `bits` bits:

        alpha = min(m / max |g|, (m / (2^8 max_k max |sqrt(lambda_k 2^-s) v_k|))^2),  m = 2^(bits-1) - 1.

    Parameters
    ----------
    gradient, eigenvalues, eigenvectors
        g, lambda and v, as the fields of an `Expansion`, shapes (d,), (K,) and (K, d); K may be 0.
    bits
        b, width of a coordinate, 2 to 16, as in the job's terms.
    scale_exponent
        s, as in the job's terms: an update is `q / 2^s`.

    Returns
    -------
    list of ndarray
        1 + K of int16, shape (d,). Without curvature the first is exactly `integer_reference(gradient, bits)`.

    Raises
    ------
    TrainingError
        If `bits` is out of range, a value is NaN or infinite, or an eigenvalue is negative.
    """
    _require_supported(gradient, bits)
    if not np.isfinite(eigenvalues).all() or not np.isfinite(eigenvectors).all() or (eigenvalues < 0).any():
        raise TrainingError("An eigenvalue is negative, or the curvature holds NaN or infinity.")
    roots = np.sqrt(np.ldexp(eigenvalues, -scale_exponent))[:, np.newaxis] * eigenvectors
    steepest, largest = float(np.abs(gradient).max(initial=0.0)), float(np.abs(roots).max(initial=0.0))
    factor = 2 ** (CURVATURE_BITS // 2)
    # Square roots of the two bounds of alpha: alpha itself can lie outside of a float's range.
    by_gradient = math.sqrt(_top(bits)) / math.sqrt(steepest) if steepest else math.inf
    by_curvature = _top(bits) / factor / largest if largest else math.inf
    if not largest or (steepest and by_gradient <= by_curvature):
        curvature = roots * (factor * by_gradient) if largest else roots
        return [integer_reference(gradient, bits), *map(_rounded, curvature)]
    reference = gradient * by_curvature * by_curvature if steepest else gradient
    return [_rounded(reference), *map(_rounded, roots / largest * _top(bits))]


def _require_supported(gradient: Vector, bits: int) -> None:
    if not 2 <= bits <= 16:
        raise TrainingError(f"A reference of {bits} bits is not supported; use 2 to 16, as the job does.")
    if not np.isfinite(gradient).all():
        raise TrainingError("The reference gradient holds NaN or infinity; the round's model has diverged.")


def _top(bits: int) -> int:
    """Return the largest coordinate of so many bits; its negative is the smallest that is used."""
    return (1 << (bits - 1)) - 1


def _rounded(vector: Vector) -> npt.NDArray[np.int16]:
    return np.asarray(np.rint(vector), dtype=np.float64).astype(np.int16)
