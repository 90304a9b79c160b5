"""Label flips: which label becomes which, and whose success is measured how."""

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS
from marketplace.training.data import make_dataset
from tests.simulation.attacks.views import make_view


def labelled(labels, classes):
    labels = np.array(labels)
    return make_dataset(np.arange(2.0 * len(labels)).reshape(-1, 2), labels, classes=classes)


@pytest.mark.parametrize(
    ("name", "classes", "before", "after"),
    [
        ("label-flip", 10, [0, 3, 9], [9, 6, 0]),
        ("label-flip", 2, [0, 1], [1, 0]),
        ("label-flip-pairs", 10, [0, 1, 6, 7], [1, 0, 7, 6]),
        ("label-flip-pairs", 3, [0, 1, 2], [1, 0, 2]),
        ("label-flip-targeted", 10, [0, 5, 6, 7], [0, 5, 0, 7]),
        ("label-flip-targeted", 2, [0, 1], [0, 0]),
    ],
)
def test_labels_are_changed_and_samples_are_not(name, classes, before, after) -> None:
    data = labelled(before, classes)
    (poisoned,) = ATTACKS[name].poison([data], np.random.default_rng(0))
    assert poisoned.y.tolist() == after
    assert np.array_equal(poisoned.x, data.x)


def test_success_of_the_targeted_flip_is_measured_on_the_hidden_class_alone() -> None:
    data = labelled([6, 1, 6, 0], 10)
    wanted = ATTACKS["label-flip-targeted"].wanted(data)
    assert wanted.y.tolist() == [0, 0]
    assert np.array_equal(wanted.x, data.x[[0, 2]])
    assert ATTACKS["label-flip"].wanted is None


def test_the_update_trained_on_wrong_labels_is_sent_scaled_by_the_strength() -> None:
    view = make_view(strength=2.0)
    assert np.array_equal(ATTACKS["label-flip"].craft(view), 2.0 * view.own)
