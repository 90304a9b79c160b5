"""Accuracy and loss of a model on a data set."""

from dataclasses import dataclass

import torch
from torch import nn

from marketplace.training.data import Dataset

BATCH = 4_096


@dataclass(frozen=True)
class Evaluation:
    """How a model does on a data set: `accuracy` in [0, 1], `loss` the mean cross-entropy in nats."""

    accuracy: float
    loss: float


def evaluate(model: nn.Module, data: Dataset) -> Evaluation:
    """Return the accuracy and mean cross-entropy of a model on `data`, without changing the model.

    Parameters
    ----------
    model
        Maps float32 (n, inputs) to logits (n, classes).
    data
        The samples; their order does not matter.
    """
    correct, loss = 0, 0.0
    training = model.training
    model.eval()
    with torch.no_grad():
        for start in range(0, len(data), BATCH):
            x = torch.tensor(data.x[start : start + BATCH])
            y = torch.tensor(data.y[start : start + BATCH])
            logits = model(x)
            correct += int((logits.argmax(dim=1) == y).sum())
            loss += float(nn.functional.cross_entropy(logits.double(), y, reduction="sum"))
    model.train(training)
    return Evaluation(accuracy=correct / len(data), loss=loss / len(data))
