"""Local training: what a trainer computes from its own data in one round.

A trainer may bring any function with the signature of `fit`; whatever it does inside, what leaves is the change of
the model's parameters, checked by `local_update`.
"""

import copy
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from marketplace.training.configuration import RoundConfiguration
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.models import get_vector, parameter_shapes, set_vector

Fit = Callable[[nn.Module, Dataset, RoundConfiguration], nn.Module]


def fit(model: nn.Module, data: Dataset, config: RoundConfiguration) -> nn.Module:
    """Train a model on a trainer's data by stochastic gradient descent on the mean cross-entropy.

    Deterministic: the order of the samples depends on `config.seed` and `config.round` alone.

    Parameters
    ----------
    model
        The round's model; it is changed in place and returned.
    data
        The trainer's samples.
    config
        The hyper-parameters of this round.
    """
    generator = np.random.default_rng([config.seed, config.round])
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )
    x, y = torch.tensor(data.x), torch.tensor(data.y)
    model.train()
    for _ in range(config.epochs):
        order = torch.from_numpy(generator.permutation(len(data)))
        for batch in torch.split(order, config.batch_size):
            optimizer.zero_grad()
            loss: torch.Tensor = nn.functional.cross_entropy(model(x[batch]), y[batch])
            torch.autograd.backward(loss)
            optimizer.step()
    return model


def load_fit(reference: str) -> Fit:
    """Import a trainer's own training function, named `package.module:function`.

    The current directory is searched first, as `python -m` does, so that a file beside the data is found.

    Raises
    ------
    TrainingError
        If the name has another form, the module can't be imported, or it has no such function.
    """
    module_name, separator, function_name = reference.partition(":")
    parts = [*module_name.split("."), function_name]
    if not separator or not all(part.isidentifier() for part in parts):
        raise TrainingError(f"{reference!r} names no function; write it as package.module:function.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise TrainingError(
            f"The module {module_name} can't be imported ({type(error).__name__}: {error}); run the command where "
            "the module lies, or install it."
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise TrainingError(
            f"The module {module_name} has no function {function_name}; define it as fit(model, data, config)."
        )
    own_fit: Fit = function
    return own_fit


def local_update(
    model: nn.Module,
    vector: npt.NDArray[np.floating],
    fit: Fit,
    data: Dataset,
    config: RoundConfiguration,
) -> npt.NDArray[np.float64]:
    """Return what one round of local training changes: trained minus given parameters.

    Parameters
    ----------
    model
        Of the job's architecture; it is not changed.
    vector
        The round's model, shape (d,).
    fit
        The local training, Cairn's own or the trainer's.
    data, config
        Handed to `fit`.

    Returns
    -------
    ndarray, float64, shape (d,)
        Finite.

    Raises
    ------
    TrainingError
        If `fit` raises, or returns something that is no finite model of the job's architecture.
    """
    start = copy.deepcopy(model)
    set_vector(start, vector)
    before, shapes = get_vector(start), parameter_shapes(start)
    try:
        trained = fit(start, data, config)
    except Exception as error:
        raise TrainingError(
            f"The training function failed in round {config.round} ({type(error).__name__}: {error}); "
            "nothing was submitted."
        ) from error
    return _trained_vector(trained, shapes).astype(np.float64) - before.astype(np.float64)


def _trained_vector(trained: object, shapes: dict[str, tuple[int, ...]]) -> npt.NDArray[np.float32]:
    """Return the parameters of what a training function gave back, or refuse it with a sentence."""
    if not isinstance(trained, nn.Module):
        raise TrainingError(f"The training function returned a {type(trained).__name__}; it must return the model.")
    got = parameter_shapes(trained)
    if list(got.items()) != list(shapes.items()):
        raise TrainingError(
            f"The training function returned another architecture: parameters {_described(got)} instead of "
            f"{_described(shapes)}; change the values of the given model and return it."
        )
    vector = get_vector(trained)
    bad = int((~np.isfinite(vector)).sum())
    if bad:
        raise TrainingError(
            f"The training function returned {bad} values of {vector.size} that are NaN or infinite; lower the "
            "learning rate or check the data's normalisation. Nothing was submitted."
        )
    return vector


def _described(shapes: dict[str, tuple[int, ...]]) -> str:
    """Name parameters and shapes in one line, shortened where there are many."""
    named = [f"{name} {shape}" for name, shape in shapes.items()]
    return ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else "")
