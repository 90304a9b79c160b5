import numpy as np
import pytest

from marketplace.training.data import load_dataset
from marketplace.training.deal import deal
from marketplace.training.errors import DataError


def test_every_sample_is_dealt_to_one_file_with_raw_features(tmp_path):
    sizes = deal("digits", 5, tmp_path, seed=1)
    assert sum(sizes.values()) == 1797
    names = {path.stem: size for path, size in sizes.items()}
    assert names["referee"] == 200
    assert names["test"] == 360
    loaded = [np.load(path, allow_pickle=False)["x"] for path in sizes]
    assert max(x.max() for x in loaded) == 16.0
    rows = {row.tobytes() for x in loaded for row in x}
    assert len(rows) > 1790


def test_the_files_are_what_a_trainer_loads(tmp_path):
    deal("breast-cancer", 3, tmp_path)
    data = load_dataset(tmp_path / "trainer-2.npz", inputs=30, classes=2, normalisation="breast-cancer")
    assert len(data) >= 20


@pytest.mark.parametrize(("name", "trainers"), [("nothing", 3), ("digits", 0), ("digits", 10_000)])
def test_what_cannot_be_dealt_is_refused(tmp_path, name, trainers):
    with pytest.raises(DataError):
        deal(name, trainers, tmp_path / "out")
    assert not (tmp_path / "out").exists()
