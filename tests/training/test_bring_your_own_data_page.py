"""The examples of docs/bring-your-own-data.md, run as they stand there."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from marketplace.training.configuration import TrainingConfiguration
from marketplace.training.data import NORMALISATIONS, load_dataset
from marketplace.training.local import load_fit, local_update
from marketplace.training.models import build_model, get_vector
from marketplace.training.privacy import Neighbouring, privacy_loss

PAGE = (Path(__file__).parents[2] / "docs" / "bring-your-own-data.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_npz_and_the_own_function_work_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    write_data, own_module = blocks("python")
    exec(write_data, {})  # noqa: S102 - our own page
    data = load_dataset(Path("my.npz"))
    Path("my_module.py").write_text(own_module, encoding="utf-8")
    own_fit = load_fit("my_module:fit")
    monkeypatch.delitem(sys.modules, "my_module")
    model = build_model("logistic-regression", {}, data.inputs, data.classes)
    update = local_update(model, get_vector(model), own_fit, data, TrainingConfiguration().at_round(0, seed=1))
    assert np.abs(update).max() > 0


def test_the_csv_is_read(tmp_path: Path) -> None:
    (example,) = blocks("csv")
    (tmp_path / "my.csv").write_text(example, encoding="utf-8")
    data = load_dataset(tmp_path / "my.csv")
    assert (len(data), data.inputs, data.classes) == (2, 3, 2)


def test_the_table_names_every_normalisation() -> None:
    assert all(f"| `{name}` |" in PAGE for name in NORMALISATIONS)


def test_the_epsilons_are_those_of_the_accountant() -> None:
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 5
    for noise, *printed in rows:
        computed = [
            privacy_loss(1.0, float(noise), rounds, 1e-5, hidden).epsilon
            for rounds, hidden in (
                (1, Neighbouring.REPLACE),
                (8, Neighbouring.REPLACE),
                (8, Neighbouring.ADD_OR_REMOVE),
            )
        ]
        assert [f"{epsilon:.2f}" for epsilon in computed] == printed
