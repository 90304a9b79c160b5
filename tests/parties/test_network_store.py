"""Envelopes that the aggregator fetches over HTTP from a store that is busy, lies, or lacks one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from aggregator.collection import Collection, collect
from marketplace.chain.history import RoundRecord
from marketplace.parties.view import JobView
from marketplace.storage.cid import parse_binary_cid
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.gateway import GatewayStore
from marketplace.storage.http import Origin, Patience
from marketplace.storage.layered import LayeredStore
from tests.parties.conftest import TRAINERS, SmallMarket
from tests.storage.servers import Reply, Request, Server

RAW = {"Content-Type": "application/vnd.ipld.raw"}
PATIENCE = Patience(silence_seconds=1, transfer_seconds=2, attempts=2, first_pause_seconds=0.01)


class Spoiled:
    """A gateway to what the trainers publish; `answers` says what it does instead for some blocks."""

    def __init__(self, small: SmallMarket) -> None:
        self.answers: dict[str, list[Reply]] = {}
        self._blocks = small.view.store.directory
        self.server = Server(self._answer)

    def _answer(self, request: Request) -> Reply:
        cid = request.target.partition("?")[0].rpartition("/")[2]
        if self.answers.get(cid):
            return self.answers[cid].pop(0)
        file = self._blocks / cid
        return Reply(200, file.read_bytes(), RAW) if file.exists() else Reply(404)


@dataclass
class Round:
    """A round whose envelopes are published, and an aggregator that has them from the gateway alone."""

    gateway: Spoiled
    view: JobView
    record: RoundRecord
    collect: Callable[[], Collection]
    cids: list[str]


@pytest.fixture
def round_(small, tmp_path) -> Iterator[Round]:
    gateway = Spoiled(small)
    with gateway.server:
        small.submit()
        small.aggregator.step()
        for trainer in small.trainers:
            trainer.step()
        source = GatewayStore(Origin("http", "127.0.0.1", gateway.server.port, True), "", PATIENCE)
        # Every look at the clock is a minute later, so a store that failed is asked again at once.
        store = LayeredStore([DirectoryStore(tmp_path / "own"), source], clock=map(float, count(0, 60)).__next__)
        view = JobView(small.market, store, small.job, small.view.srs_directory)
        record, collection = view.history().rounds[1], Collection()

        def run() -> Collection:
            collect(view, record, small.aggregator._key_pair, tmp_path / "aggregator", collection, lambda words: None)
            return collection

        cids = [str(parse_binary_cid(record.submissions[each.account.address].cid)) for each in small.trainers]
        yield Round(gateway, view, record, run, cids)


def test_what_a_store_does_wrong_is_never_evidence_against_a_trainer(round_, small):
    """An envelope stays outstanding until it comes: only the notice of the contract can make that the trainer's fault.

    Here each of the six fails in another way, then the store is busy only for a moment.
    """
    faults = [Reply(429), Reply(404), Reply(500), Reply(200, b"other bytes", RAW), Reply(200, b"", RAW), Reply(302)]
    everybody = sorted((each.account.address for each in small.trainers), key=lambda address: int(address, 16))
    assert len(faults) == TRAINERS
    round_.gateway.answers = {cid: [fault] * PATIENCE.attempts for cid, fault in zip(round_.cids, faults, strict=True)}
    collection = round_.collect()
    assert collection.accepted == collection.refused == {}
    assert collection.outstanding(round_.record, round_.view.terms.referee) == everybody
    round_.gateway.answers = {cid: [Reply(429, headers={"Retry-After": "0"})] for cid in round_.cids}
    assert sorted(round_.collect().accepted, key=lambda address: int(address, 16)) == everybody
