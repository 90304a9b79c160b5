"""HTTP servers on loopback for the tests: one that does as it is told, and one that repeats what a real one said."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# What our requests put between the parts of a form, which differs each time.
BOUNDARY = re.compile(rb"boundary=([0-9a-f]{32})")


def packed(data: bytes) -> str:
    """Bytes as text for a data file; text stays as it is."""
    if data.isascii() and len(data) < 2_000:
        return "text " + data.decode("ascii")
    return "zlib " + base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def unpacked(text: str) -> bytes:
    kind, _, data = text.partition(" ")
    return data.encode("ascii") if kind == "text" else zlib.decompress(base64.b64decode(data))


@dataclass
class Request:
    """What a client sent."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def plain_body(self) -> bytes:
        """The body with the random boundary of a form replaced."""
        found = BOUNDARY.search(self.headers.get("content-type", "").encode())
        return self.body.replace(found.group(1), b"BOUNDARY") if found else self.body


@dataclass
class Reply:
    """What a server sends: whole answers, or raw bytes piece by piece with pauses."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    # Called with the socket instead of sending the above.
    raw: Callable[[socket.socket], None] | None = None


class Server:
    """A running server; `requests` are those that it got."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.requests: list[Request] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                request = Request(
                    self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, self._read_body()
                )
                outer.requests.append(request)
                reply = answer(request)
                if reply.raw is not None:
                    self.close_connection = True
                    with suppress(OSError):
                        reply.raw(self.connection)
                    return
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            do_POST = do_GET  # noqa: N815 - the library's name

            def _read_body(self) -> bytes:
                if self.headers.get("Transfer-Encoding", "") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """Clients in these tests hang up as they like."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def gateway(self) -> str:
        return f"gateway+http://127.0.0.1:{self.port}?local=yes"

    @property
    def kubo(self) -> str:
        return f"kubo+http://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def gateway_over(blocks: dict[str, bytes]) -> Callable[[Request], Reply]:
    """An honest gateway that has these blocks, by CID."""

    def answer(request: Request) -> Reply:
        cid = request.target.partition("?")[0].rpartition("/")[2]
        if cid not in blocks:
            return Reply(404, b"no such block")
        return Reply(200, blocks[cid], {"Content-Type": "application/vnd.ipld.raw"})

    return answer


@contextmanager
def replayed(file: Path, name: str) -> Iterator[Server]:
    """A server that repeats what a real one answered to the same requests in the same order.

    A request that differs in any byte from the one that was recorded fails the test.
    """
    exchanges = iter(json.loads(file.read_text("utf-8"))["tests"][name])
    faults: list[str] = []

    def answer(request: Request) -> Reply:
        known = next(exchanges, None)
        body = packed(request.plain_body)
        asked = {"method": request.method, "target": request.target, "body": body}
        if known is None or asked != known["request"]:
            faults.append(f"{request.method} {request.target} is not what was recorded")
            return Reply(599, faults[-1].encode())
        said = known["answer"]
        return Reply(said["status"], unpacked(said["body"]), said["headers"])

    with Server(answer) as server:
        yield server
    assert not faults, faults
    assert next(exchanges, None) is None, "fewer requests were made than recorded"


@contextmanager
def recorded(port: int, exchanges: list[dict[str, Any]]) -> Iterator[Server]:
    """A server that passes everything on to a real one and notes what was said."""

    def answer(request: Request) -> Reply:
        upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {k: v for k, v in request.headers.items() if k in ("content-type", "accept", "user-agent")}
        upstream.request(request.method, request.target, request.body, headers)
        response = upstream.getresponse()
        body = response.read()
        kept = {k: v for k, v in response.getheaders() if k.lower() in ("content-type", "x-chunked-output")}
        upstream.close()
        exchanges.append(
            {
                "request": {
                    "method": request.method,
                    "target": request.target,
                    "body": packed(request.plain_body),
                },
                "answer": {"status": response.status, "headers": kept, "body": packed(body)},
            }
        )
        return Reply(response.status, body, kept)

    with Server(answer) as server:
        yield server
