"""Every sample goes to one trainer, and the trainers differ in what the partition says and in nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulation.errors import SettingError
from benchmarks.simulation.partition import USUAL_SKEWS, Dealt, Partition, deal, geometric_shares
from marketplace.training.data import Dataset

CLASSES = 5
POSSIBLE = [partition for partition in Partition if partition is not Partition.BY_WRITER]


def numbered(samples: int) -> Dataset:
    """A data set whose only feature is the sample's number."""
    x = np.arange(samples, dtype=np.float32)[:, None]
    return Dataset(x, np.arange(samples, dtype=np.int64) % CLASSES, CLASSES)


def sizes(dealt: Dealt) -> list[int]:
    return [len(data) for data in dealt.datasets]


@pytest.mark.parametrize("partition", [p for p in POSSIBLE if p is not Partition.FEATURE_SKEW])
@given(seed=st.integers(0, 2**32 - 1), trainers=st.integers(1, 12))
@settings(max_examples=20)
def test_every_sample_goes_to_one_trainer(partition: Partition, seed: int, trainers: int):
    dealt = deal(numbered(600), partition, USUAL_SKEWS[partition], trainers, seed)
    assert len(dealt.datasets) == len(dealt.levels) == trainers
    everything = np.concatenate([data.x[:, 0] for data in dealt.datasets])
    np.testing.assert_array_equal(np.sort(everything), np.arange(600))


@pytest.mark.parametrize("partition", POSSIBLE)
def test_the_same_seed_deals_alike_and_another_one_differently(partition: Partition):
    first, again, other = (deal(numbered(300), partition, USUAL_SKEWS[partition], 4, seed) for seed in (1, 1, 2))
    for one, two in zip(first.datasets, again.datasets, strict=True):
        np.testing.assert_array_equal(one.x, two.x)
        np.testing.assert_array_equal(one.y, two.y)
    assert any(
        one.x.shape != two.x.shape or not np.array_equal(one.x, two.x)
        for one, two in zip(first.datasets, other.datasets, strict=True)
    )


def test_iid_parts_are_equally_large():
    assert sizes(deal(numbered(103), Partition.IID, 0.0, 10, 0)) == [10, 11, 10, 10, 11, 10, 10, 10, 11, 10]


def test_sizes_are_in_geometric_progression_in_an_order_that_is_drawn():
    dealt = [sizes(deal(numbered(1_110), Partition.SIZE_SKEW, 100.0, 3, seed)) for seed in range(8)]
    assert all(sorted(one) == [10, 100, 1_000] for one in dealt)
    assert len({one.index(1_000) for one in dealt}) > 1
    np.testing.assert_allclose(geometric_shares(3, 4.0), [1 / 7, 2 / 7, 4 / 7])


def test_the_share_of_wrong_labels_grows_evenly_to_its_largest():
    dealt = deal(numbered(5_000), Partition.LABEL_NOISE, 0.4, 5, 3)
    assert sorted(dealt.levels) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    for data, level in zip(dealt.datasets, dealt.levels, strict=True):
        wrong = data.y != data.x[:, 0].astype(np.int64) % CLASSES
        assert wrong.mean() == pytest.approx(level)
        assert set(data.y) <= set(range(CLASSES))


def test_features_differ_by_contrast_brightness_and_noise_of_its_level():
    x = np.tile(np.float32([0.0, 100.0]), (4_000, 1))
    dealt = deal(Dataset(x, np.zeros(4_000, dtype=np.int64), 2), Partition.FEATURE_SKEW, 0.5, 4, 3)
    assert sizes(dealt) == [1_000] * 4
    assert sorted(dealt.levels) == pytest.approx([0.0, 1 / 6, 1 / 3, 0.5])
    brightness = [float(data.x[:, 0].mean()) for data in dealt.datasets]
    contrast = [float((data.x[:, 1] - data.x[:, 0]).mean()) / 100 for data in dealt.datasets]
    for data, level in zip(dealt.datasets, dealt.levels, strict=True):
        np.testing.assert_allclose(data.x.astype(np.float64).std(axis=0), level, rtol=0.1, atol=1e-9)
    assert max(map(abs, brightness)) < 0.55
    assert all(0.45 < factor < 1.55 for factor in contrast)
    assert len({round(value, 3) for value in brightness + contrast}) == 8


def test_by_writer_is_refused_because_no_data_here_say_who_wrote_them():
    with pytest.raises(SettingError, match="who wrote each sample, and none of the data sets here does"):
        deal(numbered(100), Partition.BY_WRITER, 0.0, 2, 0)


@pytest.mark.parametrize(
    ("partition", "skew", "message"),
    [
        ("iid", 1.0, "takes no skew"),
        ("dirichlet", 0.0, "must be above 0"),
        ("size-skew", 0.5, "must be 1 or more"),
        ("label-noise", 1.5, "from 0 to 1"),
        ("feature-skew", -1.0, "0 or more"),
        ("dirichlet", float("nan"), "must be above 0"),
        ("zipf", 1.0, "'zipf' is not known"),
    ],
)
def test_a_skew_out_of_range_is_refused(partition: str, skew: float, message: str):
    with pytest.raises(SettingError, match=message):
        deal(numbered(100), partition, skew, 2, 0)


def test_a_trainer_without_samples_is_refused():
    with pytest.raises(SettingError, match="20 training samples leave one of 10 trainers without any"):
        deal(numbered(20), Partition.SIZE_SKEW, 1_000.0, 10, 0)
