"""Each way in which a connection fails has its own sentence."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from marketplace.chain.connect import check_url, connect
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.server import serve_devnet
from marketplace.chain.errors import InvalidUrlError, NotANodeError, UnreachableNodeError, WrongChainError


class Impostor(BaseHTTPRequestHandler):
    status = 200
    body = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def impostor() -> Iterator[tuple[str, type[Impostor]]]:
    handler = type("Handler", (Impostor,), {})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_node_of_the_right_chain_is_connected(ledger: Ledger) -> None:
    with serve_devnet(ledger, port=0, heartbeat=None) as server:
        assert connect(server.url, 31337).eth.block_number == 0
        assert connect(server.url).eth.chain_id == 31337


def test_wrong_chain_names_both(ledger: Ledger) -> None:
    both = "serves the chain with id 31337, the market is on chain 11155111"
    with serve_devnet(ledger, port=0, heartbeat=None) as server, pytest.raises(WrongChainError, match=both):
        connect(server.url, 11155111)


def test_nobody_there_is_told() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(UnreachableNodeError, match=rf"No node answers at {url} \(Connection refused\)"):
        connect(url)


def test_unknown_host_is_told() -> None:
    with pytest.raises(UnreachableNodeError, match=r"https://node\.invalid"):
        connect("https://node.invalid")


def test_node_that_goes_away_later_is_told(ledger: Ledger) -> None:
    with serve_devnet(ledger, port=0, heartbeat=None) as server:
        w3 = connect(server.url, 31337)
    with pytest.raises(UnreachableNodeError, match="No node answers"):
        _ = w3.eth.block_number


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"<html>hello</html>", "not JSON"),
        (200, b"", "not JSON"),
        (200, b"{}", "{} to eth_chainId"),
        (200, b"[]", r"\[\] to eth_chainId"),
        (200, b'{"jsonrpc":"2.0","id":0,"result":"soon"}', '"soon" to eth_chainId'),
        (200, b'{"jsonrpc":"2.0","id":0,"result":null}', "null to eth_chainId"),
        (200, b'{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"no"}}', "-32601"),
        (404, b"not found", "HTTP status 404"),
        (500, b"oops", "HTTP status 500"),
    ],
)
def test_what_is_no_node_is_told(impostor: tuple[str, type[Impostor]], status: int, body: bytes, message: str) -> None:
    url, handler = impostor
    handler.status, handler.body = status, body
    with pytest.raises(NotANodeError, match=message) as raised:
        connect(url, 31337)
    assert url in str(raised.value)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_overloaded_node_is_told_as_one_that_may_come_back(
    impostor: tuple[str, type[Impostor]], status: int
) -> None:
    url, handler = impostor
    handler.status, handler.body = status, b"busy"
    with pytest.raises(UnreachableNodeError, match=f"HTTP status {status}, overloaded"):
        connect(url, 31337)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8545", "http://localhost:1", "http://[::1]:8545", "https://a.example/x"]
)
def test_loopback_and_https_are_accepted(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "must start with"),
        ("127.0.0.1:8545", "must start with"),
        ("ftp://127.0.0.1", "must start with"),
        ("file:///etc/passwd", "must start with"),
        ("http://", "name a host"),
        ("http://127.0.0.1:port", "(?i)port"),
        ("http://[::1", "(?i)invalid"),
        ("http://node.example.org", "another machine"),
        ("http://192.168.0.4:8545", "another machine"),
        ("http://127.0.0.1.example.org", "another machine"),
    ],
)
def test_url_that_may_not_be_asked_is_refused(url: str, message: str) -> None:
    with pytest.raises(InvalidUrlError, match=message):
        connect(url)


def test_the_chain_is_asked_for_its_id_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    send = requests.Session.send
    monkeypatch.setattr(requests.Session, "send", lambda *given, **named: asked.append(1) or send(*given, **named))
    with serve_devnet(ledger, port=0, heartbeat=None) as server:
        w3 = connect(server.url, 31337)
        for _ in range(3):
            assert (w3.eth.block_number, w3.eth.chain_id) == (0, 31337)
    assert len(asked) == 1 + 3
