"""Products of 16-bit rows: both ways to the sum, and wherever stretches, blocks and threads begin and end."""

import os
import subprocess
import sys

import numpy as np
import pytest

from contribution import gram
from contribution.gram import gram_matrix
from contribution.integer_products import LANES, STRETCH, add_products

LOWEST, HIGHEST = -(2**15), 2**15 - 1
# Largest values for which a stretch of random coordinates is within the bound, about at it, and beyond it.
SIZES = [1, 2**7, 1300, 2**12, HIGHEST]


def exact(rows: list[np.ndarray]) -> list[list[int]]:
    """Return the Gram matrix by products of Python integers."""
    wide = np.array([row.astype(object) for row in rows])
    return (wide @ wide.T).tolist()


@pytest.mark.parametrize("width", [LANES, STRETCH - LANES, STRETCH, STRETCH + LANES, 2 * STRETCH])
@pytest.mark.parametrize("size", SIZES)
def test_sums_are_added_to_whatever_the_size_of_the_coordinates(rng, size, width) -> None:
    rows = rng.integers(-size, size + 1, (6, width)).astype(np.int16)
    sums = np.full((6, 6), 7, dtype=np.int64)
    add_products(rows, sums)
    upper = np.triu_indices(6)
    assert (sums[upper] - 7).tolist() == np.array(exact(list(rows)))[upper].tolist()


def test_rows_of_one_sign_and_all_extremes_are_exact() -> None:
    # Products of these reach every edge: sums of +-2^42 in a stretch, and pairs whose sum is 2^31.
    rows = [np.full(STRETCH + 3, value, dtype=np.int16) for value in (LOWEST, HIGHEST, 724, -725, 1, 0)]
    alternating = np.where(np.arange(STRETCH + 3) % 2, LOWEST, HIGHEST).astype(np.int16)
    rows += [alternating, np.roll(alternating, 1), -rows[3]]
    assert gram_matrix(rows).tolist() == exact(rows)


def test_sums_at_the_bound_are_exact() -> None:
    # Squared norms of a stretch a little below and a little above 2^31, and exactly at it.
    for root in (724, 725):
        row = np.full(STRETCH, root, dtype=np.int16)
        assert gram_matrix([row, row, -row, row]).tolist() == exact([row, row, -row, row])
    at = np.zeros(STRETCH, dtype=np.int16)
    at[:2] = LOWEST
    assert gram_matrix([at, at, at]).tolist() == [[2**31] * 3] * 3
    assert gram_matrix([at, at // 2])[0, 1] == 2**30


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("width", [1, LANES - 1, LANES + 1, STRETCH + 1])
def test_any_number_of_rows_and_coordinates_will_do(rng, count, width) -> None:
    rows = [rng.integers(LOWEST, HIGHEST + 1, width).astype(np.int16) for _ in range(count)]
    assert gram_matrix(rows).tolist() == exact(rows)


def test_rows_may_be_of_several_types_and_not_contiguous(rng) -> None:
    wide = rng.integers(LOWEST, HIGHEST + 1, (2, 200)).astype(np.int16)
    rows = [wide[0, ::2], wide[1, ::-2], rng.integers(-128, 128, 100).astype(np.int8), wide[0, :100].astype(">i2")]
    assert gram_matrix(rows).tolist() == exact(rows)


def test_blocks_and_threads_change_nothing(rng, monkeypatch) -> None:
    rows = [rng.integers(-size, size + 1, 5000).astype(np.int16) for size in SIZES]
    expected = exact(rows)
    for block, cores in ((64, 1), (31 * LANES, 3), (4096, 2), (2**15, 7)):
        monkeypatch.setattr(gram, "_BLOCK", block)
        monkeypatch.setattr(gram, "_THREAD_DIMENSION", 100)
        monkeypatch.setattr(gram, "_core_count", lambda cores=cores: cores)
        assert gram_matrix(rows).tolist() == expected


def test_too_short_for_threads_means_one(rng, monkeypatch) -> None:
    monkeypatch.setattr(gram, "ThreadPoolExecutor", None)
    monkeypatch.setattr(gram, "_core_count", lambda: 64)
    rows = [rng.integers(-9, 10, 1000).astype(np.int16) for _ in range(3)]
    assert gram_matrix(rows).tolist() == exact(rows)


@pytest.mark.slow
def test_a_processor_without_wide_registers_gives_the_same(tmp_path) -> None:
    program = """
import numpy as np
from contribution.gram import gram_matrix
draws = np.random.default_rng(5)
rows = [draws.integers(-size, size, 5000).astype(np.int16) for size in (9, 700, 2**15)] + [np.full(5000, -2**15, "i2")]
print(gram_matrix(rows).tolist())
"""
    any_processor = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    here, there = (
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for variables in ({}, any_processor)
    )
    assert here == there
    assert here.startswith("[[")
