"""The benchmark of a round holds a real one, and says where its time goes."""

from __future__ import annotations

import pytest

from benchmarks import round as benchmark
from benchmarks.round_row import RoundSizeError, shape_of

PHASES = ["deliver", "look at the chain", "fetch, open and check", "score", "prove", "store", "settle"]


@pytest.mark.parametrize("dimension", [4, 64, 2**14, 2**20, 10_010])
def test_a_model_of_the_size_is_found(dimension):
    inputs, classes = shape_of(dimension)
    assert (inputs + 1) * classes == dimension
    assert 2 <= classes <= 1024


@pytest.mark.parametrize("dimension", [2, 3, 1_048_573])
def test_a_size_that_no_model_has_is_refused(dimension):
    with pytest.raises(RoundSizeError, match=f"has {dimension} parameters"):
        shape_of(dimension)


@pytest.mark.slow
def test_a_round_is_settled_and_its_phases_add_up():
    row = benchmark.run(4096, 4, 7)
    assert list(row["phases_s"]) == PHASES
    assert sum(row["phases_s"].values()) == pytest.approx(row["total_s"])
    assert row["settle_gas"] > 300_000
    assert row["kept"] >= 3
    assert benchmark.goals(row) == []
    assert any("prove" in line for line in benchmark.lines(row))


def test_the_goals_are_for_a_million_coordinates_and_sixteen_trainers():
    row = {"dim": 2**20, "trainers": 16, "total_s": 40.1, "peak_mib": 4096}
    late, memory = benchmark.goals(row)
    assert not late.met
    assert memory.met
