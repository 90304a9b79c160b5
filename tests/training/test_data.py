from pathlib import Path

import numpy as np
import pytest

from marketplace.training.data import NORMALISATIONS, Dataset, load_dataset, load_public, make_dataset
from marketplace.training.errors import DataError

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
Y = np.array([0, 1, 1])


def write_csv(path: Path, text: str) -> Path:
    file = path / "data.csv"
    file.write_text(text, encoding="utf-8")
    return file


def write_npz(path: Path, **arrays: np.ndarray) -> Path:
    file = path / "data.npz"
    np.savez(file, **arrays)
    return file


def test_npz_is_read(tmp_path: Path) -> None:
    data = load_dataset(write_npz(tmp_path, x=X, y=Y), inputs=2, classes=3)
    np.testing.assert_array_equal(data.x, X.astype(np.float32))
    np.testing.assert_array_equal(data.y, Y)
    assert (data.x.dtype, data.y.dtype, data.classes, data.inputs, len(data)) == (np.float32, np.int64, 3, 2, 3)


def test_images_are_flattened(tmp_path: Path) -> None:
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    data = load_dataset(write_npz(tmp_path, x=images, y=np.array([0, 1], dtype=np.uint8)))
    np.testing.assert_array_equal(data.x[1], np.arange(12, 24))


@pytest.mark.parametrize("text", ["a,b,label\n1,2,0\n3,4,1\n5,6,1\n", "y,a,b\n0,1,2\n1,3,4\n\n1,5,6\n"])
def test_csv_label_is_the_last_column_or_the_one_named_y(tmp_path: Path, text: str) -> None:
    data = load_dataset(write_csv(tmp_path, text))
    np.testing.assert_array_equal(data.x, X)
    np.testing.assert_array_equal(data.y, Y)


def test_csv_of_a_spreadsheet_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    data = load_dataset(write_csv(tmp_path, "\ufeffy,a\r\n0,1\r\n1,2\r\n"))
    np.testing.assert_array_equal(data.y, [0, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 columns"),
        ("a,y\n", "no samples"),
        ("a,b,y\n1,2,0\n1,0\n", "Line 3 of .* has 2 fields, its header 3"),
        ("a,b,y\n1,2,0\n1,,0\n", "Line 3 .* column 'b'"),
        ("a,b,y\n1,red,0\n", "'red' in column 'b'"),
        ("a,b,y\n1,nan,0\n", "1 values that are NaN or infinite, the first at sample 0, feature 1"),
        ("a,b,y\n1,2,0.5\n", "label of sample 0 .* is 0.5"),
        ("a,b,y\n1,2,nan\n", "label of sample 0 .* is nan"),
        ("a,b,y\n1,2,inf\n", "outside 0 to 1, the first is inf"),
        ("a,b,y\n1,2,0\n1,2,2\n", "outside 0 to 1, the first is 2.0 at sample 1"),
        ("a,b,y\n1,2,-1\n", "outside 0 to 1"),
        ("a,y\n1,0\n", "has 1 features a sample, the job asks for 2"),
        ("a,b,y\n1,1e300,0\n", "beyond what float32 holds"),
    ],
)
def test_a_wrong_csv_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(write_csv(tmp_path, text), inputs=2, classes=2)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "has the arrays x, not y"),
        ({"x": X, "y": Y[:2]}, r"x of shape \(3, 2\) and y of shape \(2,\)"),
        ({"x": X[:, 0], "y": Y}, r"x of shape \(3,\)"),
        ({"x": X[:0], "y": Y[:0]}, "at least 1"),
        ({"x": X.astype(str), "y": Y}, "x in .* has the type <U"),
        ({"x": X, "y": Y.astype(str)}, "y in .* has the type <U"),
        ({"x": X + 1j, "y": Y}, "x in .* has the type complex128"),
    ],
)
def test_a_wrong_npz_is_refused(tmp_path: Path, arrays: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(write_npz(tmp_path, **arrays))


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="plain arrays"):
        load_dataset(write_npz(tmp_path, x=np.array([{}, {}], dtype=object), y=np.array([0, 1])))


def test_a_damaged_npz_is_refused_at_every_cut(tmp_path: Path) -> None:
    path = write_npz(tmp_path, x=X, y=Y)
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="plain arrays"):
            load_dataset(path)


def test_a_bare_array_is_no_npz(tmp_path: Path) -> None:
    with (tmp_path / "data.npz").open("wb") as file:
        np.save(file, X)
    with pytest.raises(DataError, match="plain arrays"):
        load_dataset(tmp_path / "data.npz")


def test_other_suffixes_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\.npz or a \.csv"):
        load_dataset(tmp_path / "data.pkl")
    with pytest.raises(DataError, match="no data file"):
        load_dataset(tmp_path / "data.csv")


def test_a_dataset_can_not_be_changed(digits: Dataset) -> None:
    with pytest.raises(ValueError, match="read-only"):
        digits.x[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        digits.subset(np.arange(3)).y[0] = 1


def test_digits_are_normalised_by_the_written_constants(digits: Dataset) -> None:
    assert digits.x.shape == (1797, 64)
    assert digits.classes == 10
    assert digits.x.min() == np.float32(-5 / 6)
    assert digits.x.max() == np.float32(11 / 6)


def test_breast_cancer_is_about_standardised() -> None:
    data = load_public("breast-cancer")
    assert (data.x.shape, data.classes) == ((569, 30), 2)
    assert np.abs(data.x.mean(axis=0)).max() < 0.05
    assert np.abs(data.x.std(axis=0) - 1).max() < 0.05


def test_the_same_normalisation_serves_own_files() -> None:
    data = make_dataset(np.array([[5.0, 11.0]]), np.array([0]), normalisation="digits")
    np.testing.assert_array_equal(data.x, [[0, 1]])


def test_a_normalisation_for_other_features_is_refused() -> None:
    with pytest.raises(DataError, match="for 30 features, the data has 2"):
        make_dataset(X, Y, normalisation="breast-cancer")
    with pytest.raises(DataError, match="'zscore' is not known"):
        make_dataset(X, Y, normalisation="zscore")


def test_every_written_normalisation_divides_by_something() -> None:
    assert all(min(n.scale) > 0 for n in NORMALISATIONS.values())


def test_mnist_is_read_from_a_directory(tmp_path: Path) -> None:
    images, labels = np.full((4, 28, 28), 255, dtype=np.uint8), np.arange(4, dtype=np.uint8)
    np.savez(tmp_path / "mnist.npz", xtr=images[:3], ytr=labels[:3], xte=images[3:], yte=labels[3:])
    data = load_public("mnist", tmp_path)
    assert (data.x.shape, data.classes, float(data.x.max())) == ((4, 784), 10, 1.0)
    np.testing.assert_array_equal(data.y, labels)


def test_public_sets_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--data-dir"):
        load_public("mnist")
    with pytest.raises(DataError, match="There is no"):
        load_public("fashion-mnist", tmp_path)
    with pytest.raises(DataError, match="not known; choose one of digits"):
        load_public("iris")
