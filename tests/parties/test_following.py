"""Following a job: what was signed before a crash reaches the chain, and nothing twice."""

from __future__ import annotations

import threading

import pytest

from marketplace.chain import transact
from marketplace.parties.following import follow


class KilledError(BaseException):
    """The process ended here."""


def test_what_a_crash_left_unsent_is_sent_before_the_next_step(small, monkeypatch):
    trainer, number = small.trainers[0], small.market.progress(small.job).round

    def die(*_):
        raise KilledError

    with monkeypatch.context() as crashing:
        crashing.setattr(transact, "broadcast", die)
        with pytest.raises(KilledError):
            trainer.step()
    assert trainer.account.address not in small.view.history().rounds[number].submissions
    nonce = small.market.w3.eth.get_transaction_count(trainer.account.address)

    said, stop = [], threading.Event()

    def report(line):
        said.append(line)
        stop.set()

    assert not follow(trainer, report, pause=0, stop=stop)
    assert said == [f"Sent `submit` with nonce {nonce} again: the node did not have it."]
    assert trainer.account.address in small.view.history().rounds[number].submissions
    assert small.market.w3.eth.get_transaction_count(trainer.account.address) == nonce + 1
