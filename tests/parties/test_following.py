"""Following a job: what was signed before a crash reaches the chain, and nothing twice."""

from __future__ import annotations

import threading

import pytest
from web3.exceptions import Web3RPCError

from marketplace.chain import transact
from marketplace.chain.errors import RpcRefusalError, UnreachableNodeError
from marketplace.parties.following import follow


class Heard:
    """Remembers what a party did and how it failed, and calls `after_a_step` after each step that did something."""

    def __init__(self):
        self.done, self.faults, self.after_a_step = [], [], lambda: None

    def succeeded(self, done, seconds):
        assert seconds >= 0
        self.done += done
        if done:
            self.after_a_step()

    def failed(self, fault, *, is_new):
        self.faults.append((type(fault), is_new))
        if len(self.faults) == 3:
            self.after_a_step()

    def saw(self, progress):
        assert progress.round >= 0


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

    heard, stop = Heard(), threading.Event()
    heard.after_a_step = stop.set
    assert not follow(trainer, heard, pause=0, stop=stop)
    assert heard.done == [f"Sent `submit` with nonce {nonce} again: the node did not have it."]
    assert trainer.account.address in small.view.history().rounds[number].submissions
    assert small.market.w3.eth.get_transaction_count(trainer.account.address) == nonce + 1


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (UnreachableNodeError("http://127.0.0.1:1", "refused"), UnreachableNodeError),
        (Web3RPCError("limit exceeded"), RpcRefusalError),
    ],
)
def test_a_failure_that_passes_ends_nothing_and_is_new_once(small, monkeypatch, raised, told):
    heard, stop = Heard(), threading.Event()
    heard.after_a_step = stop.set

    def fail(*_):
        raise raised

    monkeypatch.setattr(type(small.trainers[0]), "step", fail)
    assert not follow(small.trainers[0], heard, pause=0, stop=stop)
    assert heard.faults == [(told, True), (told, False), (told, False)]
