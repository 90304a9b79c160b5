"""The leading curvature of the loss at the round's model, seen from the held-out set.

The curvature is the generalised Gauss-Newton matrix (Schraudolph, Fast curvature matrix-vector products for
second-order gradient descent, Neural Computation 14, 2002; Martens 2020, arXiv 1412.1193) of the mean softmax
cross-entropy over N samples,

    H = 1/N sum_n J_n' (diag(p_n) - p_n p_n') J_n,

J_n the Jacobian of the logits of sample n by the parameters, p_n its softmax. Unlike the Hessian it is a sum of
squares, which is all that inner products with vectors can give. It is never formed: `H v` is one derivative along v
(`J v`) and one backward (`J' u`). Its leading eigenvectors come from subspace iteration with a Rayleigh-Ritz step
(Halko, Martinsson and Tropp, SIAM Review 53, 2011). The derivatives are computed in float32, several times faster than
in float64 and far more exact than the integers that become of them; all that is done with the vectors is float64.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.models import parameter_count

Vectors = npt.NDArray[np.float64]

ITERATIONS: Final = 4
# Vectors beyond those asked for: they take up what lies between the last one wanted and the bulk of the spectrum.
_OVERSAMPLING: Final = 6
# Samples whose activations are held at a time.
_BATCH: Final = 256
# An eigenvalue below this share of the largest is what the rounding of float32 may leave of zero.
_ZERO: Final = 1e-6


def leading_curvature(
    model: nn.Module, held_out: Dataset, count: int, iterations: int = ITERATIONS, seed: int = 0
) -> tuple[Vectors, Vectors]:
    """Return the largest eigenvalues of the generalised Gauss-Newton matrix on the held-out set, with eigenvectors.

    Parameters
    ----------
    model
        The round's model; it is not changed. Its outputs are the logits.
    held_out
        The referee's samples; their labels are not used, because the matrix doesn't depend on them.
    count
        K, how many eigenvalues, at least 1.
    iterations
        Products with the whole block of vectors, at least 1. What is not converged lowers an eigenvalue, never raises
        it: the result is a lower bound of the curvature.
    seed
        Of the block that the iteration starts from.

    Returns
    -------
    eigenvalues : ndarray, float64, shape (K,)
        Descending, none negative; zero where the matrix has no further positive one.
    eigenvectors : ndarray, float64, shape (K, d)
        One a row, in the order of the model's vector; of length 1, the largest coordinate positive; zero where the
        eigenvalue is zero.

    Raises
    ------
    TrainingError
        If `count` or `iterations` is below 1, or the model has diverged.
    """
    if count < 1 or iterations < 1:
        raise TrainingError(
            f"{count} eigenvectors by {iterations} iterations were asked for; ask for at least one of each."
        )
    curvature = _Curvature(model, held_out)
    block = curvature.sketch(min(count + _OVERSAMPLING, curvature.dimension), seed)
    for _ in range(iterations):
        basis = _orthonormal(block)
        block = curvature.times(basis)
    projected = basis.T @ block
    values, mixing = np.linalg.eigh((projected + projected.T) / 2)
    return _leading(values[::-1], basis @ mixing[:, ::-1], count)


class _Batch:
    """The model linearised at its parameters, for some samples."""

    def __init__(self, model: nn.Module, x: torch.Tensor) -> None:
        self._parameters = list(model.parameters())
        self._logits = model(x)
        self.chances = self._logits.detach().softmax(1)
        # J' u is linear in u, so its derivative by u along v is J v: two backward passes for the forward one.
        self._probe = torch.zeros_like(self._logits, requires_grad=True)
        self._pulled = torch.autograd.grad(self._logits, self._parameters, self._probe, create_graph=True)

    def pull(self, change: torch.Tensor) -> Vectors:
        """Return `J' u` for a change u of the logits, shape (d,)."""
        parts = torch.autograd.grad(self._logits, self._parameters, change, retain_graph=True)
        return np.asarray(torch.cat([part.reshape(-1) for part in parts]).numpy(), dtype=np.float64)

    def push(self, vector: Vectors) -> torch.Tensor:
        """Return the change of the logits along a vector of the parameters, `J v`."""
        sizes = [parameter.numel() for parameter in self._parameters]
        parts = torch.split(torch.from_numpy(vector.astype(np.float32)), sizes)
        along = [part.reshape(p.shape) for part, p in zip(parts, self._parameters, strict=True)]
        return torch.autograd.grad(self._pulled, self._probe, along, retain_graph=True)[0]


class _Curvature:
    """The generalised Gauss-Newton matrix of a model on a data set, as a linear map on float64 vectors."""

    def __init__(self, model: nn.Module, held_out: Dataset) -> None:
        self._model = copy.deepcopy(model).float().eval()
        self._x = torch.tensor(held_out.x, dtype=torch.float32)
        self.dimension = parameter_count(model)

    def sketch(self, columns: int, seed: int) -> Vectors:
        """Return random combinations of the columns of the matrix's square root `J' F`, shape (d, columns)."""
        generator = np.random.Generator(np.random.PCG64(seed))

        def column(batch: _Batch, _: int) -> Vectors:
            noise = generator.standard_normal(tuple(batch.chances.shape), dtype=np.float32)
            root = batch.chances.sqrt() * torch.from_numpy(noise)
            return batch.pull(root - batch.chances * root.sum(1, keepdim=True))

        return self._sum(column, columns)

    def times(self, block: Vectors) -> Vectors:
        """Return the product of the matrix with a block, shape (d, columns)."""

        def column(batch: _Batch, k: int) -> Vectors:
            weighted = batch.chances * batch.push(block[:, k])
            return batch.pull(weighted - batch.chances * weighted.sum(1, keepdim=True))

        return self._sum(column, block.shape[1])

    def _sum(self, column: Callable[[_Batch, int], Vectors], columns: int) -> Vectors:
        """Return the mean over the samples of what each batch adds to each column, shape (d, columns)."""
        block = np.zeros((self.dimension, columns))
        for start in range(0, len(self._x), _BATCH):
            batch = _Batch(self._model, self._x[start : start + _BATCH])
            for k in range(columns):
                block[:, k] += column(batch, k)
        bad = int((~np.isfinite(block)).any(axis=1).sum())
        if bad:
            raise TrainingError(
                f"The curvature is NaN or infinite in {bad} of {self.dimension} coordinates: the round's model has "
                "diverged; check the held-out set's normalisation and the job's learning rate."
            )
        return block / len(self._x)


def _orthonormal(block: Vectors) -> Vectors:
    """Return an orthonormal basis of a space that holds the block's columns, shape (d, columns)."""
    return np.asarray(np.linalg.qr(block)[0])


def _leading(values: Vectors, vectors: Vectors, count: int) -> tuple[Vectors, Vectors]:
    """Return the first `count` pairs with a positive eigenvalue, one vector a row, filled up with zeros."""
    positive = int((values[:count] > max(values[0], 0.0) * _ZERO).sum())
    eigenvalues = np.zeros(count)
    eigenvectors = np.zeros((count, vectors.shape[0]))
    eigenvalues[:positive] = values[:positive]
    for k in range(positive):
        vector = vectors[:, k]
        eigenvectors[k] = vector * np.sign(vector[np.abs(vector).argmax()])
    return eigenvalues, eigenvectors
