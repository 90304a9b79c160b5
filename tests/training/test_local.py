import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from marketplace.training.configuration import RoundConfiguration, TrainingConfiguration
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.evaluate import evaluate
from marketplace.training.local import Fit, fit, load_fit, local_update
from marketplace.training.models import build_model, get_vector, set_vector

CONFIG = TrainingConfiguration(epochs=2, batch_size=16, learning_rate=0.05, momentum=0.5)


@pytest.fixture
def model() -> nn.Module:
    return build_model("mlp", {"hidden": [8]}, 64, 10, seed=0)


@pytest.fixture
def data(digits: Dataset) -> Dataset:
    return digits.subset(np.arange(100))


def test_training_lowers_the_loss(model: nn.Module, data: Dataset) -> None:
    before = evaluate(model, data)
    after = evaluate(fit(model, data, CONFIG.at_round(0, seed=1)), data)
    assert after.loss < 0.9 * before.loss
    assert after.accuracy > before.accuracy


def test_update_depends_on_seed_and_round_alone(model: nn.Module, data: Dataset) -> None:
    start = get_vector(model)
    torch.manual_seed(1)
    first = local_update(model, start, fit, data, CONFIG.at_round(0, seed=1))
    torch.manual_seed(2)
    again = local_update(model, start, fit, data, CONFIG.at_round(0, seed=1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, local_update(model, start, fit, data, CONFIG.at_round(0, seed=2)))
    assert not np.array_equal(first, local_update(model, start, fit, data, CONFIG.at_round(1, seed=1)))


def test_update_is_trained_minus_given(model: nn.Module, data: Dataset) -> None:
    start = get_vector(model) / 2
    update = local_update(model, start, fit, data, CONFIG.at_round(0, seed=1))
    set_vector(model, start)
    trained = get_vector(fit(model, data, CONFIG.at_round(0, seed=1)))
    assert update.dtype == np.float64
    np.testing.assert_array_equal(update, trained.astype(np.float64) - start)


def test_one_full_batch_step_is_the_gradient_times_the_learning_rate(data: Dataset) -> None:
    model = build_model("logistic-regression", {}, 64, 10, seed=0)
    terms = TrainingConfiguration(epochs=1, batch_size=100, learning_rate=0.5)
    update = local_update(model, get_vector(model), fit, data, terms.at_round(0, seed=1))
    loss = nn.functional.cross_entropy(model(torch.tensor(data.x)), torch.tensor(data.y))
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    np.testing.assert_allclose(update, -0.5 * torch.cat([g.flatten() for g in gradients]).numpy(), atol=1e-6)


def test_given_model_and_torch_state_are_left_alone(model: nn.Module, data: Dataset) -> None:
    before, state = get_vector(model), torch.get_rng_state()
    local_update(model, before, fit, data, CONFIG.at_round(0, seed=1))
    np.testing.assert_array_equal(get_vector(model), before)
    assert torch.equal(torch.get_rng_state(), state)


def test_learning_rate_falls_with_the_round() -> None:
    terms = TrainingConfiguration(learning_rate=0.4, learning_rate_decay=0.5)
    assert [terms.at_round(r, seed=0).learning_rate for r in range(3)] == [0.4, 0.2, 0.1]


def test_a_wrong_configuration_lists_every_fault() -> None:
    with pytest.raises(TrainingError) as caught:
        TrainingConfiguration(
            epochs=0,
            batch_size=1.5,  # type: ignore[arg-type]
            learning_rate=0.0,
            learning_rate_decay=1.5,
            momentum=1.0,
            weight_decay=float("nan"),
        )
    for name in ("epochs is 0", "batch_size is 1.5", "rate is 0.0", "decay is 1.5", "momentum is 1.0", "decay is nan"):
        assert name in str(caught.value)


def not_a_number(model: nn.Module, data: Dataset, config: RoundConfiguration) -> nn.Module:
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    return model


def another_model(model: nn.Module, data: Dataset, config: RoundConfiguration) -> nn.Module:
    return nn.Linear(64, 10)


def same_shapes_reordered(model: nn.Module, data: Dataset, config: RoundConfiguration) -> nn.Module:
    return nn.Sequential(nn.Linear(8, 10), nn.ReLU(), nn.Linear(64, 8))


def returns_nothing(model: nn.Module, data: Dataset, config: RoundConfiguration) -> None:
    return None


def raises(model: nn.Module, data: Dataset, config: RoundConfiguration) -> nn.Module:
    raise KeyError("column")


@pytest.mark.parametrize(
    ("own_fit", "message"),
    [
        (not_a_number, "512 values of 610 that are NaN or infinite"),
        (another_model, r"another architecture: parameters weight \(10, 64\)"),
        (same_shapes_reordered, "another architecture"),
        (returns_nothing, "returned a NoneType"),
        (raises, "failed in round 0 .KeyError"),
    ],
)
def test_what_a_trainers_own_function_gets_wrong_is_a_sentence(
    model: nn.Module, data: Dataset, own_fit: Fit, message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        local_update(model, get_vector(model), own_fit, data, CONFIG.at_round(0, seed=1))


def test_own_function_is_found_in_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cairn_test_own_fit.py").write_text("def fit(model, data, config):\n    return model\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    own_fit = load_fit("cairn_test_own_fit:fit")
    monkeypatch.delitem(sys.modules, "cairn_test_own_fit")
    model = build_model("logistic-regression", {}, 64, 10)
    assert own_fit(model, None, None) is model  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("cairn_test_a", "", "names no function"),
        ("cairn_test_a:", "", "names no function"),
        ("../evil:fit", "", "names no function"),
        ("cairn_test_missing:fit", "", "can't be imported .ModuleNotFoundError"),
        ("cairn_test_b:fit", "1 / 0\n", "can't be imported .ZeroDivisionError"),
        ("cairn_test_b:fit", "fit = 3\n", "has no function fit"),
    ],
)
def test_a_wrong_function_name_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, message: str
) -> None:
    (tmp_path / "cairn_test_b.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "cairn_test_b", raising=False)
    with pytest.raises(TrainingError, match=message):
        load_fit(name)
