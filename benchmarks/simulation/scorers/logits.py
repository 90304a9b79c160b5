"""Values from the change of the logits: n forward passes instead of 2^n.

To first order in the parameters a network's logits move linearly, so that the logits of a coalition's mean are about
the mean of its members' logits. The softmax and the loss behind them are taken as they are:

    U(T) = CE(l_0) - CE(l_0 + mean_{i in T} (l(theta + u_i) - l_0)),

with CE the mean cross-entropy. The linearisation is that of Jacot, Gabriel and Hongler 2018, "Neural Tangent Kernel",
arXiv 1806.07572. It is honest only on a batch that was committed to before the updates were made.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from benchmarks.simulation.scorers.coalitions import Mask, Utility, Valuation, Values, mean_weights
from benchmarks.simulation.scorers.exact import shapley_of_table
from marketplace.training.data import Dataset
from marketplace.training.models import set_vector

_BATCH_VALUES: Final = 2**22


@dataclass(frozen=True)
class LogitChanges:
    """What each trainer's update alone does to the logits of a batch.

    Attributes
    ----------
    base
        Logits of the round's model, float64, shape (samples, classes).
    changes
        Shape (n, samples, classes).
    labels
        int64, shape (samples,).
    """

    base: Values
    changes: Values
    labels: npt.NDArray[np.int64]


def logit_changes(
    model: nn.Module, parameters: npt.NDArray[np.floating], updates: npt.NDArray[np.floating], data: Dataset
) -> LogitChanges:
    """Evaluate the model and each trainer's model on a batch.

    Parameters
    ----------
    model
        The architecture; not changed.
    parameters
        Shape (d,).
    updates
        Shape (n, d).
    data
        The batch.
    """
    scratch = copy.deepcopy(model)
    samples = torch.tensor(data.x)

    def logits_at(vector: npt.NDArray[np.floating]) -> Values:
        set_vector(scratch, vector)
        with torch.no_grad():
            return np.asarray(scratch(samples).numpy(), dtype=np.float64)

    base = logits_at(parameters)
    changes = np.array([logits_at(parameters + update) - base for update in updates])
    return LogitChanges(base, changes, data.y)


def cross_entropies(logits: Values, labels: npt.NDArray[np.int64]) -> Values:
    """Return the mean cross-entropy of each of B sets of logits, shape (B, samples, classes), in nats."""
    shifted = logits - logits.max(axis=2, keepdims=True)
    right = shifted[:, np.arange(len(labels)), labels]
    return np.asarray((np.log(np.exp(shifted).sum(axis=2)) - right).mean(axis=1))


def logit_utility(round_: LogitChanges) -> Utility:
    """Return the game as a utility, for scorers that sample."""
    before = float(cross_entropies(round_.base[np.newaxis], round_.labels)[0])

    def utility(mask: Mask) -> float:
        if not mask.any():
            return 0.0
        logits = round_.base + round_.changes[mask].mean(axis=0)
        return before - float(cross_entropies(logits[np.newaxis], round_.labels)[0])

    return utility


def logit_shapley(round_: LogitChanges) -> Valuation:
    """Return the exact Shapley values of the game; n models were evaluated for the logits, none here.

    Parameters
    ----------
    round_
        At most 24 trainers.
    """
    n = len(round_.changes)
    weights = mean_weights(n).astype(np.float64)
    size = max(1, _BATCH_VALUES // round_.base.size)
    losses = np.concatenate(
        [
            cross_entropies(
                round_.base + np.tensordot(weights[start : start + size], round_.changes, axes=1), round_.labels
            )
            for start in range(0, len(weights), size)
        ]
    )
    return Valuation(shapley_of_table(losses[0] - losses), n)
