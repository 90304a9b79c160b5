"""Every attack of the library: shapes, determinism, and that none uses what it claims not to know."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulation.attacks import ATTACKS, Attack, AttackError, Knowledge, tune
from marketplace.training.data import make_dataset
from tests.simulation.attacks.rule import rule_on
from tests.simulation.attacks.views import make_view

EVERY = [pytest.param(attack, id=name) for name, attack in ATTACKS.items()]
SEES_HONEST = (Knowledge.OMNISCIENT, Knowledge.ADAPTIVE)


def view_for(attack: Attack, seed: int = 1, **changes):
    view = make_view(seed=seed, strength=attack.strength, **changes)
    return replace(view, decide=rule_on(view))


def pictures(seed: int, n: int = 30):
    generator = np.random.default_rng(seed)
    return make_dataset(generator.random((n, 64)), generator.integers(0, 10, n), classes=10)


@pytest.mark.parametrize("attack", EVERY)
def test_it_makes_one_finite_update_for_each_attacker(attack) -> None:
    for k in (1, 3):
        for round in (1, 2, 10):
            view = view_for(attack, k=k, round=round)
            if round == 1:
                view = replace(view, last_aggregate=np.zeros_like(view.model), first_own=view.own)
            crafted = attack.craft(view)
            assert crafted.shape == view.own.shape
            assert crafted.dtype == np.float64
            assert np.isfinite(crafted).all()


@pytest.mark.parametrize("attack", EVERY)
def test_it_is_a_function_of_the_view_and_the_generators_state(attack) -> None:
    first, second = attack.craft(view_for(attack)), attack.craft(view_for(attack))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("attack", EVERY)
def test_it_changes_nothing_that_it_was_shown(attack) -> None:
    view, untouched = view_for(attack), view_for(attack)
    attack.craft(view)
    for name in ("own", "first_own", "honest", "model", "initial_model", "last_aggregate"):
        assert np.array_equal(getattr(view, name), getattr(untouched, name)), name


@pytest.mark.parametrize("attack", EVERY)
def test_it_does_not_depend_on_what_it_claims_not_to_know(attack) -> None:
    view = view_for(attack)
    expected = attack.craft(view)
    hidden = replace(view_for(attack), decide=None)
    if attack.knowledge is Knowledge.ADAPTIVE:
        with pytest.raises(AttackError, match="no rule to ask"):
            attack.craft(hidden)
        return
    if attack.knowledge in SEES_HONEST:
        assert np.array_equal(attack.craft(hidden), expected)
        with pytest.raises(AttackError, match="no honest updates"):
            attack.craft(replace(hidden, honest=None))
        return
    assert np.array_equal(attack.craft(replace(hidden, honest=None)), expected)
    if attack.knowledge is Knowledge.NONE:
        others = replace(view_for(attack), own=view.own * 7 + 1, first_own=view.own - 3)
        assert np.array_equal(attack.craft(others), expected)


@pytest.mark.parametrize("attack", EVERY)
def test_its_data_are_made_from_the_attackers_data_alone_and_alike_every_time(attack) -> None:
    held = [pictures(seed) for seed in range(3)]
    before = [(data.x.copy(), data.y.copy()) for data in held]
    once = attack.poison(held, np.random.default_rng(5))
    again = attack.poison(held, np.random.default_rng(5))
    assert len(once) == 3
    for first, second in zip(once, again, strict=True):
        assert np.array_equal(first.x, second.x)
        assert np.array_equal(first.y, second.y)
        assert first.classes == 10
        assert first.x.dtype == np.float32
        assert first.y.dtype == np.int64
        assert ((first.y >= 0) & (first.y < 10)).all()
    for data, (x, y) in zip(held, before, strict=True):
        assert np.array_equal(data.x, x)
        assert np.array_equal(data.y, y)


@pytest.mark.parametrize("attack", EVERY)
def test_its_description_is_complete(attack) -> None:
    assert attack.strength in attack.grid
    assert len(set(attack.grid)) == len(attack.grid)
    assert any(character.isdigit() for character in attack.source), "a source has a year"
    assert ATTACKS[attack.name] is attack


def test_tuning_picks_the_strength_at_which_the_figure_is_lowest() -> None:
    attack = ATTACKS["sign-flip"]
    asked: list[float] = []

    def accuracy(strength: float) -> float:
        asked.append(strength)
        return abs(strength - 2.0)

    assert tune(attack, accuracy) == 2.0
    assert asked == list(attack.grid)
    assert tune(attack, lambda strength: 0.5) == attack.grid[0]


def test_an_attack_that_makes_the_wrong_shape_is_named() -> None:
    broken = replace(ATTACKS["sign-flip"], name="broken", recipe=lambda view: view.own[:1])
    with pytest.raises(AttackError, match="'broken' made an array of shape \\(1, 40\\)"):
        broken.craft(make_view())
