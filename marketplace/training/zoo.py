"""The model zoo: architectures by name and parameters, so that a job never ships code to its trainers.

A model travels as one flat float32 vector: its parameters in the order of `model_shapes`, each in row-major order. None
of the architectures has buffers (running statistics), so the vector is the whole state. What can be told of a model
without running it is told here, without torch, which takes seconds to load; `marketplace.training.models` builds it.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

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
# Name -> shape, in the order in which the model's vector holds the parameters.
Shapes = Mapping[str, tuple[int, ...]]
Vector = npt.NDArray[np.float32]


def parameter_names(name: str) -> frozenset[str]:
    """Return the names of the parameters that a model takes; none for a model that there is not."""
    return _ZOO.get(name, frozenset())


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


def integers(value: object) -> list[int]:
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
    layers = len(integers(channels))
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


def model_faults(name: str, parameters: Parameters, inputs: int, classes: int) -> list[str]:
    """List everything wrong with a model description, one sentence a fault; empty means there is such a model.

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
        count = vector_length(_shapes(name, parameters, inputs, classes))
        if count > MAXIMUM_PARAMETERS:
            faults.append(f"the model has {count} parameters; at most {MAXIMUM_PARAMETERS} are supported")
    return faults


def model_shapes(name: str, parameters: Parameters, inputs: int, classes: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a model's parameters, in the order in which its vector holds them.

    Parameters
    ----------
    name, parameters, inputs, classes
        As in `model_faults`.

    Raises
    ------
    ModelError
        With every fault of the description listed.
    """
    faults = model_faults(name, parameters, inputs, classes)
    if faults:
        raise ModelError("The model can't be built: " + "; ".join(faults) + ".", faults)
    return _shapes(name, parameters, inputs, classes)


def _shapes(name: str, parameters: Parameters, inputs: int, classes: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a faultless description."""
    match name:
        case "mlp":
            return _mlp_shapes([inputs, *integers(parameters["hidden"]), classes])
        case "cnn":
            height, width = integers([parameters["height"], parameters["width"]])
            return _cnn_shapes(height, width, integers(parameters["channels"]), classes)
        case _:
            return _layers_shapes({0: (classes, inputs)})


def _mlp_shapes(widths: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of fully connected layers, every other of which is a ReLU."""
    return _layers_shapes({2 * k: (after, before) for k, (before, after) in enumerate(pairwise(widths))})


def _cnn_shapes(height: int, width: int, channels: Sequence[int], classes: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of an unflattening, then convolution, ReLU and pooling for each of `channels`, then a layer."""
    convolutions = {1 + 3 * k: (after, before, 3, 3) for k, (before, after) in enumerate(pairwise([1, *channels]))}
    left = (height >> len(channels)) * (width >> len(channels))
    return _layers_shapes({**convolutions, 2 + 3 * len(channels): (classes, channels[-1] * left)})


def _layers_shapes(weights: Mapping[int, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of layers with weights and biases, from those of the weights by place in the network."""
    shapes = {}
    for place, weight in weights.items():
        shapes[f"{place}.weight"] = weight
        shapes[f"{place}.bias"] = weight[:1]
    return shapes


def vector_length(shapes: Shapes) -> int:
    """Return d, the length of a model's vector."""
    return sum(math.prod(shape) for shape in shapes.values())


def initial_vector(shapes: Shapes, seed: int) -> Vector:
    """Draw initial weights: uniform in +-1/sqrt(fan in) for weights, zero for biases.

    PCG64's uniform doubles and an exactly rounded square root give the same bits everywhere; torch's own
    initialisation does not promise that across versions.

    Parameters
    ----------
    shapes
        As `model_shapes` gives them; a shape with one axis is a bias.
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
