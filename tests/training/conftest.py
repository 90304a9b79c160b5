import pytest
import torch

from marketplace.training.data import Dataset, load_public


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_public("digits")
