"""The model zoo: architectures by name and parameters, so that a job never ships code to its trainers.

A model travels as one flat float32 vector: its parameters in the order of `parameter_shapes`, each in row-major
order. None of the architectures has buffers (running statistics), so the vector is the whole state.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from marketplace.training.errors import ModelError

MAXIMUM_INPUTS: Final = 1 << 20
MAXIMUM_CLASSES: Final = 10_000
MAXIMUM_LAYERS: Final = 8
MAXIMUM_WIDTH: Final = 8_192
MAXIMUM_SIDE: Final = 1_024
MAXIMUM_PARAMETERS: Final = 1 << 26

# name -> the names of its parameters
_ZOO: Final[dict[str, frozenset[str]]] = {
    "logistic-regression": frozenset(),
    "mlp": frozenset({"hidden"}),
    "cnn": frozenset({"height", "width", "channels"}),
}

MODEL_NAMES: Final = tuple(_ZOO)

Parameters = Mapping[str, object]
Vector = npt.NDArray[np.float32]


def _integer_fault(what: str, value: object, low: int, high: int) -> list[str]:
    """Return one sentence if `value` is not an integer in [low, high], else nothing."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return []
    return [f"{what} is {value!r}; it must be an integer from {low} to {high}"]


def _widths_faults(what: str, value: object) -> list[str]:
    """Return what is wrong with a list of layer widths."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not 1 <= len(value) <= MAXIMUM_LAYERS:
        return [f"{what} is {value!r}; it must be a list of 1 to {MAXIMUM_LAYERS} integers"]
    return [f for k, width in enumerate(value) for f in _integer_fault(f"{what}[{k}]", width, 1, MAXIMUM_WIDTH)]


def _integers(value: object) -> list[int]:
    """Narrow a list of widths that `_widths_faults` has accepted."""
    return [v for v in value if isinstance(v, int)] if isinstance(value, Sequence) else []


def _cnn_faults(parameters: Parameters, inputs: int) -> list[str]:
    """Return what is wrong with the parameters of a convolutional network."""
    height, width, channels = (parameters.get(key) for key in ("height", "width", "channels"))
    faults = _integer_fault("height", height, 1, MAXIMUM_SIDE) + _integer_fault("width", width, 1, MAXIMUM_SIDE)
    channel_faults = _widths_faults("channels", channels)
    if not isinstance(height, int) or not isinstance(width, int) or faults or channel_faults:
        return faults + channel_faults
    if height * width != inputs:
        faults.append(f"height x width is {height} x {width} = {height * width}; it must equal the {inputs} inputs")
    layers = len(_integers(channels))
    if min(height, width) >> layers == 0:
        faults.append(f"{layers} channel layers halve a {height} x {width} image to nothing; use fewer layers")
    return faults


def _values_faults(name: str, parameters: Parameters, inputs: int) -> list[str]:
    """Return what is wrong with the values of a model's parameters."""
    match name:
        case "mlp":
            return _widths_faults("hidden", parameters.get("hidden"))
        case "cnn":
            return _cnn_faults(parameters, inputs)
        case _:
            return []


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
                return _mlp([inputs, *_integers(parameters["hidden"]), classes])
            case "cnn":
                height, width = _integers([parameters["height"], parameters["width"]])
                return _cnn(height, width, _integers(parameters["channels"]), classes)
            case _:
                return nn.Sequential(nn.Linear(inputs, classes))


def model_faults(name: str, parameters: Parameters, inputs: int, classes: int) -> list[str]:
    """List everything wrong with a model description, one sentence a fault; empty means `build_model` accepts it.

    Parameters
    ----------
    name
        One of `MODEL_NAMES`.
    parameters
        None for `logistic-regression`; `hidden` (list of widths) for `mlp`; `height`, `width` and `channels`
        (list of widths, each layer halving the image) for `cnn`.
    inputs, classes
        Features of one sample, and number of classes.
    """
    faults = _integer_fault("inputs", inputs, 1, MAXIMUM_INPUTS)
    faults += _integer_fault("classes", classes, 2, MAXIMUM_CLASSES)
    if name not in _ZOO:
        return [*faults, f"model {name!r} is not known; choose one of {', '.join(MODEL_NAMES)}"]
    for key in sorted(parameters.keys() - _ZOO[name]):
        faults.append(f"{name} has no parameter {key!r}; it takes {', '.join(sorted(_ZOO[name])) or 'none'}")
    faults += _values_faults(name, parameters, inputs)
    if not faults:
        count = parameter_count(_architecture(name, parameters, inputs, classes))
        if count > MAXIMUM_PARAMETERS:
            faults.append(f"the model has {count} parameters; at most {MAXIMUM_PARAMETERS} are supported")
    return faults


def build_model(name: str, parameters: Parameters, inputs: int, classes: int, seed: int = 0) -> nn.Module:
    """Build a model of the zoo with deterministic initial weights.

    Parameters
    ----------
    name, parameters, inputs, classes
        As in `model_faults`.
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
    faults = model_faults(name, parameters, inputs, classes)
    if faults:
        raise ModelError("The model can't be built: " + "; ".join(faults) + ".", faults)
    model = _architecture(name, parameters, inputs, classes).to_empty(device="cpu")
    set_vector(model, initial_vector(parameter_shapes(model), seed))
    return model


def initial_vector(shapes: Mapping[str, tuple[int, ...]], seed: int) -> Vector:
    """Draw initial weights: uniform in +-1/sqrt(fan in) for weights, zero for biases.

    PCG64's uniform doubles and an exactly rounded square root give the same bits everywhere; torch's own
    initialisation does not promise that across versions.

    Parameters
    ----------
    shapes
        As `parameter_shapes` gives them; a shape with one axis is a bias.
    seed
        Any integer >= 0.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    parts = []
    for shape in shapes.values():
        size = math.prod(shape)
        if len(shape) == 1:
            parts.append(np.zeros(size))
        else:
            parts.append((2.0 * generator.random(size) - 1.0) / math.sqrt(math.prod(shape[1:])))
    return np.concatenate(parts).astype(np.float32)


def parameter_shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a model's parameters, in the order in which its vector holds them."""
    return {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}


def parameter_count(model: nn.Module) -> int:
    """Return d, the length of the model's vector."""
    return sum(math.prod(shape) for shape in parameter_shapes(model).values())


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
