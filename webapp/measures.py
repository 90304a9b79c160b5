"""What is measured of the web app, over all of its processes, and whether it is well."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from flask import Blueprint, Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from marketplace.index.errors import MarketIndexError
from webapp.site import site

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5)
_REGISTRY: Final = CollectorRegistry()
REQUESTS: Final = Counter(
    "cairn_web_requests", "Requests answered.", ("endpoint", "method", "status"), registry=_REGISTRY
)
SECONDS: Final = Histogram(
    "cairn_web_request_seconds", "Time to an answer.", ("endpoint",), buckets=_BUCKETS, registry=_REGISTRY
)
BLOCK: Final = Gauge(
    "cairn_web_block", "Block that the last page was of.", registry=_REGISTRY, multiprocess_mode="mostrecent"
)
# Others are counted as one, so that nobody can make up labels without end.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS"})

pages: Final = Blueprint("health", __name__)


@pages.get("/health")
def health() -> ResponseReturnValue:
    """Tell that this process answers."""
    return jsonify({"status": "ok"})


@pages.get("/ready")
def ready() -> ResponseReturnValue:
    """Tell whether pages can be shown; 503 if not."""
    reason = _unready()
    return jsonify({"status": "ok" if reason is None else "failing", "reason": reason}), 503 if reason else 200


def _unready() -> str | None:
    try:
        with site().reader.asking() as (_, _, standing):
            return "the index has stopped with an alarm" if standing.alarm else None
    except MarketIndexError:
        return "the index can't be read"


def measure(app: Flask) -> None:
    """Count and time an app's requests."""

    @app.before_request
    def _begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        method = request.method if request.method in _METHODS else "other"
        REQUESTS.labels(endpoint, method, response.status_code).inc()
        if "began" in g:
            SECONDS.labels(endpoint).observe(time.perf_counter() - g.began)
        if g.get("standing"):
            BLOCK.set(g.standing.block)
        return response


class WebMetrics:
    """The measures of all processes together, for `marketplace.operations.metrics.serve_metrics`.

    Parameters
    ----------
    reason
        Says why the site is not well; None if it is.
    """

    def __init__(self, reason: Callable[[], str | None]) -> None:
        self.registry = CollectorRegistry()
        MultiProcessCollector(self.registry)  # type: ignore[no-untyped-call]
        self._reason = reason

    def health(self) -> str | None:
        """Return None: whoever asks is answered."""
        return None

    def readiness(self) -> str | None:
        """Return why the site is not well; None if it is."""
        return self._reason()
