"""A client that costs little, so that what is measured is the server: requests written beforehand, answers counted.

It reads what `cairn web` sends, answers with a length; it is no client for anything else.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contribution.errors import CairnError

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "
_CHUNK: Final = 262_144
_PATIENCE: Final = 60.0


class AnswerError(CairnError):
    """Thrown when a server closes a connection within an answer, or sends one without a length."""


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes
    ----------
    status
        Of HTTP.
    head, body
        As they were sent; the body may be compressed.
    seconds
        From the request's first byte to the answer's last.
    """

    status: int
    head: bytes
    body: bytes
    seconds: float

    def header(self, name: str) -> str:
        """Return a header's value; nothing if it is not there."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return ""

    @property
    def transferred(self) -> int:
        """Bytes of head and body."""
        return len(self.head) + len(_END) + len(self.body)


def request(host: str, path: str, headers: Mapping[str, str], method: str = "GET", body: bytes = b"") -> bytes:
    """Return a request as it is sent; the connection is kept."""
    sent = {"Host": host, **headers, **({"Content-Length": str(len(body))} if body else {})}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join(lines).encode() + _END + body


class Visit:
    """One connection, asked one request at a time; raises `AnswerError`."""

    def __init__(self, address: str, port: int) -> None:
        self._socket = _connect(address, port)

    def ask(self, sent: bytes) -> Reply:
        """Send a request and wait for the answer."""
        began = time.perf_counter()
        self._socket.sendall(sent)
        got = bytearray()
        while (found := _whole(got)) is None:
            piece = self._socket.recv(_CHUNK)
            if not piece:
                raise AnswerError("The server closed the connection within an answer; its log may say why.")
            got += piece
        seconds = time.perf_counter() - began
        return Reply(int(got[9:12]), bytes(got[:found]), bytes(got[found + len(_END) :]), seconds)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


@dataclass
class Tally:
    """What came of asking much at once.

    Attributes
    ----------
    statuses
        How many answers of each.
    failures
        Connections that ended within an answer.
    hits
        Answers that the server had made before.
    transferred
        Bytes that were received.
    seconds
        How long it took.
    latencies
        Of each answer, in seconds.
    """

    statuses: dict[int, int] = field(default_factory=dict)
    failures: int = 0
    hits: int = 0
    transferred: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)


def hammer(address: str, port: int, connections: int, requests: Sequence[bytes], seconds: float) -> Tally:
    """Ask the requests over and over on so many connections, each of which asks as soon as it is answered."""
    tally = Tally()
    waiting = deque(requests)
    selector = selectors.DefaultSelector()
    under_way: dict[socket.socket, tuple[float, bytearray]] = {}

    def send(on: socket.socket) -> None:
        sent = waiting[0]
        waiting.rotate(-1)
        under_way[on] = (time.perf_counter(), bytearray())
        on.sendall(sent)

    sockets = [_connect(address, port) for _ in range(connections)]
    began = time.perf_counter()
    for each in sockets:
        selector.register(each, selectors.EVENT_READ)
        send(each)
    until = began + seconds
    while under_way:
        ready = selector.select(_PATIENCE)
        if not ready:
            tally.failures += len(under_way)
            break
        for key, _ in ready:
            connection: socket.socket = key.fileobj  # type: ignore[assignment]
            sent_at, got = under_way[connection]
            piece = connection.recv(_CHUNK)
            got += piece
            if piece and _whole(got) is None:
                continue
            now = time.perf_counter()
            del under_way[connection]
            if piece:
                _count(tally, got, now - sent_at)
            else:
                tally.failures += 1
                selector.unregister(connection)
                connection = _connect(address, port)
                sockets.append(connection)
                selector.register(connection, selectors.EVENT_READ)
            if now < until:
                send(connection)
    tally.seconds = time.perf_counter() - began
    selector.close()
    for each in sockets:
        each.close()
    return tally


def _count(tally: Tally, got: bytearray, seconds: float) -> None:
    status = int(got[9:12])
    tally.statuses[status] = tally.statuses.get(status, 0) + 1
    tally.hits += b"Cache-Status: cairn; hit" in got
    tally.transferred += len(got)
    tally.latencies.append(seconds)


def _connect(address: str, port: int) -> socket.socket:
    connection = socket.create_connection((address, port), _PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _whole(got: bytearray) -> int | None:
    """Return where an answer's head ends if all of it is there, else None."""
    end = got.find(_END)
    if end < 0:
        return None
    if bytes(got[9:12]) in (b"304", b"204"):
        return end
    head = bytes(got[:end]).lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise AnswerError("The server sent an answer without a length, which this client does not read.")
    stop = head.find(b"\r\n", at)
    length = int(head[at + len(_LENGTH) : stop if stop >= 0 else len(head)])
    return end if len(got) >= end + len(_END) + length else None
