import numpy as np
import pytest

from marketplace.training.data import Dataset, load_public
from marketplace.training.errors import DataError
from marketplace.training.scenario import Role, build_scenario, poisoned_data, poisoned_update


def test_the_demonstration_has_seven_honest_trainers_and_three_attackers(digits: Dataset) -> None:
    scenario = build_scenario(digits, seed=0)
    assert [party.role for party in scenario.trainers[-3:]] == [Role.SIGN_FLIP, Role.LABEL_FLIP, Role.FREE_RIDER]
    assert len(scenario.honest) == 7
    assert (len(scenario.referee), len(scenario.test)) == (200, 360)
    sizes = [len(party.data) for party in scenario.trainers]
    assert sum(sizes) == 1237
    assert max(sizes) >= 3 * min(sizes)
    assert min(sizes) >= 20


def test_the_seed_decides_everything(digits: Dataset) -> None:
    first, again, other = (build_scenario(digits, seed=s) for s in (4, 4, 5))
    for one, two in zip(first.trainers, again.trainers, strict=True):
        np.testing.assert_array_equal(one.data.x, two.data.x)
    assert [len(p.data) for p in first.trainers] != [len(p.data) for p in other.trainers]


def test_breast_cancer_is_large_enough() -> None:
    scenario = build_scenario(load_public("breast-cancer"), seed=0)
    assert (len(scenario.referee), len(scenario.test)) == (94, 142)
    assert min(len(party.data) for party in scenario.trainers) >= 11


def test_roles_are_dealt_without_regard_to_data(digits: Dataset) -> None:
    plain = build_scenario(digits, seed=1, attackers=())
    for one, two in zip(plain.trainers, build_scenario(digits, seed=1).trainers, strict=True):
        np.testing.assert_array_equal(one.data.y, two.data.y)


def test_someone_must_be_honest(digits: Dataset) -> None:
    with pytest.raises(DataError, match="3 trainers with 3 attackers"):
        build_scenario(digits, seed=0, trainers=3)


def test_label_flip_mirrors_the_classes(digits: Dataset) -> None:
    flipped = poisoned_data(Role.LABEL_FLIP, digits)
    np.testing.assert_array_equal(flipped.y, 9 - digits.y)
    np.testing.assert_array_equal(flipped.x, digits.x)


@pytest.mark.parametrize("role", [Role.HONEST, Role.SIGN_FLIP, Role.FREE_RIDER])
def test_other_roles_train_on_true_labels(digits: Dataset, role: Role) -> None:
    assert poisoned_data(role, digits) is digits


@pytest.mark.parametrize(
    ("role", "expected"),
    [(Role.HONEST, [1, -2]), (Role.LABEL_FLIP, [1, -2]), (Role.SIGN_FLIP, [-4, 8]), (Role.FREE_RIDER, [0, 0])],
)
def test_what_each_role_submits(role: Role, expected: list[float]) -> None:
    np.testing.assert_array_equal(poisoned_update(role, np.array([1.0, -2.0])), expected)
