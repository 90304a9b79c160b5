"""The referee's vectors: which way the round's model should move, seen from the held-out set, and how far.

The reference is `a = -grad L(theta)`, `L` the mean cross-entropy of the round's model on the referee's held-out
samples. The inner product `<a, delta>` is then the first-order fall in loss that an update `delta` brings.

Its scale is free: the filter reads only the sign of `<a, q_i>` and pay only the ratios of Shapley values, which
without curvature vectors are linear in `a`. So the gradient is stretched until its largest coordinate is exactly
`2^(b-1) - 1`: nothing is clipped and no bit of the range is wasted, whether the gradient is large (first round) or
small (last). Rounding is to nearest, so that whoever learns the held-out set can recompute the vector exactly up
to the floating-point sum.
"""

import copy
import math

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from contribution.curvature import CURVATURE_BITS
from marketplace.training.curvature import leading_curvature
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError

Vector = npt.NDArray[np.float64]


def referee_vectors(
    model: nn.Module, held_out: Dataset, count: int, bits: int, scale_exponent: int
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

    Returns
    -------
    list of ndarray
        int16, shape (d,); see `integer_references`.

    Raises
    ------
    TrainingError
        If the model has diverged, or `bits` is out of range.
    """
    gradient = reference_gradient(model, held_out)
    if count == 1:
        return [integer_reference(gradient, bits)]
    eigenvalues, eigenvectors = leading_curvature(model, held_out, count - 1)
    return integer_references(gradient, eigenvalues, eigenvectors, bits, scale_exponent)


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
    gradient
        g, as `reference_gradient` returns it, shape (d,).
    eigenvalues, eigenvectors
        lambda and v, as `leading_curvature` returns them, shapes (K,) and (K, d); K may be 0.
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
