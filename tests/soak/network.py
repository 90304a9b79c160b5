"""The network between the parties: a way to the chain's node that breaks down, and a gateway that lies.

One process serves both, under a path for each party: `/node/PARTY` passes JSON-RPC on unless that party, or everybody,
is cut off; `/content/PARTY/ipfs/CID` is a trustless gateway to what all parties have published, which now and then
sends something else, sends half, stalls, or is overloaded.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from marketplace.errors import StorageError
from marketplace.storage.cid import Cid, parse_cid
from marketplace.storage.directory import DirectoryStore
from tests.crash.forks import Fork, Tell
from tests.soak.plan import OutageKind

EVERYBODY: Final = "everybody"
# Whose answers are never spoilt: it looks at the end.
HONEST: Final = "auditor"
INDEX: Final = "index"
STALL_SECONDS: Final = (1.0, 20.0)
LIE, TRUNCATE, STALL, OVERLOAD, SERVE = "lied", "sent half", "stalled", "answered 503", "served"
_SHARES: Final = {LIE: 0.03, TRUNCATE: 0.03, STALL: 0.02, OVERLOAD: 0.02, SERVE: 0.90}
_RAW_BLOCK: Final = "application/vnd.ipld.raw"
_STEP_SECONDS: Final = 0.2
_LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True)
class Network:
    """Where the process that stands for the network answers."""

    url: str

    def node(self, party: str) -> str:
        """Return the address of a party's node."""
        return f"{self.url}/node/{party}"

    def gateway(self, party: str) -> str:
        """Return the location of a party's gateway, as `--store` takes it."""
        return f"gateway+{self.url}/content/{party}?local=yes"

    def cut_off(self, party: str, kind: OutageKind, seconds: float) -> None:
        """Let a party's node, or `EVERYBODY`'s, fail from now on for so long; 0 ends it."""
        self._tell({"party": party, "kind": kind.value, "seconds": seconds})

    def counts(self) -> dict[str, int]:
        """Return how often the gateway did what, and how many questions to a node failed."""
        with urllib.request.urlopen(f"{self.url}/counts", timeout=10) as answer:  # noqa: S310 - ours
            found: dict[str, int] = json.loads(answer.read())
        return found

    def _tell(self, order: dict[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310 - ours
            f"{self.url}/orders", json.dumps(order).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            pass


def start_network(node_url: str, stores: list[Path], seed: int) -> tuple[Network, Fork]:
    """Start the process; whoever starts it ends it.

    Parameters
    ----------
    node_url
        The chain's node.
    stores
        The directories of everybody's published content.
    seed
        Of the gateway's misbehaviour.
    """
    fork = Fork(lambda tell: serve(node_url, stores, seed, tell))
    return Network(fork.first()), fork


def serve(node_url: str, stores: list[Path], seed: int, tell: Tell) -> None:
    """Serve until the process ends; tell the URL first."""
    server = _Server(node_url, [DirectoryStore(store) for store in stores], random.Random(seed))
    tell(f"http://{_LOOPBACK}:{server.server_address[1]}")
    server.serve_forever()


@dataclass(frozen=True)
class _Outage:
    kind: OutageKind
    until: float


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, node_url: str, stores: list[DirectoryStore], draws: random.Random) -> None:
        self.node = urlsplit(node_url)
        self.counted: Counter[str] = Counter()
        self._stores = stores
        self._draws = draws
        self._outages: dict[str, _Outage] = {}
        self._guard = threading.Lock()
        super().__init__((_LOOPBACK, 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are killed."""

    def order(self, party: str, kind: OutageKind, seconds: float) -> None:
        with self._guard:
            self._outages[party] = _Outage(kind, time.monotonic() + seconds)

    def outage(self, party: str) -> _Outage | None:
        """Return what keeps a party from its node now, if anything does."""
        now = time.monotonic()
        with self._guard:
            both = (self._outages.get(EVERYBODY), self._outages.get(party))
        return None if party == HONEST else next((one for one in both if one is not None and now < one.until), None)

    def draw(self, party: str) -> tuple[str, float]:
        """Draw what the gateway does next, and how long it stalls if it does."""
        with self._guard:
            deed = SERVE if party == HONEST else self._draws.choices(list(_SHARES), list(_SHARES.values()))[0]
            return deed, self._draws.uniform(*STALL_SECONDS)

    def count(self, what: str) -> None:
        with self._guard:
            self.counted[what] += 1

    def block(self, cid: Cid) -> bytes | None:
        """Return a block that anybody has published."""
        for store in self._stores:
            try:
                return store.get_block(cid)
            except StorageError:
                continue
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server
    _upstream: http.client.HTTPConnection | None = None

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/counts":
            self._answer(200, json.dumps(self.server.counted).encode())
            return
        _, kind, party, *rest = path.split("/")
        if kind == "content" and len(rest) == 2 and rest[0] == "ipfs":
            self._give(party, parse_cid(rest[1]))
        else:
            self._answer(404, b"no such place")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/orders":
            order = json.loads(body)
            self.server.order(order["party"], OutageKind(order["kind"]), order["seconds"])
            self._answer(200, b"{}")
            return
        self._pass_on(self.path.removeprefix("/node/"), body)

    def _pass_on(self, party: str, body: bytes) -> None:
        outage = self.server.outage(party)
        if outage is not None:
            self.server.count(f"the node {outage.kind.value}")
            _FAILING[outage.kind](self, outage)
            return
        try:
            answer = self._ask(body)
        except (OSError, http.client.HTTPException):
            self._answer(502, b"the node is gone")
        else:
            self._answer(200, answer)

    def _ask(self, body: bytes) -> bytes:
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection(self.server.node.netloc, timeout=60)
        try:
            self._upstream.request("POST", "/", body, {"Content-Type": "application/json"})
            return self._upstream.getresponse().read()
        except (OSError, http.client.HTTPException):
            self._upstream.close()
            self._upstream = None
            raise

    def _give(self, party: str, cid: Cid) -> None:
        deed, seconds = self.server.draw(party)
        block = self.server.block(cid)
        if block is None:
            self._answer(404, b"not found")
            return
        self.server.count(f"the gateway {deed}")
        if deed == STALL:
            time.sleep(seconds)
            self.close_connection = True
        elif deed == OVERLOAD:
            self._answer(503, b"busy", {"Retry-After": "1"})
        elif deed == TRUNCATE:
            self._head(200, len(block), _RAW_BLOCK)
            self.wfile.write(block[: len(block) // 2])
            self.close_connection = True
        else:
            self._answer(200, bytes([block[0] ^ 1]) + block[1:] if deed == LIE else block, kind=_RAW_BLOCK)

    def _refuse(self, _: _Outage) -> None:
        self.close_connection = True

    def _say_nothing(self, outage: _Outage) -> None:
        while time.monotonic() < outage.until:
            time.sleep(_STEP_SECONDS)
        self.close_connection = True

    def _be_busy(self, _: _Outage) -> None:
        self._answer(503, b"busy")

    def _talk_nonsense(self, _: _Outage) -> None:
        self._answer(200, b"<html>Welcome to our network.</html>", kind="text/html")

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, kind: str = "application/json"
    ) -> None:
        self._head(status, len(body), kind, headers)
        self.wfile.write(body)

    def _head(self, status: int, length: int, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()


_FAILING: Final[dict[OutageKind, Callable[[_Handler, _Outage], None]]] = {
    OutageKind.REFUSED: _Handler._refuse,
    OutageKind.SILENT: _Handler._say_nothing,
    OutageKind.OVERLOADED: _Handler._be_busy,
    OutageKind.NONSENSE: _Handler._talk_nonsense,
}
