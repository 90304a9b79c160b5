"""Settings by name: sizes and hyper-parameters under which the plain mean learns well in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from benchmarks.simulation.errors import SettingError
from benchmarks.simulation.partition import Partition
from benchmarks.simulation.setting import Setting
from marketplace.training.configuration import TrainingConfiguration

_DIRICHLET: Final = Partition.DIRICHLET.value

PRESETS: Final[Mapping[str, Setting]] = MappingProxyType(
    {
        "digits-mlp": Setting(
            dataset="digits",
            model="mlp",
            widths=(32,),
            training=TrainingConfiguration(epochs=2, batch_size=16, learning_rate=0.1),
            training_samples=937,
            partition=_DIRICHLET,
            skew=0.3,
            validation_samples=300,
            test_samples=360,
        ),
        "breast-cancer-logistic": Setting(
            dataset="breast-cancer",
            model="logistic-regression",
            widths=(),
            training=TrainingConfiguration(epochs=2, batch_size=16, learning_rate=0.05),
            training_samples=255,
            partition=_DIRICHLET,
            skew=1.0,
            referee_samples=94,
            validation_samples=78,
            test_samples=142,
        ),
        "fashion-mlp": Setting(
            dataset="fashion-mnist",
            model="mlp",
            widths=(64,),
            training=TrainingConfiguration(epochs=2, batch_size=32, learning_rate=0.1),
            training_samples=6_000,
            partition=_DIRICHLET,
            skew=0.3,
            validation_samples=1_000,
            test_samples=5_000,
        ),
        "mnist-cnn": Setting(
            dataset="mnist",
            model="cnn",
            widths=(8, 16),
            training=TrainingConfiguration(epochs=1, batch_size=32, learning_rate=0.1),
            training_samples=3_000,
            partition=_DIRICHLET,
            skew=0.3,
            validation_samples=500,
            test_samples=2_000,
        ),
    }
)


def preset_named(name: str) -> Setting:
    """Return a preset, or raise `SettingError` listing the known ones."""
    if name not in PRESETS:
        raise SettingError(f"Preset {name!r} is not known; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]
