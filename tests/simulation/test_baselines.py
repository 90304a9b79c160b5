"""Published averages on Gram matrices are those on the vectors themselves."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.simulation.baselines import BASELINES
from contribution.gram import gram_matrix

TOLERATED = 2
SAMPLES = [10, 20, 30, 40, 50, 60, 70, 80, 90]


@pytest.fixture(params=range(4))
def vectors(request: pytest.FixtureRequest) -> np.ndarray:
    generator = np.random.default_rng(request.param)
    rows = generator.normal(size=(9, 40)) * 200 + 100
    rows[7:] *= -5
    return np.rint(rows).astype(np.int16)


@pytest.fixture
def floats(vectors: np.ndarray) -> np.ndarray:
    return vectors.astype(np.float64)


def weights(name: str, vectors: np.ndarray) -> np.ndarray:
    return BASELINES[name](gram_matrix(vectors), TOLERATED, SAMPLES)


def krum_choice(rows: np.ndarray) -> list[int]:
    """Multi-Krum by its definition: the n - f rows with the least sum of distances to their n - f - 2 nearest."""
    n = len(rows)
    distances = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    scores = [np.sort(np.delete(distances[i], i))[: n - TOLERATED - 2].sum() for i in range(n)]
    return sorted(np.argsort(scores, kind="stable")[: n - TOLERATED].tolist())


@pytest.mark.parametrize("name", BASELINES)
def test_weights_are_shares(name: str, vectors: np.ndarray):
    found = weights(name, vectors)
    assert found.shape == (9,)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)


def test_means_weight_all_alike_or_by_samples(vectors: np.ndarray):
    np.testing.assert_allclose(weights("mean", vectors), np.full(9, 1 / 9))
    np.testing.assert_allclose(weights("weighted-mean", vectors), np.array(SAMPLES) / 450)


def test_multi_krum_averages_those_of_the_lowest_scores(vectors: np.ndarray, floats: np.ndarray):
    np.testing.assert_allclose(
        weights("multi-krum", vectors) @ floats, floats[krum_choice(floats)].mean(axis=0), atol=1e-9
    )


def test_mixing_replaces_each_by_the_mean_of_its_nearest(vectors: np.ndarray, floats: np.ndarray):
    distances = ((floats[:, None] - floats[None]) ** 2).sum(axis=2)
    nearest = [np.argsort(row, kind="stable")[: 9 - TOLERATED] for row in distances]
    mixed = np.stack([floats[rows].mean(axis=0) for rows in nearest])
    np.testing.assert_allclose(
        weights("nnm-multi-krum", vectors) @ floats, mixed[krum_choice(mixed)].mean(axis=0), atol=1e-9
    )


def test_no_point_nearby_has_a_smaller_sum_of_distances_than_the_geometric_median(
    vectors: np.ndarray, floats: np.ndarray
):
    median = weights("geometric-median", vectors) @ floats
    least = np.linalg.norm(floats - median, axis=1).sum()
    generator = np.random.default_rng(0)
    for _ in range(200):
        other = median + generator.normal(size=40) * generator.choice([0.1, 1.0, 50.0])
        assert np.linalg.norm(floats - other, axis=1).sum() >= least - 1e-3


def test_equal_updates_are_averaged_without_a_division_by_zero():
    same = np.tile(np.arange(5, dtype=np.int16), (9, 1))
    nothing = np.zeros((9, 5), dtype=np.int16)
    for name in BASELINES:
        np.testing.assert_allclose(weights(name, same) @ same, same[0])
        assert np.isfinite(weights(name, nothing)).all()
