"""A job's state is asked for once a block, and again as soon as a block has come."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from hexbytes import HexBytes

from marketplace.parties.view import JobView

TRAINER, OTHER = "0x" + "11" * 20, "0x" + "22" * 20


class CountingMarket:
    """Answers with the number of the block, and counts the questions."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.block = 1
        self.fork = 0
        self.deployment = SimpleNamespace(block=0)
        self.w3 = SimpleNamespace(eth=SimpleNamespace(get_block=self._get_block))

    def _get_block(self, _which: str) -> dict[str, object]:
        return {"hash": HexBytes(bytes([self.fork, self.block])), "timestamp": 100 * self.block, "number": self.block}

    def terms(self, _job: int) -> str:
        return "terms"

    def progress(self, _job: int) -> int:
        return self._answer("progress")

    def seats(self, _job: int) -> int:
        return self._answer("seats")

    def windows(self, _job: int) -> int:
        return self._answer("windows")

    def trainer(self, _job: int, account: str) -> int:
        return self._answer(account)

    def _answer(self, what: str) -> int:
        self.asked[what] += 1
        return self.block


@pytest.fixture
def market() -> CountingMarket:
    return CountingMarket()


@pytest.fixture
def view(market: CountingMarket) -> JobView:
    return JobView(market, None, 1, Path())  # type: ignore[arg-type]


def test_nothing_is_asked_before_it_is_needed(view, market):
    assert view.snapshot().now == 100
    assert not market.asked


def test_each_question_is_asked_once_a_block(view, market):
    for _ in range(5):
        snapshot = view.snapshot()
        assert (snapshot.progress, snapshot.seats, snapshot.windows) == (1, 1, 1)
        assert snapshot.trainer(TRAINER) == snapshot.trainer(OTHER) == 1
    assert market.asked == {"progress": 1, "seats": 1, "windows": 1, TRAINER: 1, OTHER: 1}


def test_a_new_block_is_asked_again(view, market):
    assert view.snapshot().progress == 1
    market.block = 2
    snapshot = view.snapshot()
    assert (snapshot.now, snapshot.progress) == (200, 2)


def test_another_block_of_the_same_number_is_asked_again(view, market):
    before = view.snapshot()
    market.fork = 1
    assert view.snapshot() is not before
