"""Fang's attack: Krum selects it, and it points against the honest signs."""

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS
from benchmarks.simulation.attacks.krum_attack import krum_choice
from tests.simulation.attacks.views import make_view


def squares(rows):
    return ((rows[:, None] - rows[None]) ** 2).sum(axis=2)


def test_krum_selects_the_row_with_the_nearest_neighbours() -> None:
    points = np.array([[0.0], [1.0], [1.1], [1.3], [9.0], [20.0]])
    # n = 6, f = 1: three neighbours; 1.0 has 0.01 + 0.09 + 1.00, 1.1 has 0.01 + 0.04 + 1.21.
    assert krum_choice(squares(points), 1) == 1
    # f = 2: two neighbours; 1.1 has 0.01 + 0.04.
    assert krum_choice(squares(points), 2) == 2


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [2, 4])
def test_krum_selects_an_attacker(seed, k) -> None:
    view = make_view(seed=seed, k=k, h=12 - k, d=2_000)
    crafted = ATTACKS["fang-krum"].craft(view)
    assert krum_choice(squares(np.concatenate([view.honest, crafted])), k) >= 12 - k


def test_all_coordinates_go_against_the_honest_signs_by_the_same_amount() -> None:
    view = make_view()
    mean = ATTACKS["fang-krum"].craft(view).mean(axis=0)
    signs = np.sign(view.honest.mean(axis=0))
    step = -mean[0] * signs[0]
    assert step > 0
    np.testing.assert_allclose(mean, -step * signs, atol=1e-12)
