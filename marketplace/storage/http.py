"""HTTP to a node or gateway that may stall, lie, send without end or be overloaded.

Every transfer has a deadline of its own besides the timeouts of each step, an answer has a largest length, nothing is
decompressed, no redirection is followed, and who asks for patience gets it, within bounds.
"""

from __future__ import annotations

import contextlib
import email.utils
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final, Self
from urllib.parse import urlencode

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, IncompleteRead
from urllib3.response import HTTPResponse

from marketplace.errors import StorageError
from marketplace.storage.addresses import resolve

_PIECE_BYTES: Final = 1 << 16
_IDLE_CONNECTIONS: Final = 4
_BUSY: Final = frozenset({429, 502, 503, 504})
_REDIRECTIONS: Final = range(300, 400)
_AGENT: Final = "cairn"


@dataclass(frozen=True)
class Patience:
    """How long a store is waited for.

    Attributes
    ----------
    connect_seconds
        Until a connection stands, for each address.
    silence_seconds
        Between two pieces of an answer.
    transfer_seconds
        For one block from the request to its last byte.
    attempts
        How often something is asked of a store that is busy.
    first_pause_seconds
        Before the second attempt; doubled for each that follows.
    longest_pause_seconds
        The longest that a store may ask to wait.
    """

    connect_seconds: float = 5.0
    silence_seconds: float = 15.0
    transfer_seconds: float = 60.0
    attempts: int = 5
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 30.0


class StoreUnreachableError(StorageError):
    """Thrown when a node or gateway does not answer, not in time, or not as its protocol says.

    Attributes
    ----------
    place
        The store.
    fault
        What it does instead.
    """

    def __init__(self, place: str, fault: str) -> None:
        self.place = place
        self.fault = fault
        super().__init__(f"{place[:1].upper()}{place[1:]} {fault}; try again later, or name another store.")


@dataclass(frozen=True)
class Origin:
    """Where a server is.

    Attributes
    ----------
    scheme, host, port
        As in its URL.
    allow_local
        Whether its address may lie outside the public internet.
    """

    scheme: str
    host: str
    port: int
    allow_local: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class _Guarded(HTTPConnection):
    """A connection to an address that was looked at, which another thread can break off at any moment."""

    origin: Origin
    patience: Patience
    _lifeline: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        fault: OSError = OSError("its name stands for no address")
        for family, endpoint in resolve(self.origin.host, self.origin.port, allow_local=self.origin.allow_local):
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(self.patience.connect_seconds)
                connection.connect(endpoint)
                connection.settimeout(self.patience.silence_seconds)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._cut_lifeline()
                # A second handle on the same connection, which encryption does not take away.
                self._lifeline = connection.dup()
                return connection
            except OSError as error:
                connection.close()
                fault = error
        raise fault

    def break_off(self) -> None:
        """Make whatever waits for this connection fail at once."""
        if self._lifeline is not None:
            with contextlib.suppress(OSError):
                self._lifeline.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Close the connection; unlike `close`, which an answer may call while its body is still to come, for good."""
        self.close()
        self._cut_lifeline()

    def _cut_lifeline(self) -> None:
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None


class _GuardedTls(_Guarded, HTTPSConnection):
    """The same, encrypted."""


class Answer:
    """What a server answers; its body is read once, piece by piece.

    Parameters
    ----------
    response : HTTPResponse
        The answer, its body not yet read.
    transfer : _Transfer
        What it is part of.
    """

    def __init__(self, response: HTTPResponse, transfer: _Transfer) -> None:
        self._response = response
        self._transfer = transfer
        self.status: int = response.status

    def header(self, name: str) -> str:
        """Return a header's value; empty if there is none."""
        return self._response.headers.get(name, "")

    def pieces(self, max_bytes: int) -> Iterator[bytes]:
        """Yield the body.

        Raises
        ------
        StoreUnreachableError
            If it is longer than `max_bytes`, or breaks off.
        """
        length = 0
        while piece := self._read():
            length += len(piece)
            if length > max_bytes:
                raise self._transfer.failed(f"sends more than {max_bytes} bytes where no more can be right")
            yield piece

    def body(self, max_bytes: int) -> bytes:
        """Return the body whole; see `pieces`."""
        return b"".join(self.pieces(max_bytes))

    def _read(self) -> bytes:
        with self._transfer.faults():
            return self._response.read1(_PIECE_BYTES)


class _Transfer:
    """One request and its answer, before a deadline; a context."""

    def __init__(self, place: str, connection: _Guarded, seconds: float) -> None:
        self._place = place
        self._connection = connection
        self._seconds = seconds
        self._late = threading.Event()
        self._deadline = threading.Timer(seconds, self._stop)
        self._deadline.daemon = True

    def __enter__(self) -> Self:
        self._deadline.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._deadline.cancel()

    def _stop(self) -> None:
        self._late.set()
        self._connection.break_off()

    def failed(self, fault: str) -> StoreUnreachableError:
        """Return the error that says what the server does."""
        return StoreUnreachableError(self._place, fault)

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn what the network does into an error that says so."""
        cause: Exception | None = None
        try:
            yield
        except (OSError, HTTPError, HTTPException) as fault:
            cause = fault
        if self._late.is_set():
            raise self.failed(f"takes more than {self._seconds:.0f} s for one transfer") from cause
        if cause is None:
            return
        # urllib3 wraps what it tells of an answer that is too short.
        short = cause if isinstance(cause, IncompleteRead) else cause.__cause__
        if isinstance(short, IncompleteRead) and short.expected is not None:
            whole = short.partial + short.expected
            raise self.failed(f"breaks off its answer after {short.partial} of {whole} bytes") from cause
        raise self.failed(f"does not answer ({_words(cause)})") from cause


class HttpClient:
    """Asks one server.

    Parameters
    ----------
    origin : Origin
        Where it is.
    place : str
        What messages call it.
    patience : Patience
        How long it is waited for.
    sleep
        Waits so many seconds.
    """

    def __init__(
        self, origin: Origin, place: str, patience: Patience, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.origin = origin
        self.place = place
        self.patience = patience
        self._sleep = sleep
        self._idle: list[_Guarded] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _release, self._idle)
        self._tls = ssl.create_default_context() if origin.scheme == "https" else None

    @contextmanager
    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Callable[[], Iterable[bytes]] | None = None,
        headers: Mapping[str, str] | None = None,
        blocks: int = 1,
    ) -> Iterator[Answer]:
        """Ask, and ask again with growing pauses if the server is busy; a context, within which the body is read.

        Parameters
        ----------
        method, path, query, headers
            Of the request.
        body
            Makes the request's body; called anew for each attempt.
        blocks
            How many blocks' worth of time there is.

        Raises
        ------
        StoreUnreachableError
            If it does not answer in time, stays busy, or sends somewhere else.
        LocalAddressError
            If it is where nobody may be asked.
        """
        target = f"{path}?{urlencode(query)}" if query else path
        seconds = self.patience.transfer_seconds * max(1, blocks)
        for attempt in range(1, self.patience.attempts + 1):
            with self._transfer(method, target, body, dict(headers or {}), seconds) as answer:
                if answer.status in _REDIRECTIONS:
                    raise StoreUnreachableError(self.place, f"sends on to {answer.header('Location')[:200]!r}")
                if answer.status not in _BUSY:
                    yield answer
                    return
                pause = self._pause(attempt, answer)
            self._sleep(pause)

    def _pause(self, attempt: int, answer: Answer) -> float:
        """Return how long to wait before the next attempt."""
        wanted = _wanted_pause(answer.header("Retry-After"))
        busy = f"answers {answer.status}"
        if attempt == self.patience.attempts:
            raise StoreUnreachableError(self.place, f"{busy} after {attempt} attempts")
        if wanted is not None and wanted > self.patience.longest_pause_seconds:
            raise StoreUnreachableError(self.place, f"{busy} and asks to wait {wanted:.0f} s")
        grown = self.patience.first_pause_seconds * 2.0 ** (attempt - 1)
        return max(wanted or 0.0, min(grown, self.patience.longest_pause_seconds))

    @contextmanager
    def _transfer(
        self,
        method: str,
        target: str,
        body: Callable[[], Iterable[bytes]] | None,
        headers: dict[str, str],
        seconds: float,
    ) -> Iterator[Answer]:
        """Make one request; the connection is kept for the next one if all of the answer was read."""
        connection, is_fresh = self._connection()
        is_done = False
        try:
            with _Transfer(self.place, connection, seconds) as transfer:
                with transfer.faults():
                    response = self._send(connection, method, target, body, headers, is_fresh=is_fresh)
                yield Answer(response, transfer)
                # Only a closed connection has no end that would have to be found first.
                is_done = connection.sock is not None and not response.read1(1)
        finally:
            with self._lock:
                is_kept = is_done and len(self._idle) < _IDLE_CONNECTIONS
                if is_kept:
                    self._idle.append(connection)
            if not is_kept:
                connection.release()

    def _send(
        self,
        connection: _Guarded,
        method: str,
        target: str,
        body: Callable[[], Iterable[bytes]] | None,
        headers: dict[str, str],
        *,
        is_fresh: bool,
    ) -> HTTPResponse:
        """Send a request; once more over a new connection if the server has closed the old one meanwhile."""
        everything = {"User-Agent": _AGENT, "Accept-Encoding": "identity", **headers}
        try:
            connection.request(
                method,
                target,
                body=None if body is None else body(),
                headers=everything,
                chunked=body is not None,
                preload_content=False,
                decode_content=False,
            )
            return connection.getresponse()
        except (OSError, HTTPError, HTTPException):
            if is_fresh:
                raise
            connection.close()
            return self._send(connection, method, target, body, headers, is_fresh=True)

    def _connection(self) -> tuple[_Guarded, bool]:
        """Return an idle connection or a new one, and whether it is new."""
        with self._lock:
            if self._idle:
                return self._idle.pop(), False
        silence = self.patience.silence_seconds
        connection: _Guarded
        if self._tls is None:
            connection = _Guarded(self.origin.host, self.origin.port, timeout=silence)
        else:
            connection = _GuardedTls(self.origin.host, self.origin.port, timeout=silence, ssl_context=self._tls)
        connection.origin, connection.patience = self.origin, self.patience
        return connection, True


def _release(connections: list[_Guarded]) -> None:
    """Close idle connections."""
    while connections:
        connections.pop().release()


def _wanted_pause(text: str) -> float | None:
    """Return the seconds that a Retry-After header asks for; None if it does not say, or says nonsense."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _words(fault: Exception) -> str:
    """Return what went wrong in a few words, without addresses of objects."""
    if isinstance(fault, TimeoutError):
        return "nothing came in time"
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    return type(fault).__name__ if "object at 0x" in str(fault) else str(fault) or type(fault).__name__
