"""Prometheus metrics and health of one long-running party, over HTTP on loopback.

``/metrics`` has the metrics, ``/health`` tells whether the process gets on (503 if no step has ended for a quarter of
an hour), ``/ready`` whether its last step succeeded, so that it has a node, a store and its key.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from contribution.errors import CairnError

STALLED_SECONDS: Final = 900.0
REQUEST_SECONDS: Final = 5.0
_LOOPBACK: Final = "127.0.0.1"
# Steps look at the chain, or prove a round.
_BUCKETS: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900)


class MetricsPortError(CairnError):
    """Thrown when metrics can't be served on a port.

    Attributes
    ----------
    port, reason
        The port, and why not.
    """

    def __init__(self, port: int, reason: str) -> None:
        self.port = port
        self.reason = reason
        super().__init__(
            f"Can't serve metrics on port {port} of {_LOOPBACK} ({reason}); choose another --metrics-port."
        )


class Metrics:
    """What is measured of one party.

    Parameters
    ----------
    role, job
        What the party is, and in which job; labels of every metric.
    """

    def __init__(self, role: str, job: int) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        names, values = ("role", "job"), (role, str(job))
        measured: dict[str, Any] = {"labelnames": names, "registry": self.registry}
        self._steps = Histogram(
            "cairn_step_seconds", "Time of a step that succeeded.", buckets=_BUCKETS, **measured
        ).labels(*values)
        self._failures = Counter(
            "cairn_step_failures", "Steps that failed, by code.", labelnames=(*names, "code"), registry=self.registry
        )
        self._actions = Counter("cairn_actions", "Things done: transactions, files.", **measured).labels(*values)
        self._last = Gauge("cairn_last_step_timestamp_seconds", "When a step last ended.", **measured).labels(*values)
        self._ready = Gauge("cairn_ready", "Whether the last step succeeded.", **measured).labels(*values)
        self._round = Gauge("cairn_round", "Number of the job's current round.", **measured).labels(*values)
        self._settled = Gauge("cairn_settled_rounds", "Rounds of the job that are settled.", **measured).labels(*values)
        self._balance = Gauge("cairn_balance_coins", "Coins of the account, for gas.", **measured).labels(*values)
        self._values = values
        self._ended_at = time.monotonic()
        self._failure: str | None = "no step has ended yet"

    def succeeded(self, seconds: float, done: int) -> None:
        """Note a step that took so long and did so many things."""
        self._steps.observe(seconds)
        self._actions.inc(done)
        self._end(None)

    def failed(self, code: str) -> None:
        """Note a step that failed with an error of this code."""
        self._failures.labels(*self._values, code).inc()
        self._end(f"the last step failed with {code}")

    def saw(self, number: int, settled: int) -> None:
        """Note the job's current round and how many are settled."""
        self._round.set(number)
        self._settled.set(settled)

    def has_coins(self, wei: int) -> None:
        """Note the account's balance, in wei."""
        self._balance.set(wei / 10**18)

    def health(self) -> str | None:
        """Return what is wrong with the process; None if it gets on."""
        silent = time.monotonic() - self._ended_at
        return None if silent <= STALLED_SECONDS else f"no step has ended for {silent:.0f} s"

    def readiness(self) -> str | None:
        """Return why the party can't work at the moment; None if it can."""
        return self._failure

    def _end(self, failure: str | None) -> None:
        self._failure = failure
        self._ended_at = time.monotonic()
        self._last.set_to_current_time()
        self._ready.set(failure is None)


class Measured(Protocol):
    """What can be served: measures, and whether what they are of is well."""

    registry: CollectorRegistry

    def health(self) -> str | None:
        """Return what is wrong with the process; None if it gets on."""

    def readiness(self) -> str | None:
        """Return why it can't work at the moment; None if it can."""


@contextmanager
def serve_metrics(metrics: Measured, port: int) -> Iterator[str]:
    """Serve metrics on a port of loopback as long as the context lasts; yield their address. Port 0 is any free one.

    Raises
    ------
    MetricsPortError
        If the port can't be had.
    """
    try:
        server = ThreadingHTTPServer((_LOOPBACK, port), _handler_of(metrics))
    except OSError as fault:
        raise MetricsPortError(port, str(fault.strerror)) from fault
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{_LOOPBACK}:{server.server_address[1]}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_of(metrics: Measured) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET on three paths, to programs on this machine alone."""

        timeout = REQUEST_SECONDS
        server_version = "cairn"
        sys_version = ""

        def do_GET(self) -> None:
            """Answer."""
            if not _names_loopback(self.headers.get("Host", "")):
                # A page in a browser may have had its own name resolved to this machine.
                self._answer(403, "text/plain", b"this is served to programs on this machine\n")
            elif self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(metrics.registry))
            elif self.path == "/health":
                self._tell(metrics.health())
            elif self.path == "/ready":
                self._tell(metrics.readiness())
            else:
                self._answer(404, "text/plain", b"there are /metrics, /health and /ready\n")

        def log_message(self, format: str, *args: object) -> None:
            """Log no requests."""

        def _tell(self, fault: str | None) -> None:
            answer = {"status": "ok" if fault is None else "failing", "reason": fault}
            self._answer(200 if fault is None else 503, "application/json", json.dumps(answer).encode() + b"\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _names_loopback(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in (_LOOPBACK, "localhost")
    except ValueError:
        return False
