import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.training.data import Dataset
from marketplace.training.errors import DataError
from marketplace.training.partition import dirichlet_partition, split_referee_test_trainers, stratified_parts


def numbered(labels: np.ndarray) -> Dataset:
    """A data set whose only feature is the sample's number."""
    x = np.arange(len(labels), dtype=np.float32)[:, None]
    return Dataset(x, labels.astype(np.int64), int(labels.max()) + 1)


@given(seed=st.integers(0, 2**32), sizes=st.lists(st.integers(1, 40), min_size=2, max_size=6))
def test_the_split_uses_every_sample_once_and_keeps_class_shares(seed: int, sizes: list[int]) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    if len(labels) < 7:
        return
    referee, test = len(labels) // 4, len(labels) // 3
    split = split_referee_test_trainers(numbered(labels), referee, test, seed)
    assert (len(split.referee), len(split.test)) == (referee, test)
    everything = np.concatenate([part.x[:, 0] for part in (split.referee, split.test, split.trainers)])
    np.testing.assert_array_equal(np.sort(everything), np.arange(len(labels)))
    expected = np.array(sizes) * referee / len(labels)
    assert np.abs(np.bincount(split.referee.y, minlength=len(sizes)) - expected).max() < 1


def test_the_split_of_digits_has_the_sizes_asked_for(digits: Dataset) -> None:
    split = split_referee_test_trainers(digits)
    assert (len(split.referee), len(split.test), len(split.trainers)) == (200, 360, 1237)
    assert set(np.bincount(split.test.y)) <= {35, 36, 37}


def test_the_split_depends_on_the_seed_alone(digits: Dataset) -> None:
    first, again, other = (split_referee_test_trainers(digits, seed=s).test.x for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("referee", "test"), [(0, 5), (5, 0), (5, 5), (9, 9)])
def test_a_split_that_leaves_nothing_is_refused(referee: int, test: int) -> None:
    with pytest.raises(DataError, match="leave nothing of 10"):
        split_referee_test_trainers(numbered(np.arange(10) % 2), referee, test, 0)


@given(
    seed=st.integers(0, 2**32),
    trainers=st.integers(1, 8),
    alpha=st.floats(0.3, 100),
    minimum=st.integers(0, 5),
)
def test_the_partition_deals_every_sample_once(seed: int, trainers: int, alpha: float, minimum: int) -> None:
    parts = dirichlet_partition(np.arange(400) % 10, trainers, alpha, seed, minimum)
    assert len(parts) == trainers
    assert min(len(part) for part in parts) >= minimum
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(400))


def test_the_partition_keeps_the_spread_asked_for() -> None:
    for seed in range(20):
        sizes = [len(part) for part in dirichlet_partition(np.arange(1000) % 10, 10, 0.5, seed, 20, spread=3.0)]
        assert max(sizes) >= 3 * min(sizes) >= 60


def test_small_alpha_gives_fewer_classes_a_trainer() -> None:
    labels = np.arange(2000) % 10

    def largest_share(alpha: float) -> float:
        parts = dirichlet_partition(labels, 10, alpha, seed=3)
        return float(np.mean([np.bincount(labels[part]).max() / len(part) for part in parts]))

    assert largest_share(0.3) > largest_share(1.0) > largest_share(100.0)


@pytest.mark.parametrize(
    ("trainers", "alpha", "minimum", "spread", "message"),
    [
        (0, 1.0, 1, 1.0, "make no partition"),
        (2, 0.0, 1, 1.0, "make no partition"),
        (2, float("nan"), 1, 1.0, "make no partition"),
        (6, 1.0, 20, 1.0, "100 samples can't give 6 trainers 20 each"),
        (2, 1.0, 20, 5.0, "None of 10000 draws"),
    ],
)
def test_an_impossible_partition_is_refused(
    trainers: int, alpha: float, minimum: int, spread: float, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        dirichlet_partition(np.arange(100) % 2, trainers, alpha, 0, minimum, spread)


@given(seed=st.integers(0, 2**32), sizes=st.lists(st.integers(0, 25), max_size=4))
def test_parts_have_their_sizes_and_the_last_is_what_is_left(seed: int, sizes: list[int]) -> None:
    labels = np.arange(100) % 3
    parts = stratified_parts(labels, sizes, seed)
    assert [len(part) for part in parts] == [*sizes, 100 - sum(sizes)]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(100))
    if sizes:
        np.testing.assert_array_equal(stratified_parts(labels, sizes[:1], seed)[0], parts[0])


@pytest.mark.parametrize("sizes", [(60, 41), (-1, 5)])
def test_parts_of_more_than_there_is_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="100 samples can't be split into parts of"):
        stratified_parts(np.zeros(100, dtype=np.int64), sizes, 0)
