"""The parties of a simulated job: who holds which data, who attacks, and where everyone starts from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from torch import nn

from benchmarks.simulation.attacks import ATTACKS, Attack
from benchmarks.simulation.partition import deal
from benchmarks.simulation.setting import Setting
from marketplace.training.data import Dataset, public_arrays, public_dataset
from marketplace.training.errors import DataError
from marketplace.training.models import build_model, get_vector
from marketplace.training.partition import Indices, stratified_parts
from marketplace.training.zoo import Vector

# Keep the streams of one seed apart; 0 to 2 are those of split, Dirichlet draw and the other partitions.
_SEATS: Final = 3
_POISON: Final = 4
_CRAFT: Final = 5


@dataclass(frozen=True, eq=False)
class Federation:
    """Everything that a simulated job starts from.

    Attributes
    ----------
    setting
        What it was made from.
    trainers
        What each trainer trains on, attackers last; theirs are poisoned if the attack poisons data.
    levels
        How far the partition changed each trainer's samples; see `Dealt`.
    referee
        The referee's held-out samples, or None without referee.
    validation
        Samples that no party holds, or None if the setting asks for none.
    test
        Where accuracy is measured.
    seats
        Place of each trainer in ascending order of address, drawn from the seed; see `benchmarks.simulation.rules`.
    initial_model
        float32, shape (d,).
    attack
        The attack, or None.
    strength
        Its strength, the attack's default if the setting gives none; 0 without attack.
    """

    setting: Setting
    trainers: tuple[Dataset, ...]
    levels: tuple[float, ...]
    referee: Dataset | None
    validation: Dataset | None
    test: Dataset
    seats: Indices
    initial_model: Vector
    attack: Attack | None
    strength: float

    @property
    def samples(self) -> tuple[int, ...]:
        """Number of samples of each trainer."""
        return tuple(len(data) for data in self.trainers)

    @property
    def model_parameters(self) -> dict[str, Any]:
        """The parameters of the model, as the zoo and a job document have them."""
        return model_parameters(self.setting, self.test.inputs)

    def build_model(self) -> nn.Module:
        """Return the initial model."""
        return build_model(
            self.setting.model, self.model_parameters, self.test.inputs, self.test.classes, self.setting.seed
        )

    def training_seed(self, trainer: int) -> int:
        """Return the private seed of one trainer."""
        return self.setting.seed * 1_000 + trainer

    def rounding(self, trainer: int, number: int) -> np.random.Generator:
        """Return what a trainer's update of round `number` (from 1) is rounded with."""
        return np.random.default_rng([self.training_seed(trainer), 1, number])

    def attack_generator(self, number: int) -> np.random.Generator:
        """Return the attackers' randomness in round `number` (from 1)."""
        return np.random.default_rng([self.setting.seed, _CRAFT, number])


def prepare(setting: Setting, data_dir: Path | None = None) -> Federation:
    """Load the data, split and deal them, and draw the initial model; all of it follows from the setting alone.

    Parameters
    ----------
    setting
        The job.
    data_dir
        Directory with the larger public sets.

    Raises
    ------
    DataError
        If the data are not there, or too few.
    ModelError
        If the model does not fit the data.
    SettingError
        If the data can't be dealt out so.
    """
    referee, validation, test, training = _parts(setting, data_dir)
    if training is None or test is None:
        raise DataError(f"{setting.training_samples} training and {setting.test_samples} test samples; ask for some.")
    dealt = deal(training, setting.partition, setting.skew, setting.trainers, setting.seed)
    attack = ATTACKS[setting.attack] if setting.attack is not None else None
    strength = 0.0
    trainers = dealt.datasets
    if attack is not None:
        strength = attack.strength if setting.strength is None else setting.strength
        generator = np.random.default_rng([setting.seed, _POISON])
        trainers = (*trainers[: setting.honest], *attack.poison(trainers[setting.honest :], generator))
    model = build_model(setting.model, model_parameters(setting, test.inputs), test.inputs, test.classes, setting.seed)
    return Federation(
        setting=setting,
        trainers=tuple(trainers),
        levels=dealt.levels,
        referee=referee,
        validation=validation,
        test=test,
        seats=np.random.default_rng([setting.seed, _SEATS]).permutation(setting.trainers),
        initial_model=get_vector(model),
        attack=attack,
        strength=strength,
    )


def model_parameters(setting: Setting, inputs: int) -> dict[str, Any]:
    """Return the parameters with which the zoo builds the setting's model for so many features."""
    match setting.model:
        case "mlp":
            return {"hidden": list(setting.widths)}
        case "cnn":
            # The zoo refuses a side whose square is not the number of features, with both numbers.
            side = math.isqrt(inputs)
            return {"height": side, "width": side, "channels": list(setting.widths)}
        case _:
            return {}


def _parts(setting: Setting, data_dir: Path | None) -> list[Dataset | None]:
    """Return referee, validation, test and training samples, None for a part without any."""
    x, y = _raw(setting.dataset, data_dir)
    sizes = (setting.referee_samples, setting.validation_samples, setting.test_samples, setting.training_samples)
    *parts, _ = stratified_parts(y.astype(np.int64), sizes, setting.seed)
    # Only what is used is normalised, which in the larger sets is a tenth.
    return [public_dataset(setting.dataset, x[part], y[part]) if len(part) else None for part in parts]


@lru_cache(maxsize=1)
def _raw(name: str, data_dir: Path | None) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    """Return the raw arrays of a public set, kept for the next setting of the same campaign."""
    return public_arrays(name, data_dir)
