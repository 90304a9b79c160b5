"""Min-Max and Min-Sum: the condition holds, and the next larger step breaks it."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS
from benchmarks.simulation.attacks.min_max import against_deviation, against_mean, against_sign
from tests.simulation.attacks.views import cosines, make_view

DIRECTIONS = {"unit": against_mean, "std": against_deviation, "sign": against_sign}


def squares(first, second):
    return ((first[:, None] - second[None]) ** 2).sum(axis=2)


def largest_distance(rows, honest):
    return squares(rows, honest).max(), squares(honest, honest).max()


def largest_sum(rows, honest):
    return squares(rows, honest).sum(axis=1).max(), squares(honest, honest).sum(axis=1).max()


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(("kind", "condition"), [("min-max", largest_distance), ("min-sum", largest_sum)])
@pytest.mark.parametrize("seed", range(4))
def test_the_condition_holds_with_equality(kind, condition, direction, seed) -> None:
    view = make_view(seed=seed)
    crafted = ATTACKS[f"{kind}-{direction}"].craft(view)
    reached, limit = condition(crafted, view.honest)
    assert reached <= limit * (1 + 1e-9)
    step = crafted.mean(axis=0) - view.honest.mean(axis=0)
    further, _ = condition(crafted + 1e-3 * step, view.honest)
    assert further > limit


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("kind", ["min-max", "min-sum"])
def test_the_step_from_the_mean_is_along_the_direction(kind, direction) -> None:
    view = make_view()
    step = ATTACKS[f"{kind}-{direction}"].craft(view).mean(axis=0) - view.honest.mean(axis=0)
    expected = DIRECTIONS[direction](view.honest)
    gamma = step @ expected / (expected @ expected)
    assert gamma > 0
    np.testing.assert_allclose(step, gamma * expected, atol=1e-10)


@pytest.mark.parametrize("name", [f"{kind}-{direction}" for kind in ("min-max", "min-sum") for direction in DIRECTIONS])
def test_the_crafted_updates_are_no_copies_of_each_other(name) -> None:
    assert cosines(ATTACKS[name].craft(make_view(d=5_000))).max() < 0.999


def test_strength_scales_the_step() -> None:
    once = ATTACKS["min-max-unit"].craft(make_view())
    twice = ATTACKS["min-max-unit"].craft(make_view(strength=2.0))
    mean = make_view().honest.mean(axis=0)
    np.testing.assert_allclose(twice.mean(axis=0) - mean, 2 * (once.mean(axis=0) - mean), atol=1e-10)


def test_one_honest_trainer_leaves_no_room() -> None:
    view = make_view(k=1, h=1)
    np.testing.assert_allclose(ATTACKS["min-max-unit"].craft(view), view.honest, atol=1e-6)


def test_honest_trainers_who_agree_leave_no_room() -> None:
    view = make_view(k=1)
    view = replace(view, honest=np.tile(view.honest[0], (7, 1)))
    np.testing.assert_allclose(ATTACKS["min-sum-unit"].craft(view)[0], view.honest[0], atol=1e-6)
