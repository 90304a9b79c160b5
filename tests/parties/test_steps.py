"""Each party tells what it does, and a trainer that was killed computes the same again."""

from __future__ import annotations

import numpy as np

from marketplace.parties.outbox import Outbox
from marketplace.parties.trainer import Trainer
from marketplace.payload.update import decode_update
from tests.parties.conftest import WINDOW, SmallMarket


def test_every_step_of_a_round_is_told_before_it_begins(small_with_referee: SmallMarket) -> None:
    small, told = small_with_referee, {}
    parties = {"trainer": small.trainers[0], "referee": small.referee, "aggregator": small.aggregator}
    for name, party in parties.items():
        told[name] = []
        party._progress = told[name].append
    small.submit()
    small.aggregator.step()
    for party in (*small.trainers, small.referee):
        party.step()
    small.pass_time(WINDOW + 1)
    small.aggregator.step()
    small.trainers[0].step()
    of_trainer = ["train", "commit", "keep", "submit", "deliver", "check the model"]
    assert told["trainer"][:6] == [f"round 1: {step}" for step in of_trainer]
    of_referee = ["check the model", "compute the reference", "commit", "keep", "submit", "deliver"]
    assert told["referee"] == [f"round 1: {step}" for step in of_referee]
    steps = [line.removeprefix("round 1: ") for line in told["aggregator"]]
    firsts = [next(i for i, line in enumerate(steps) if line.startswith(word)) for word in ("fetch", "score", "prove")]
    assert firsts == sorted(firsts)
    assert steps[-2:] == ["store the aggregate", "settle"]


def test_a_trainer_that_lost_everything_computes_the_same_update(small: SmallMarket) -> None:
    first = small.trainers[0]
    updates = []
    for place, rounding in (("a", _by_round), ("b", _by_round), ("c", None)):
        trainer = Trainer(small.view, first.account, first._train, small.workspace / place, rounding)
        small.market.submit, submit = lambda *_: None, small.market.submit
        trainer.step()
        small.market.submit = submit
        opening = Outbox(small.workspace / place / "outbox").find(1).opening
        updates.append(decode_update(opening, small.view.terms.dimension, 16))
    assert (updates[0].update == updates[1].update).all()
    assert (updates[0].update != updates[2].update).any()
    assert len({opening.blinder for opening in updates}) == 3


def _by_round(number: int) -> np.random.Generator:
    return np.random.default_rng([7, number])
