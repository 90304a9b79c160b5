"""What a demonstration refuses to start with, in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contribution.errors import CairnError
from marketplace.demo.run import DemoError, DemoSettings, load_scenario_data, run_demo


@pytest.mark.parametrize("trainers", [-1, 0, 3])
def test_too_few_trainers_are_refused_with_the_number_needed(trainers: int):
    with pytest.raises(DemoError, match=rf"{trainers} trainers are too few.* 4 or more"):
        run_demo(DemoSettings(trainers=trainers), lambda _run, _event: None)


def test_no_rounds_are_refused():
    with pytest.raises(DemoError, match="at least 1 round, not 0"):
        run_demo(DemoSettings(rounds=0), lambda _run, _event: None)


def test_an_unknown_data_set_is_refused():
    with pytest.raises(CairnError, match="'no-such-set' is not known"):
        run_demo(DemoSettings(dataset="no-such-set"), lambda _run, _event: None)


def test_a_data_set_that_is_not_here_names_the_option():
    with pytest.raises(CairnError, match="--data-dir"):
        run_demo(DemoSettings(dataset="mnist"), lambda _run, _event: None)


def test_a_file_tells_its_own_inputs_and_classes(tmp_path: Path):
    generator = np.random.default_rng(0)
    path = tmp_path / "own.npz"
    np.savez(path, x=generator.normal(size=(30, 5)), y=np.arange(30) % 3)
    data = load_scenario_data(DemoSettings(dataset=str(path)))
    assert (len(data), data.inputs, data.classes) == (30, 5, 3)


def test_a_csv_file_tells_its_own_inputs_and_classes(tmp_path: Path):
    path = tmp_path / "own.csv"
    path.write_text("a,b,y\n" + "\n".join(f"{k},{k / 2},{k % 2}" for k in range(12)) + "\n", "utf-8")
    data = load_scenario_data(DemoSettings(dataset=str(path)))
    assert (len(data), data.inputs, data.classes) == (12, 2, 2)
