"""What the aggregator decrypts stays in its memory: no file of its own, no content, no log and no event holds it."""

from __future__ import annotations

import threading

import numpy as np

from marketplace.operations.log import open_log
from marketplace.operations.metrics import Metrics
from marketplace.operations.runs import Run, record_run
from marketplace.operations.witness import PartyWitness
from marketplace.parties.following import follow
from marketplace.parties.outbox import Outbox
from marketplace.payload.update import decode_update
from tests.parties.conftest import WINDOW, SmallMarket


def forms_of(update: np.ndarray) -> list[bytes]:
    """An update as it could end up in a file: in bytes of either order, in hex, in decimals."""
    raw = [update.astype(kind).tobytes() for kind in ("<i2", ">i2", "<i4", "<i8", "<f4", "<f8")]
    decimals = [separator.join(map(str, update.tolist())) for separator in (",", ", ", " ")]
    return [*raw, *(each.hex().encode() for each in raw), *(each.encode() for each in decimals)]


def test_no_decrypted_update_is_in_a_file_a_log_or_an_event(small: SmallMarket) -> None:
    small.submit()
    updates = [
        decode_update(
            Outbox(small.workspace / f"trainer-{index}" / "outbox").find(1).opening, small.view.terms.dimension, 16
        ).update
        for index in range(len(small.trainers))
    ]
    run_until_settled(small)
    assert small.market.progress(small.job).settled_rounds == 1
    kept = [file.read_bytes() for file in small.workspace.rglob("*") if file.is_file() and not of_a_trainer(file)]
    w3 = small.market.w3
    events = [bytes(log["data"]) for log in w3.eth.get_logs({"fromBlock": 0, "toBlock": "latest"})]
    calls = [bytes(tx["input"]) for number in range(w3.eth.block_number + 1) for tx in transactions(w3, number)]
    assert len(kept) > len(small.trainers)
    assert len(events) > len(small.trainers)
    for update in updates:
        for form in forms_of(update):
            assert not [place for place in (*kept, *events, *calls) if form in place]


def test_the_check_sees_an_update(small: SmallMarket) -> None:
    """A trainer's own outbox holds its update, in one of the forms that are looked for."""
    small.submit()
    opening = Outbox(small.workspace / "trainer-0" / "outbox").find(1).opening
    update = decode_update(opening, small.view.terms.dimension, 16).update
    assert any(form in opening for form in forms_of(update))


def run_until_settled(small: SmallMarket) -> None:
    """Let the aggregator work as `cairn aggregator run` does, with log, metrics and run file."""
    aggregator, number = small.aggregator, 1

    def describe(name: str) -> Run:
        log = str(small.workspace / "logs" / f"{name}.jsonl")
        return Run(name, "aggregator", 31_337, small.market.deployment.market, small.job, "0x", number, 0, log)

    with (
        record_run(small.workspace / "run", describe, "aggregator-1") as record,
        open_log(small.workspace / "logs" / "aggregator-1.jsonl", "aggregator-1", small.job) as log,
    ):
        witness = PartyWitness(lambda _: None, log, Metrics("aggregator", small.job), record, lambda: 10**18)
        aggregator.step()
        for trainer in small.trainers:
            trainer.step()
        small.pass_time(WINDOW + 1)
        stop = threading.Event()
        saw = witness.saw
        witness.saw = lambda progress: (saw(progress), progress.settled_rounds and stop.set())
        assert not follow(aggregator, witness, pause=0.01, stop=stop)


def transactions(w3, number: int):
    return w3.eth.get_block(number, full_transactions=True)["transactions"]


def of_a_trainer(file) -> bool:
    return any(part.startswith("trainer-") for part in file.parts)
