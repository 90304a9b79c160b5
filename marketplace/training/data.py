"""Data sets: arrays that were checked once, read from a trainer's own file or from a known public set.

Normalisation is part of a job's terms, because updates of trainers who scale their features differently can't be
added up: every party computes `(x - offset) / scale` in float64 with the written-down constants of `NORMALISATIONS`
and rounds once to float32. No statistic of anybody's own data enters.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from zipfile import BadZipFile
from zlib import error as zlib_error

import numpy as np
import numpy.typing as npt

from marketplace.training.errors import DataError


@dataclass(frozen=True)
class Dataset:
    """Samples that `make_dataset` has checked; the arrays are read-only.

    Attributes
    ----------
    x
        float32, shape (n, inputs), finite, normalised.
    y
        int64, shape (n,), labels from 0 to `classes - 1`.
    classes
        Number of classes, at least 2; the samples at hand may lack some.
    """

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.int64]
    classes: int

    def __len__(self) -> int:
        return len(self.y)

    @property
    def inputs(self) -> int:
        """Features of one sample."""
        return int(self.x.shape[1])

    def subset(self, indices: npt.NDArray[np.integer]) -> "Dataset":
        """Return the samples at `indices`, in that order."""
        return Dataset(_read_only(self.x[indices]), _read_only(self.y[indices]), self.classes)


@dataclass(frozen=True)
class Normalisation:
    """`(x - offset) / scale`, each either one number for all features or one number a feature."""

    offset: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)


# Per feature: mean and standard deviation of the public set, to three digits, in scikit-learn's order of features.
_BREAST_CANCER_OFFSET: Final = (
    *(14.1, 19.3, 92.0, 655.0, 0.0964, 0.104, 0.0888, 0.0489, 0.181, 0.0628),
    *(0.405, 1.22, 2.87, 40.3, 0.00704, 0.0255, 0.0319, 0.0118, 0.0205, 0.00379),
    *(16.3, 25.7, 107.0, 881.0, 0.132, 0.254, 0.272, 0.115, 0.29, 0.0839),
)
_BREAST_CANCER_SCALE: Final = (
    *(3.52, 4.3, 24.3, 352.0, 0.0141, 0.0528, 0.0796, 0.0388, 0.0274, 0.00705),
    *(0.277, 0.551, 2.02, 45.5, 0.003, 0.0179, 0.0302, 0.00616, 0.00826, 0.00264),
    *(4.83, 6.14, 33.6, 569.0, 0.0228, 0.157, 0.208, 0.0657, 0.0618, 0.018),
)

NORMALISATIONS: Final[dict[str, Normalisation]] = {
    "none": Normalisation(),
    # About the mean and the deviation of all pixels: centred features make updates of different classes less alike.
    "digits": Normalisation(offset=(5.0,), scale=(6.0,)),
    "grey-255": Normalisation(scale=(255.0,)),
    "breast-cancer": Normalisation(offset=_BREAST_CANCER_OFFSET, scale=_BREAST_CANCER_SCALE),
}


def normalisation_named(name: str) -> Normalisation:
    """Return the normalisation that a job's terms name, or raise `DataError` listing the known ones."""
    if name not in NORMALISATIONS:
        raise DataError(f"Normalisation {name!r} is not known; choose one of {', '.join(NORMALISATIONS)}.")
    return NORMALISATIONS[name]


Scalar = TypeVar("Scalar", bound=np.generic)


def _read_only(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """Return the array, closed for writing."""
    array.flags.writeable = False
    return array


def make_dataset(
    x: npt.NDArray[np.generic],
    y: npt.NDArray[np.generic],
    *,
    inputs: int | None = None,
    classes: int | None = None,
    normalisation: str = "none",
    source: str = "the data",
) -> Dataset:
    """Check arrays from outside, normalise them and make them a `Dataset`.

    Parameters
    ----------
    x
        Numbers, shape (n, ...); axes after the first are flattened in row-major order.
    y
        Labels, shape (n,), integers (floats with integer values are accepted).
    inputs, classes
        What the job asks for; None takes what the data has.
    normalisation
        A name in `NORMALISATIONS`.
    source
        What error messages call the data, for example its file name.

    Raises
    ------
    DataError
        If there are no samples, x and y differ in length, a value is not a finite number, a label is not an integer
        or outside the classes, or the number of features is not the job's.
    """
    if x.ndim < 2 or y.ndim != 1 or len(x) != len(y) or len(y) == 0:
        raise DataError(
            f"{source} has x of shape {x.shape} and y of shape {y.shape}; it must have x of shape (n, features) and "
            "y of shape (n,) with the same n, at least 1."
        )
    features = _features(x, source)
    if inputs is not None and features.shape[1] != inputs:
        raise DataError(
            f"{source} has {features.shape[1]} features a sample, the job asks for {inputs}; "
            "bring the same features in the same order as the job's datasheet lists them."
        )
    labels = _labels(y, classes, source)
    count = classes if classes is not None else max(2, int(labels.max()) + 1)
    return Dataset(_read_only(_normalise(features, normalisation, source)), _read_only(labels), count)


def _features(x: npt.NDArray[np.generic], source: str) -> npt.NDArray[np.float64]:
    """Return x as float64 (n, inputs), refusing what is no finite number."""
    if x.dtype.kind not in "biuf":
        raise DataError(f"x in {source} has the type {x.dtype}; it must hold integers or floating-point numbers.")
    features = x.reshape(len(x), -1).astype(np.float64)
    bad = ~np.isfinite(features)
    if bad.any():
        row, column = (int(v) for v in np.argwhere(bad)[0])
        raise DataError(
            f"{source} holds {int(bad.sum())} values that are NaN or infinite, the first at sample {row}, feature "
            f"{column} (counted from 0); drop or fill them before training."
        )
    return features


def _labels(y: npt.NDArray[np.generic], classes: int | None, source: str) -> npt.NDArray[np.int64]:
    """Return y as int64, refusing labels that are no integers from 0 to classes - 1."""
    if y.dtype.kind not in "biuf":
        raise DataError(f"y in {source} has the type {y.dtype}; labels must be integers from 0.")
    numbers = y.astype(np.float64)
    # NaN and infinity fail this comparison or the range below, so they need no check of their own.
    if not (numbers == np.rint(numbers)).all():
        wrong = int(np.argmax(numbers != np.rint(numbers)))
        raise DataError(f"The label of sample {wrong} in {source} is {y[wrong]}; labels must be integers from 0.")
    highest = (classes if classes is not None else 10_000) - 1
    outside = (numbers < 0) | (numbers > highest)
    if outside.any():
        wrong = int(np.argmax(outside))
        raise DataError(
            f"{int(outside.sum())} labels in {source} are outside 0 to {highest}, the first is {y[wrong]} at sample "
            f"{wrong}; number the classes as the job's datasheet does."
        )
    return numbers.astype(np.int64)


def _normalise(features: npt.NDArray[np.float64], name: str, source: str) -> npt.NDArray[np.float32]:
    """Return `(x - offset) / scale` as float32."""
    chosen = normalisation_named(name)
    for length in {len(chosen.offset), len(chosen.scale)} - {1}:
        if length != features.shape[1]:
            raise DataError(
                f"Normalisation {name!r} is for {length} features, {source} has {features.shape[1]}; "
                "check that this is the data the job asks for."
            )
    normalised: npt.NDArray[np.float32]
    with np.errstate(over="ignore"):
        normalised = ((features - np.array(chosen.offset)) / np.array(chosen.scale)).astype(np.float32)
    if not np.isfinite(normalised).all():
        raise DataError(
            f"{source} holds values up to {np.abs(features).max():.3g}, beyond what float32 holds; scale the features."
        )
    return normalised


def load_dataset(
    path: Path,
    *,
    inputs: int | None = None,
    classes: int | None = None,
    normalisation: str = "none",
) -> Dataset:
    """Read a trainer's own file: `.npz` with arrays `x` and `y`, or `.csv` with a header line.

    In a CSV file the label is the column named `y`, or the last one if none has that name; all others are features,
    in file order.

    Parameters
    ----------
    path
        The file; its suffix says which format.
    inputs, classes, normalisation
        As in `make_dataset`.

    Raises
    ------
    DataError
        If the file can't be read or its content does not fit.
    """
    readers: dict[str, Callable[[Path], tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]]]
    readers = {".npz": _read_npz, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path} ends in {path.suffix!r}; data must be a .npz or a .csv file.")
    if not path.is_file():
        raise DataError(f"There is no data file {path}; check the path.")
    x, y = reader(path)
    return make_dataset(x, y, inputs=inputs, classes=classes, normalisation=normalisation, source=str(path))


def _read_npz(path: Path) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    """Return the arrays x and y of a .npz file; pickled objects are refused."""
    return _read_arrays(path, ("x", "y"))


def _read_arrays(path: Path, names: tuple[str, str]) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    """Return two named arrays of a .npz file; pickled objects are refused."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            missing = [name for name in names if name not in archive]
            if missing:
                raise DataError(
                    f"{path} has the arrays {', '.join(archive.files) or 'none'}, not {' and '.join(missing)}; write "
                    f"it with numpy.savez(path, {names[0]}=..., {names[1]}=...)."
                )
            return archive[names[0]], archive[names[1]]
    # A damaged archive can raise any of these, depending on which byte is wrong.
    except (
        ValueError,
        OSError,
        EOFError,
        BadZipFile,
        zlib_error,
        NotImplementedError,
        AttributeError,
        TypeError,
    ) as error:
        raise DataError(f"{path} can't be read as a .npz file of plain arrays ({error}); write it again.") from error


def _read_csv(path: Path) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    """Return the features and labels of a CSV file with a header."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            header = [name.strip() for name in next(rows, [])]
            if len(header) < 2:
                raise DataError(
                    f"{path} has {len(header)} columns in its header line; it needs a feature and a label at least."
                )
            values = [_csv_row(path, rows.line_num, row, header) for row in rows if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} can't be read as a CSV file in UTF-8 ({error}); export it again.") from error
    if not values:
        raise DataError(f"{path} has a header and no samples; it needs 1 at least.")
    table = np.array(values, dtype=np.float64)
    label = header.index("y") if "y" in header else len(header) - 1
    return np.delete(table, label, axis=1), table[:, label]


def _csv_row(path: Path, line: int, row: Sequence[str], header: Sequence[str]) -> list[float]:
    """Return one line of a CSV file as numbers."""
    if len(row) != len(header):
        raise DataError(f"Line {line} of {path} has {len(row)} fields, its header {len(header)}; repair that line.")
    numbers = []
    for name, field in zip(header, row, strict=True):
        try:
            numbers.append(float(field))
        except ValueError as error:
            raise DataError(
                f"Line {line} of {path} has {field[:40]!r} in column {name!r}, which is no number; encode categories "
                "as numbers, and drop or fill missing values."
            ) from error
    return numbers


# name -> (normalisation, classes) of the known public sets
_PUBLIC: Final[dict[str, tuple[str, int]]] = {
    "digits": ("digits", 10),
    "breast-cancer": ("breast-cancer", 2),
    "mnist": ("grey-255", 10),
    "fashion-mnist": ("grey-255", 10),
}

PUBLIC_DATASETS: Final = tuple(_PUBLIC)


def load_public(name: str, data_dir: Path | None = None) -> Dataset:
    """Load a known public set, normalised.

    Parameters
    ----------
    name
        `digits` (1,797 x 64) and `breast-cancer` (569 x 30) come with scikit-learn; `mnist` and `fashion-mnist`
        (70,000 x 784, training set first) are read from `data_dir`.
    data_dir
        Directory with `mnist.npz` or `fashion-mnist.npz` (arrays `xtr`, `ytr`, `xte`, `yte`).

    Raises
    ------
    DataError
        If the name is not known, or the file is missing or of another form.
    """
    if name not in _PUBLIC:
        raise DataError(f"Data set {name!r} is not known; choose one of {', '.join(PUBLIC_DATASETS)}, or a file.")
    return public_dataset(name, *public_arrays(name, data_dir))


def public_dataset(name: str, x: npt.NDArray[np.generic], y: npt.NDArray[np.generic]) -> Dataset:
    """Return raw samples of a known public set, all or some of them, normalised as `load_public` does."""
    normalisation, classes = _PUBLIC[name]
    return make_dataset(x, y, classes=classes, normalisation=normalisation, source=name)


def public_arrays(name: str, data_dir: Path | None) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    """Return the raw arrays of a known public set: features as they come, labels from 0.

    Raises
    ------
    DataError
        If the file is missing or of another form.
    """
    # Importing scikit-learn takes a second, which a trainer with its own file should not wait for.
    from sklearn.datasets import load_breast_cancer, load_digits

    if name in ("digits", "breast-cancer"):
        x, y = (load_digits if name == "digits" else load_breast_cancer)(return_X_y=True)
        return x, y
    if data_dir is None:
        raise DataError(f"{name} does not come with Cairn; give --data-dir, the directory that holds {name}.npz.")
    path = data_dir / f"{name}.npz"
    if not path.is_file():
        raise DataError(f"There is no {path}; put {name}.npz there, or give another --data-dir.")
    xtr, ytr = _read_arrays(path, ("xtr", "ytr"))
    xte, yte = _read_arrays(path, ("xte", "yte"))
    return np.concatenate([xtr, xte]), np.concatenate([ytr, yte])
