"""The embedded chain for other processes: JSON-RPC over HTTP."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from marketplace.chain.devnet.accounts import DEFAULT_COUNT
from marketplace.chain.devnet.ledger import DEFAULT_CHAIN_ID, Ledger
from marketplace.chain.devnet.rpc import answer
from marketplace.chain.errors import DevnetStartError

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8545
DEFAULT_HEARTBEAT = 2.0
MAX_BODY = 16 * 2**20
IDLE_SECONDS = 120

logger = logging.getLogger(__name__)


class RpcHandler(BaseHTTPRequestHandler):
    """Answers POST with JSON-RPC, and OPTIONS so that a wallet in a browser may ask."""

    protocol_version = "HTTP/1.1"
    server_version = "cairn-devnet"
    # Unbuffered writes with Nagle's algorithm cost 40 ms a call, as each small packet waits for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    server: DevnetServer

    def do_POST(self) -> None:
        """Answer a request or a batch."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self._refuse(411, "Content-Length is missing")
        elif int(length) > MAX_BODY:
            self._refuse(413, f"a request has at most {MAX_BODY} bytes, not {length}")
        else:
            self._reply(200, answer(self.server.ledger, self.rfile.read(int(length))), "application/json")

    def do_OPTIONS(self) -> None:
        """Allow the calls that `do_POST` answers, from any page."""
        self._reply(204, b"", None)

    def do_GET(self) -> None:
        """Tell a browser what this is."""
        text = f"Cairn devnet, chain id {self.server.ledger.chain_id}: send JSON-RPC by POST.\n"
        self._reply(200, text.encode(), "text/plain; charset=utf-8")

    def _refuse(self, status: int, reason: str) -> None:
        self.close_connection = True  # the body was not read, so nothing after it can be either
        self._reply(status, f"{reason}\n".encode(), "text/plain; charset=utf-8")

    def _reply(self, status: int, body: bytes, content_type: str | None) -> None:
        self.send_response(status)
        if content_type is not None:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Methods", "POST, GET, OPTIONS")
        self.send_header("Access-Control-Allow-Headers", "Content-Type")
        self.send_header("Access-Control-Allow-Private-Network", "true")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Log at debug level; the base class would print every request."""
        logger.debug(format, *args)


class DevnetServer(ThreadingHTTPServer):
    """Serves one ledger; a thread per connection."""

    daemon_threads = True

    def __init__(self, ledger: Ledger, host: str, port: int) -> None:
        self.ledger = ledger
        self._connections: set[socket.socket] = set()
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), RpcHandler)
        except OSError as fault:
            raise DevnetStartError(
                f"can't listen on {host} port {port} ({fault.strerror}); another program may be listening there: "
                "stop it, or choose another port"
            ) from fault

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        """Answer a connection on a thread of its own."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as in the base class
        """End a connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """End every connection; one that is kept alive would otherwise go on being answered."""
        super().server_close()
        for connection in tuple(self._connections):
            with suppress(OSError):  # its client may have ended it already
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        """Where clients find the chain."""
        host, port = self.server_address[:2]
        name = host.decode() if isinstance(host, bytes) else str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def beat(ledger: Ledger, interval: float, stop: threading.Event) -> None:
    """Make an empty block whenever the last one is `interval` seconds old, until told to stop.

    Contracts judge deadlines by the last block's time, so an idle chain must go on making blocks.
    """
    while not stop.wait(interval / 4):
        if ledger.clock.now() - ledger.head.timestamp >= interval:
            ledger.mine()


@contextmanager
def serve_devnet(
    ledger: Ledger, *, host: str = LOOPBACK, port: int = DEFAULT_PORT, heartbeat: float | None = DEFAULT_HEARTBEAT
) -> Iterator[DevnetServer]:
    """Serve a ledger on background threads while the context lasts.

    Parameters
    ----------
    ledger : Ledger
        What to serve; it stays open.
    host : str
        Interface to listen on; anybody who reaches it can move the development accounts' coins.
    port : int
        Port to listen on; 0 for any that is free, see `DevnetServer.url`.
    heartbeat : float, optional
        Seconds after which an idle chain makes an empty block; None for never, which suits a stopped clock.

    Raises
    ------
    DevnetStartError
        If the port is taken.
    """
    server = DevnetServer(ledger, host, port)
    stop = threading.Event()
    threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)]
    if heartbeat is not None:
        threads.append(threading.Thread(target=beat, args=(ledger, heartbeat, stop), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield server
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join()


@contextmanager
def run_devnet(
    *,
    host: str = LOOPBACK,
    port: int = DEFAULT_PORT,
    chain_id: int = DEFAULT_CHAIN_ID,
    accounts: int = DEFAULT_COUNT,
    state_file: Path | None = None,
    heartbeat: float | None = DEFAULT_HEARTBEAT,
) -> Iterator[DevnetServer]:
    """Open a ledger on the time of day and serve it while the context lasts; see `Ledger` and `serve_devnet`."""
    ledger = Ledger(chain_id=chain_id, accounts=accounts, state_file=state_file)
    try:
        with serve_devnet(ledger, host=host, port=port, heartbeat=heartbeat) as server:
            yield server
    finally:
        ledger.close()
