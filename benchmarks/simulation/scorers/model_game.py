"""The game that all scorers approximate: by how much a coalition's mean update lowers the loss of the round's model.

    U(T) = L(theta) - L(theta + mean_{i in T} u_i),   U({}) = 0,

with L the mean cross-entropy on a set of samples. `model_utility` evaluates one coalition at a time, as anybody would;
`coalition_utilities` evaluates all 2^n, which is what makes exact values affordable as a yardstick:

- The output of a first layer that is linear in its parameters (fully connected, or a convolution) is computed once for
  each trainer; for a coalition it is the mean of those, so that the widest layer is never evaluated again.
- Maximum pooling without overlap, most of a small convolutional network's time, is done by comparing slices.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils import vector_to_parameters

from benchmarks.simulation.scorers.coalitions import Mask, ScorerError, Utility, Values, mean_weights
from marketplace.training.data import Dataset
from marketplace.training.evaluate import evaluate
from marketplace.training.models import parameter_count, set_vector

# Hidden values of all coalitions that are evaluated together, which should fit a processor's cache (4 MB), and of one
# coalition: taking means of trainers' outputs is a matrix product, fast if it has some rows.
_BATCH_VALUES: Final = 2**20
_SAMPLE_VALUES: Final = 2**17

Vectors = npt.NDArray[np.floating]


@dataclass(frozen=True)
class SplitModel:
    """A model in two parts: what is linear in its parameters, and what is left.

    Attributes
    ----------
    before
        Layers without parameters.
    linear
        The first layer with parameters if its output is linear in them, else None.
    after
        The remaining layers.
    """

    before: nn.Module
    linear: nn.Module | None
    after: nn.Module


def split_model(model: nn.Module) -> SplitModel:
    """Split a copy of a model behind its first layer with parameters; what is no sequence of layers is left whole."""
    layers = list(model) if isinstance(model, nn.Sequential) else []
    first = next((k for k, layer in enumerate(layers) if any(True for _ in layer.parameters())), None)
    if first is None or not isinstance(layers[first], nn.Linear | nn.Conv2d):
        return SplitModel(nn.Identity(), None, copy.deepcopy(model))
    after = nn.Sequential(*(_quick(layer) for layer in layers[first + 1 :]))
    return SplitModel(nn.Sequential(*layers[:first]), copy.deepcopy(layers[first]), after)


class SlicePooling(nn.Module):
    """Maximum pooling over 2 x 2 squares without overlap: equal to `nn.MaxPool2d(2)` bit for bit, and faster."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Halve height and width, shape (..., height, width); an odd last row or column is left out."""
        height, width = images.shape[-2] // 2 * 2, images.shape[-1] // 2 * 2
        rows = torch.maximum(images[..., 0:height:2, :width], images[..., 1:height:2, :width])
        return torch.maximum(rows[..., 0::2], rows[..., 1::2])


def _quick(layer: nn.Module) -> nn.Module:
    """Return a copy of a layer, or what computes the same faster."""
    plain = (layer.kernel_size, layer.stride, layer.padding, layer.dilation) if isinstance(layer, nn.MaxPool2d) else ()
    return SlicePooling() if plain == (2, 2, 0, 1) else copy.deepcopy(layer)


def _batches(data: Dataset, split: SplitModel) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the samples in parts of `_SAMPLE_VALUES` hidden values."""
    one = split.before(torch.tensor(data.x[:1]))
    hidden = one.numel() if split.linear is None else split.linear(one).numel()
    size = max(1, _SAMPLE_VALUES // hidden)
    for start in range(0, len(data), size):
        yield torch.tensor(data.x[start : start + size]), torch.tensor(data.y[start : start + size])


def _losses(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the summed cross-entropy for each of B sets of logits, shape (B, samples, classes), in float64."""
    flat = logits.double().flatten(0, 1)
    each = nn.functional.cross_entropy(flat, labels.repeat(len(logits)), reduction="none")
    return each.reshape(len(logits), -1).sum(dim=1)


def _check(model: nn.Module, parameters: Vectors, updates: Vectors) -> None:
    """Refuse vectors that do not belong to the model."""
    d = parameter_count(model)
    if parameters.shape != (d,) or updates.ndim != 2 or updates.shape[1] != d:
        raise ScorerError(
            f"the model has {d} parameters, but the vector has shape {parameters.shape} and the updates "
            f"{updates.shape}; give vectors of shape ({d},) and (n, {d})"
        )


def coalition_utilities(model: nn.Module, parameters: Vectors, updates: Vectors, data: Dataset) -> Values:
    """Return the utility of every coalition, by coalition number.

    Parameters
    ----------
    model
        The architecture; not changed.
    parameters
        theta, shape (d,).
    updates
        Shape (n, d), n at most 24.
    data
        The samples of the loss.

    Returns
    -------
    ndarray
        float64, shape (2^n,); the forward passes are float32, as in `marketplace.training.evaluate`.
    """
    _check(model, parameters, updates)
    split = split_model(model)
    weights = torch.from_numpy(mean_weights(len(updates)))
    start, moves = (torch.from_numpy(np.array(vectors, dtype=np.float32)) for vectors in (parameters, updates))
    totals = torch.zeros(len(weights), dtype=torch.float64)
    with torch.no_grad():
        for samples, labels in _batches(data, split):
            totals += _coalition_losses(split, start, moves, weights, samples, labels)
    losses = totals.numpy() / len(data)
    return np.asarray(losses[0] - losses)


def _coalition_losses(
    split: SplitModel,
    start: torch.Tensor,
    moves: torch.Tensor,
    weights: torch.Tensor,
    samples: torch.Tensor,
    labels: torch.Tensor,
) -> torch.Tensor:
    """Return the summed loss of each row of weights on some samples."""
    features = split.before(samples)
    if split.linear is None:
        return _in_batches(split.after, start, moves, weights, features, None, labels)
    count = sum(parameter.numel() for parameter in split.linear.parameters())
    outputs = []
    for vector in [start, *moves]:
        vector_to_parameters(vector[:count], split.linear.parameters())
        outputs.append(split.linear(features))
    changes = torch.stack(outputs[1:])
    return _in_batches(split.after, start[count:], moves[:, count:], weights, outputs[0], changes, labels)


def _in_batches(
    module: nn.Module,
    start: torch.Tensor,
    moves: torch.Tensor,
    weights: torch.Tensor,
    inputs: torch.Tensor,
    changes: torch.Tensor | None,
    labels: torch.Tensor,
) -> torch.Tensor:
    """Return the summed loss of each coalition.

    Parameters
    ----------
    module
        The layers that are evaluated for each coalition; its parameters are overwritten.
    start, moves
        Their parameters, shape (e,), and each trainer's change of them, shape (n, e).
    weights
        Shape (coalitions, n).
    inputs
        What the layers are given, shape (samples, ...).
    changes
        Each trainer's change of that, shape (n, samples, ...); None if it is the same for all coalitions.
    labels
        Shape (samples,).
    """
    results = []
    for rows in torch.split(weights, max(1, _BATCH_VALUES // inputs.numel())):
        vectors = start + rows @ moves
        values = inputs.expand(len(rows), *inputs.shape)
        if changes is not None:
            values = torch.addmm(inputs.reshape(1, -1), rows, changes.flatten(1)).reshape(values.shape)
        logits = []
        for vector, value in zip(vectors, values, strict=True):
            vector_to_parameters(vector, module.parameters())
            logits.append(module(value))
        results.append(_losses(torch.stack(logits), labels))
    return torch.cat(results)


def model_utility(model: nn.Module, parameters: Vectors, updates: Vectors, data: Dataset) -> Utility:
    """Return the utility that builds and evaluates the model of one coalition whenever it is asked.

    Parameters
    ----------
    model, parameters, updates, data
        As for `coalition_utilities`, of which this is the plain twin.
    """
    _check(model, parameters, updates)
    scratch = copy.deepcopy(model)
    set_vector(scratch, parameters)
    before = evaluate(scratch, data).loss

    def utility(mask: Mask) -> float:
        if not mask.any():
            return 0.0
        set_vector(scratch, parameters + updates[mask].mean(axis=0))
        return before - evaluate(scratch, data).loss

    return utility
