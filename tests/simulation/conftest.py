"""A setting so small that a test can run it many times."""

from __future__ import annotations

import pytest

from benchmarks.simulation.setting import Setting
from marketplace.training.configuration import TrainingConfiguration


@pytest.fixture(scope="session")
def tiny() -> Setting:
    return Setting(
        dataset="digits",
        model="mlp",
        widths=(4,),
        training=TrainingConfiguration(epochs=1, batch_size=16, learning_rate=0.2),
        training_samples=300,
        partition="dirichlet",
        skew=0.5,
        trainers=5,
        rounds=2,
        referee_samples=40,
        validation_samples=30,
        test_samples=100,
        tolerated=1,
    )
