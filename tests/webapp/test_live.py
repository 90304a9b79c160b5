"""Streams tell what happened, as often as it happens, and end when they are told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.webapp.seed import Seeded
from webapp.live import stream
from webapp.live.hub import Hub, Look


def events(chunks: Iterator[bytes]) -> Iterator[tuple[str, dict]]:
    for chunk in chunks:
        lines = chunk.decode().strip().splitlines()
        if lines and lines[0].startswith("event: "):
            yield lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))


class Chain:
    """What a hub looks at."""

    def __init__(self) -> None:
        self.next = Look(1, b"\1" * 32, None, frozenset())

    def look(self, _before: Look | None) -> Look:
        return self.next


def test_a_stream_says_where_the_index_is_and_what_changed() -> None:
    chain = Chain()
    hub = Hub(chain.look, 2, poll=0.01)
    assert hub.join()
    told = events(text.encode() for text in stream._events(hub, 7))
    assert next(told) == ("now", {"block": 1, "block_hash": "0x" + "01" * 32, "alarm": False})
    for jobs, name in ((frozenset({3}), "block"), (frozenset({7}), "change"), (None, "change"), (frozenset(), "block")):
        chain.next = Look(chain.next.block + 1, bytes([chain.next.block + 1]) * 32, None, jobs)
        assert next(told)[0] == name
    hub.leave()


def test_no_more_streams_than_threads_are_left_for() -> None:
    hub = Hub(Chain().look, 2)
    assert hub.join()
    assert hub.join()
    assert not hub.join()
    hub.leave()
    assert hub.join()
    hub.close()
    hub.leave()
    assert not hub.join()


def test_streams_end_when_the_process_does() -> None:
    hub = Hub(Chain().look, 2, poll=0.01)
    hub.join()
    ended = threading.Event()

    def follow() -> None:
        list(stream._events(hub, None))
        ended.set()

    threading.Thread(target=follow, daemon=True).start()
    time.sleep(0.05)
    hub.close()
    assert ended.wait(5)


def test_a_page_is_told_of_new_blocks(app: Flask, seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()
    with client.get("/live?job=1", buffered=False) as answer:
        assert answer.mimetype == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        told = events(answer.iter_encoded())
        name, data = next(told)
        assert name == "now"
        assert data["block"] == seeded.market.w3.eth.block_number
    assert client.get("/live?job=x").status_code == 400


def test_too_many_streams_are_told_to_come_back(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST_STREAMS", 0)
    answer = app.test_client().get("/live")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
