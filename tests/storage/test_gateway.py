"""Gateways that lie, stall, send without end and are overloaded; each on a real socket."""

from __future__ import annotations

import contextlib
import email.utils
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from marketplace.errors import ContentMissingError, CorruptContentError
from marketplace.storage.cid import raw_cid
from marketplace.storage.gateway import GatewayStore
from marketplace.storage.http import HttpClient, Origin, Patience, StoreUnreachableError
from marketplace.storage.locations import open_location
from marketplace.storage.store import ReadOnlyStoreError
from marketplace.storage.unixfs import MAXIMUM_BLOCK_BYTES, import_file
from tests.storage.servers import Reply, Request, Server, gateway_over

LARGE = b"".join(k.to_bytes(4, "big") for k in range(150_000))
BLOCKS: dict = {}
ROOT = import_file([LARGE], BLOCKS.__setitem__)
HONEST = gateway_over({str(cid): block for cid, block in BLOCKS.items()})
CID = raw_cid(b"content")
RAW = {"Content-Type": "application/vnd.ipld.raw"}

IMPATIENT = Patience(
    connect_seconds=1,
    silence_seconds=0.3,
    transfer_seconds=0.8,
    attempts=4,
    first_pause_seconds=0.01,
    longest_pause_seconds=0.2,
)


def gateway(server: Server, patience: Patience = IMPATIENT) -> GatewayStore:
    return GatewayStore(Origin("http", "127.0.0.1", server.port, True), "", patience)


def test_a_file_is_read_block_by_block_over_one_connection(tmp_path):
    with Server(HONEST) as server:
        store = open_location(server.gateway)
        assert store.get(ROOT, len(LARGE)) == LARGE
        assert store.fetch(ROOT, tmp_path / "copy", len(LARGE)) == len(LARGE)
        assert store.has(ROOT)
        assert len(store._http._idle) == 1
    assert (tmp_path / "copy").read_bytes() == LARGE
    first = server.requests[0]
    assert (first.method, first.target) == ("GET", f"/ipfs/{ROOT}?format=raw")
    assert first.headers["accept"] == "application/vnd.ipld.raw"
    assert first.headers["accept-encoding"] == "identity"


def test_a_path_before_ipfs_is_kept():
    with Server(HONEST) as server:
        store = open_location(f"gateway+http://127.0.0.1:{server.port}/some/where/?local=yes")
        assert store.has(ROOT)
    assert server.requests[0].target == f"/some/where/ipfs/{ROOT}?format=raw"


def test_what_it_does_not_have_is_missing_and_nothing_can_be_added():
    with Server(HONEST) as server:
        assert not gateway(server).has(CID)
        with pytest.raises(ContentMissingError, match=r"is not in the gateway http://127\.0\.0\.1"):
            gateway(server).get(CID, 100)
        with pytest.raises(ReadOnlyStoreError, match="it only gives"):
            gateway(server).add(b"content")


@pytest.mark.parametrize("lie", [b"", b"contenT", b"content\0", b"conten"])
def test_bytes_that_disagree_with_the_cid_are_refused(lie):
    with (
        Server(lambda request: Reply(200, lie, RAW)) as server,
        pytest.raises(CorruptContentError, match=f"the {len(lie)} bytes found are bafkrei"),
    ):
        gateway(server).get(CID, 100)


def test_a_page_instead_of_a_block_is_said_to_be_one():
    with (
        Server(lambda request: Reply(200, b"<h1>Welcome</h1>", {"Content-Type": "text/html; charset=utf-8"})) as server,
        pytest.raises(CorruptContentError, match="sent 'text/html' for it, not a block"),
    ):
        gateway(server).get(CID, 100)


def test_a_compressed_answer_is_taken_as_the_bytes_that_came():
    """Nothing is decompressed, so a small answer can't become a large one."""
    with (
        Server(lambda request: Reply(200, b"\x1f\x8b\x08\x00", {**RAW, "Content-Encoding": "gzip"})) as server,
        pytest.raises(CorruptContentError, match="the 4 bytes found"),
    ):
        gateway(server).get(CID, 100)


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.ipld.raw\r\n\r\n")
    for _ in range(4_096):
        connection.sendall(bytes(1 << 16))


def announced(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n")
    for _ in range(4_096):
        connection.sendall(bytes(1 << 16))


@pytest.mark.parametrize("raw", [endless, announced])
def test_a_stream_without_end_is_cut_off_after_one_block(raw):
    with (
        Server(lambda request: Reply(raw=raw)) as server,
        pytest.raises(StoreUnreachableError, match=f"sends more than {MAXIMUM_BLOCK_BYTES} bytes"),
    ):
        gateway(server).get(CID, 1 << 62)


def silent(connection):
    time.sleep(20)


def slow_status(connection):
    drip(connection, b"HTTP/1.1 200 " + b"O" * 100)


def slow_headers(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    drip(connection, b"X-Header: " + b"a" * 1_000)


def slow_body(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n")
    drip(connection, bytes(100))


def slow_chunks(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(connection, b"0" * 1_000)


def drip(connection, data):
    """A byte now and then, each before the reader loses patience with silence."""
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.15)


@pytest.mark.parametrize("raw", [silent, slow_status, slow_headers, slow_body, slow_chunks])
def test_a_gateway_that_stalls_costs_a_bounded_time(raw):
    with Server(lambda request: Reply(raw=raw)) as server:
        started = time.monotonic()
        with pytest.raises(StoreUnreachableError, match=r"takes more than 1 s for one transfer|nothing came in time"):
            gateway(server).get(CID, 100)
        assert time.monotonic() - started < 8


def test_a_transfer_within_its_time_is_not_cut_off():
    def raw(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")
        drip(connection, b"con")
        connection.sendall(b"tent")

    with Server(lambda request: Reply(raw=raw)) as server:
        assert gateway(server).get(CID, 100) == b"content"


def cut(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nconte")


def garbled(connection):
    connection.sendall(b"no HTTP at all\r\n\r\n")


def nothing(connection):
    pass


@pytest.mark.parametrize(
    ("raw", "words"),
    [(cut, "breaks off its answer after 5 of 7 bytes"), (garbled, "does not answer"), (nothing, "does not answer")],
)
def test_an_answer_that_breaks_off_is_told(raw, words):
    with Server(lambda request: Reply(raw=raw)) as server, pytest.raises(StoreUnreachableError, match=words):
        gateway(server).get(CID, 100)


def test_a_gateway_that_is_not_there_is_told():
    with Server(HONEST) as server:
        port = server.port
    with pytest.raises(StoreUnreachableError, match=r"does not answer \(Connection refused\)"):
        GatewayStore(Origin("http", "127.0.0.1", port, True), "", IMPATIENT).get(CID, 100)


def busy(times: int, status: int, headers: dict[str, str]):
    """A gateway that is busy so many times, then answers."""
    seen: list[Request] = []

    def answer(request: Request) -> Reply:
        seen.append(request)
        return Reply(status, b"", headers) if len(seen) <= times else Reply(200, b"content", RAW)

    return answer


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_gateway_is_asked_again_with_growing_pauses(status):
    pauses: list[float] = []
    with Server(busy(3, status, {})) as server:
        store = gateway(server)
        store._http = HttpClient(store._http.origin, "The gateway", IMPATIENT, pauses.append)
        assert store.get(CID, 100) == b"content"
    assert pauses == [0.01, 0.02, 0.04]


def test_a_gateway_that_stays_busy_is_given_up():
    with Server(busy(99, 429, {})) as server:
        with pytest.raises(StoreUnreachableError, match="answers 429 after 4 attempts"):
            gateway(server).get(CID, 100)
        assert len(server.requests) == 4


def test_the_pause_that_a_gateway_asks_for_is_made():
    pauses: list[float] = []
    patience = Patience(longest_pause_seconds=100)
    for wanted in ("7", email.utils.formatdate(time.time() + 60, usegmt=True), "soon"):
        with Server(busy(1, 429, {"Retry-After": wanted})) as server:
            store = gateway(server, patience)
            store._http = HttpClient(store._http.origin, "The gateway", patience, pauses.append)
            assert store.get(CID, 100) == b"content"
    assert pauses[0] == 7
    assert 50 < pauses[1] <= 60
    assert pauses[2] == 0.5


def test_a_gateway_that_asks_for_too_long_a_pause_is_given_up_at_once():
    with Server(busy(1, 503, {"Retry-After": "86400"})) as server:
        with pytest.raises(StoreUnreachableError, match="answers 503 and asks to wait 86400 s"):
            gateway(server).get(CID, 100)
        assert len(server.requests) == 1


def test_a_connection_that_was_closed_while_idle_is_opened_anew():
    with Server(HONEST) as server:
        store = gateway(server)
        assert store.has(ROOT)
        (idle,) = store._http._idle
        idle.break_off()
        assert store.has(ROOT)


@pytest.mark.parametrize("status", [400, 401, 403, 500, 501, 206])
def test_any_other_answer_is_told(status):
    with (
        Server(lambda request: Reply(status, b"")) as server,
        pytest.raises(StoreUnreachableError, match=f"answers {status}"),
    ):
        gateway(server).get(CID, 100)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing, not even to begin encryption."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_encryption_that_does_not_begin_costs_a_bounded_time(silent_port):
    store = GatewayStore(Origin("https", "127.0.0.1", silent_port, True), "", IMPATIENT)
    started = time.monotonic()
    with pytest.raises(StoreUnreachableError, match=r"takes more than 1 s for one transfer|nothing came in time"):
        store.get(CID, 100)
    assert time.monotonic() - started < 8


def test_encryption_that_begins_byte_by_byte_costs_a_bounded_time():
    """The deadline holds for the handshake too."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                # The beginning of a record of 16 KiB, whose bytes then come one by one.
                connection.sendall(bytes([22, 3, 3, 64, 0]))
                drip(connection, bytes(1_000))

        threading.Thread(target=serve, daemon=True).start()
        store = GatewayStore(Origin("https", "127.0.0.1", listener.getsockname()[1], True), "", IMPATIENT)
        started = time.monotonic()
        with pytest.raises(StoreUnreachableError, match=r"takes more than 1 s for one transfer|does not answer"):
            store.get(CID, 100)
        assert time.monotonic() - started < 8


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    with Server(HONEST) as server:
        server._server.socket = tls.wrap_socket(server._server.socket, server_side=True)
        store = GatewayStore(Origin("https", "localhost", server.port, True), "", IMPATIENT)
        with pytest.raises(StoreUnreachableError, match="certificate verify failed"):
            store.get(ROOT, len(LARGE))
        assert server.requests == []
