"""Models of the zoo as networks that can be run and trained; `marketplace.training.zoo` describes them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from marketplace.training.errors import ModelError
from marketplace.training.zoo import Parameters, Vector, initial_vector, integers, model_shapes, vector_length


def build_model(name: str, parameters: Parameters, inputs: int, classes: int, seed: int = 0) -> nn.Module:
    """Build a model of the zoo with deterministic initial weights.

    Parameters
    ----------
    name, parameters, inputs, classes
        As in `marketplace.training.zoo.model_faults`.
    seed
        Of the initial weights; the same seed gives the same bits on every machine.

    Returns
    -------
    torch.nn.Module
        Maps float32 (n, inputs) to float32 logits (n, classes).

    Raises
    ------
    ModelError
        With every fault of the description listed.
    """
    shapes = model_shapes(name, parameters, inputs, classes)
    model = _architecture(name, parameters, inputs, classes).to_empty(device="cpu")
    set_vector(model, initial_vector(shapes, seed))
    return model


def _mlp(widths: Sequence[int]) -> nn.Module:
    """Fully connected layers from `widths[0]` inputs to `widths[-1]` logits, ReLU between."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _cnn(height: int, width: int, channels: Sequence[int], classes: int) -> nn.Module:
    """One 3 x 3 convolution, ReLU and 2 x 2 maximum pooling per entry of `channels`, then a linear layer."""
    layers: list[nn.Module] = [nn.Unflatten(1, (1, height, width))]
    for before, after in pairwise([1, *channels]):
        layers += [nn.Conv2d(before, after, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    left = (height >> len(channels)) * (width >> len(channels))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[-1] * left, classes))


def _architecture(name: str, parameters: Parameters, inputs: int, classes: int) -> nn.Module:
    """Return the modules of a faultless description, on the meta device: shapes and no memory."""
    with torch.device("meta"):
        match name:
            case "mlp":
                return _mlp([inputs, *integers(parameters["hidden"]), classes])
            case "cnn":
                height, width = integers([parameters["height"], parameters["width"]])
                return _cnn(height, width, integers(parameters["channels"]), classes)
            case _:
                return nn.Sequential(nn.Linear(inputs, classes))


def parameter_shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a model's parameters, in the order in which its vector holds them."""
    return {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}


def parameter_count(model: nn.Module) -> int:
    """Return d, the length of the model's vector."""
    return vector_length(parameter_shapes(model))


def get_vector(model: nn.Module) -> Vector:
    """Return a copy of the model's parameters as one float32 vector of length d."""
    parts = [p.detach().to("cpu", torch.float32).reshape(-1) for p in model.parameters()]
    return np.array(torch.cat(parts).numpy(), dtype=np.float32)


def set_vector(model: nn.Module, vector: npt.NDArray[np.floating]) -> None:
    """Overwrite the model's parameters with a vector of length d.

    Raises
    ------
    ModelError
        If the vector has another length than the model, or holds a value that is not finite in float32; nothing is
        changed then.
    """
    expected = parameter_count(model)
    if vector.shape != (expected,):
        raise ModelError(
            f"The vector has shape {vector.shape}, the model {expected} parameters: it belongs to another model; "
            "fetch the model of this job and round."
        )
    with np.errstate(over="ignore"):
        values = vector.astype(np.float32)
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ModelError(
            f"{bad} of the vector's {expected} values are NaN, infinite or beyond float32: the training has diverged "
            "or the file is damaged; fetch the model again, and if it stays so, leave the job."
        )
    parameters = list(model.parameters())
    pieces = torch.split(torch.from_numpy(values), [p.numel() for p in parameters])
    with torch.no_grad():
        for parameter, piece in zip(parameters, pieces, strict=True):
            parameter.copy_(piece.reshape(parameter.shape))
