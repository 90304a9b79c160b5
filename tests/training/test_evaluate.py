import numpy as np
import pytest
from torch import nn

from marketplace.training import evaluate as module
from marketplace.training.data import Dataset
from marketplace.training.evaluate import evaluate
from marketplace.training.models import build_model, set_vector


@pytest.fixture
def model() -> nn.Module:
    """Logits (x, 0) for one feature x."""
    model = build_model("logistic-regression", {}, 1, 2)
    set_vector(model, np.array([1, 0, 0, 0], dtype=np.float32))
    return model


def test_accuracy_and_loss_of_a_known_model(model: nn.Module) -> None:
    data = Dataset(np.array([[1], [1], [-1], [-1]], dtype=np.float32), np.array([0, 1, 1, 1]), 2)
    result = evaluate(model, data)
    right, wrong = np.log1p(np.exp(-1)), np.log1p(np.exp(1))
    assert result.accuracy == 0.75
    assert result.loss == pytest.approx((3 * right + wrong) / 4)


def test_batches_make_no_difference(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    data = Dataset(np.linspace(-1, 2, 10, dtype=np.float32)[:, None], np.arange(10) % 2, 2)
    whole = evaluate(model, data)
    monkeypatch.setattr(module, "BATCH", 3)
    parts = evaluate(model, data)
    assert parts.accuracy == whole.accuracy
    assert parts.loss == pytest.approx(whole.loss)
