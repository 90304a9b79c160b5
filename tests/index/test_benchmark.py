"""The benchmark's chain is one that the market could have made, and its goals are judged."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine
from web3 import Web3

from benchmarks.index import EVENTS, goals
from benchmarks.synthetic_chain import deployment, make_chain
from tests.index.play import Play


def test_the_made_up_chain_obeys_the_markets_rules_and_is_repaired(engine: Engine, tmp_path: Path) -> None:
    chain, instead = make_chain(300, 4, seed=3)
    play = Play(Web3(chain), deployment())
    step = play.indexer(engine, depth=4, believes=True).step()
    assert step.events >= 300
    play.assert_fresh(engine, tmp_path, depth=4, believes=True)
    chain.replace_last(instead, 4)
    assert play.indexer(engine, depth=4, believes=True).step().taken_out == 4
    play.assert_fresh(engine, tmp_path, depth=4, believes=True)


def test_the_same_seed_makes_the_same_chain() -> None:
    one, other = (make_chain(100, 4, seed=5)[0].blocks[-1].header["hash"] for _ in range(2))
    assert one == other


def test_goals_are_judged_at_the_size_that_they_are_for() -> None:
    row = {"database": "sqlite", "events": EVENTS, "seconds": 60.0, "repair_seconds": 4.0}
    assert [goal.met for goal in goals([row])] == [True, True]
    assert [goal.met for goal in goals([{**row, "seconds": 70.0, "repair_seconds": 6.0}])] == [False, False]
    assert [goal.met for goal in goals([{**row, "database": "postgresql", "seconds": 21.0}])] == [False, True]
    assert goals([{**row, "events": EVENTS - 1}]) == []
