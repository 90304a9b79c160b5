"""The benchmark of scoring: its vectors, measurements in turns, what is judged, and what it says without ByzFL."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import byzfl_environment, scoring
from benchmarks.byzfl_environment import MissingByzflError, byzfl_python
from benchmarks.evidence import cost
from benchmarks.scoring import BYZFL, OURS, READ, Size
from benchmarks.serving import MeasurementError, serving
from benchmarks.simulation.scorers import quadratic_shapley
from contribution.mixture import WHOLE, Mixture, contributions_of
from contribution.rules import DEFAULT_RULE
from contribution.shapley import CONTRIBUTION_BITS, fixed_shapley
from marketplace.cli import app

ROOT = Path(__file__).parents[2]
SMALL = Size(trainers=10, dimension=64, repetitions=2)
# In the place of ByzFL: what its multi-Krum takes and gives, without the package.
STAND_IN = """
class MultiKrum:
    def __init__(self, f):
        self.f = f

    def __call__(self, vectors):
        return vectors[: len(vectors) - self.f].mean(axis=0)
"""


def row(cores: int, ours: float, byzfl: float, reading: float) -> dict:
    seconds = {name: {"matrix": ours / 2, "rule": ours / 2, "total": ours} for name in OURS} | {
        READ: {"total": reading}
    }
    seconds |= {kind: {"total": byzfl + place} for place, kind in enumerate(BYZFL)}
    return {
        "trainers": scoring.JUDGED.trainers,
        "dim": scoring.JUDGED.dimension,
        "cores": cores,
        "seconds": seconds,
        "extra_mib": 7.0,
        "byzfl": {"byzfl": "0.0.11"},
        "byzfl_extra_mib": 300.0,
    }


def results(compared: list[dict], shapley: float = 0.001) -> dict:
    values = {"game of the mean, floats": shapley, scoring.COEFFICIENTS: 1.0}
    rows = {"compared": compared, "whole_range": compared, "growing": compared}
    return rows | {"shapley": values, "load_average": 0.25}


def test_vectors_are_what_codec_and_referee_make_and_the_twins_are_the_same_numbers(tmp_path) -> None:
    size = Size(trainers=4, dimension=1000, repetitions=1)
    for whole_range in (False, True):
        scoring.write_vectors(tmp_path, size, 3, whole_range)
        updates, references, twins = (np.load(tmp_path / f"{name}.npy") for name in ("updates", "references", "twins"))
        assert (updates.shape, updates.dtype) == ((4, 1000), np.int16)
        assert (references.shape, references.dtype) == ((9, 1000), np.int16)
        assert np.abs(references.astype(int)).max() == 2**15 - 1
        assert (twins.dtype, (twins * 2.0**scoring.SCALE_EXPONENT == updates).all()) == (np.float32, True)
        assert (np.abs(updates.astype(int)).max() > 2**14) == whole_range


def test_the_goals_are_for_each_number_of_cores_against_byzfl_at_its_fastest() -> None:
    found = scoring.goals([row(1, 0.01, 0.081, 0.0026), row(2, 0.01, 0.079, 0.0024)], {"a": 0.0019})
    assert [goal.met for goal in found] == [True, True, False, False, True]
    assert found[0].measured == pytest.approx(0.01 / 0.081)


def test_coefficients_are_not_judged_but_every_kind_of_value_is() -> None:
    assert [goal.met for goal in scoring.goals([], {"a": 0.001, "b": 0.0021, scoring.COEFFICIENTS: 9.0})] == [False]
    assert [goal.met for goal in scoring.goals([], {"a": 0.001, "b": 0.0019, scoring.COEFFICIENTS: 9.0})] == [True]


def test_other_sizes_are_not_judged() -> None:
    assert len(scoring.goals([row(1, 9.0, 1.0, 1.0) | {"dim": 1000}], {"a": 0.001})) == 1


def test_the_page_has_every_measurement_and_says_what_is_missed(tmp_path) -> None:
    measured = results([row(1, 0.01, 0.081, 0.0026), row(2, 0.01, 0.079, 0.0024)])
    found = scoring.goals(measured["compared"], measured["shapley"])
    cost.write_page(measured, found, tmp_path / "cost.md", tmp_path / "cost.png")
    text = (tmp_path / "cost.md").read_text()
    assert all(f"multi-Krum, {kind}, ms | " in text for kind in BYZFL)
    assert "| 1 core | 2 cores | 1 core, whole range | 2 cores, whole range |" in text
    assert "| ByzFL's fastest, in times of scoring by the default rule | 8.1 | 7.9 | | |" in text
    assert text.count("MISSED") == 2
    assert "load average before the run was 0.2" in text
    assert max(map(len, text.splitlines())) <= 120
    assert (tmp_path / "cost.png").stat().st_size > 10_000


def test_without_byzfl_it_refuses_and_says_how_to_install_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(byzfl_environment, "ENVIRONMENT", tmp_path)
    with pytest.raises(MissingByzflError, match=r"byzfl==0.0.11 is not installed in .*cairn bench scoring --install"):
        byzfl_python()
    answer = CliRunner().invoke(app, ["bench", "scoring", "--json", str(tmp_path / "results.json")])
    assert answer.exit_code == 1
    assert "--install-byzfl" in answer.output
    assert not (tmp_path / "results.json").exists()


def test_what_cannot_be_installed_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(byzfl_environment, "ENVIRONMENT", tmp_path)
    monkeypatch.setattr(byzfl_environment.sys, "executable", "false")
    with pytest.raises(MissingByzflError, match=r"false -m venv .* failed with exit code 1"):
        byzfl_environment.install_byzfl()
    (tmp_path / "installed").touch()
    byzfl_environment.install_byzfl()
    assert byzfl_python() == tmp_path / "bin" / "python"


@pytest.mark.parametrize(
    ("program", "code"), [("raise SystemExit(3)", 3), ("print('{}', flush=True); input(); raise SystemExit(4)", 4)]
)
def test_a_process_that_ends_early_is_told(program, code) -> None:
    message = f"exit code {code} before it was done"
    with pytest.raises(MeasurementError, match=message), serving([sys.executable, "-c", program]) as server:
        server.measure("anything")


def test_all_that_is_measured_of_a_thousand_gives_the_exact_values() -> None:
    rng = np.random.default_rng(0)
    n = scoring.SHAPLEY_TRAINERS
    projections = rng.integers(-(2**20), 2**20, (n, 2))
    curvature = projections @ projections.T
    gains = rng.integers(-(2**40), 2**40, n)
    whole = [[int(entry) for entry in entries] for entries in (gains, curvature.diagonal(), curvature.sum(axis=1))]
    integers = np.array(fixed_shapley(*whole)) / 2.0**CONTRIBUTION_BITS
    floats = quadratic_shapley(gains.astype(float), curvature.astype(float)).values
    np.testing.assert_allclose(floats, integers.astype(float), rtol=1e-9, atol=1e-3)
    slopes = tuple(int(gain) << 32 for gain in gains)
    values = contributions_of(Mixture((WHOLE // n,) * n, slopes), whole[0])
    assert [value >> 32 for value in values[:9]] == [(2 * gain * (WHOLE // n)) >> 16 for gain in whole[0][:9]]


@pytest.mark.slow
def test_scoring_and_multi_krum_are_measured_in_turns(tmp_path, monkeypatch) -> None:
    (tmp_path / "byzfl" / "aggregators").mkdir(parents=True)
    (tmp_path / "byzfl" / "__init__.py").write_text("raise RuntimeError('the package as a whole is not run')")
    (tmp_path / "byzfl" / "aggregators" / "__init__.py").write_text(STAND_IN)
    (tmp_path / "byzfl-9.dist-info").mkdir()
    (tmp_path / "byzfl-9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: byzfl\nVersion: 9\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(ROOT))))
    monkeypatch.setattr(scoring, "byzfl_python", lambda: Path(sys.executable))
    monkeypatch.setattr(scoring, "core_counts", lambda: [1])
    said = []
    measured = scoring.run(SMALL, 0, said.append, growing=(6,))
    compared = measured["compared"][0]
    assert set(compared["seconds"]) == {*OURS, *BYZFL}
    assert all(seconds["total"] > 0 for seconds in compared["seconds"].values())
    assert compared["byzfl"]["byzfl"] == "9"
    assert set(compared["seconds"][DEFAULT_RULE]) == {"matrix", "rule", "total"}
    assert [each["trainers"] for each in measured["growing"]] == [6]
    assert "byzfl" not in measured["whole_range"][0]
    assert json.loads(json.dumps(measured)) == measured
    assert len(said) == 4
    assert [goal.name for goal in scoring.goals(measured["compared"], measured["shapley"])] == [
        "ms for exact Shapley values of 1000 trainers"
    ]
