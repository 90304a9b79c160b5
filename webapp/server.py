"""The web app under gunicorn: several processes, each with threads, of which live streams hold one each."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from webapp.application import create_app
from webapp.live.stream import MOST_STREAMS, close_streams
from webapp.settings import WebSettings
from webapp.site import dispose

# Those that streams can't hold are left for pages.
PAGE_THREADS: Final = 16
GRACE_SECONDS: Final = 10
LONGEST_LINE: Final = 8_190
MOST_HEADERS: Final = 64


class Worker(ThreadWorker):
    """A process that serves; streams end when it is told to."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Let streams end, and finish what is under way."""
        close_streams()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """End at once; streams too, or the process would wait for their threads."""
        close_streams()
        super().handle_quit(sig, frame)


class Server(BaseApplication):
    """Serves the app as its settings say.

    Parameters
    ----------
    settings
        How it is served.
    address, port
        Where.
    workers
        How many processes; None for one on each core, and two at least.
    when_ready
        Called when requests are taken.

    Raises
    ------
    CairnError
        If the app can't be made; nothing is served then.
    """

    def __init__(
        self, settings: WebSettings, address: str, port: int, workers: int | None, when_ready: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._options = {
            "bind": f"[{address}]:{port}" if ":" in address else f"{address}:{port}",
            "workers": workers or max(2, os.cpu_count() or 1),
            "worker_class": Worker,
            "threads": PAGE_THREADS + MOST_STREAMS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": 5,
            "limit_request_line": LONGEST_LINE,
            "limit_request_fields": MOST_HEADERS,
            # Flask does that, and counts the proxies; see `webapp.security.hosts`.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": "cairn-web",
            "control_socket_disable": True,
            "post_worker_init": _spare_what_stays,
            "child_exit": _forget_metrics,
            "when_ready": lambda _arbiter: when_ready(),
        }
        # What is wrong with the settings is found before anything is served; each process opens databases of its own.
        dispose(create_app(settings))
        super().__init__()

    def load_config(self) -> None:
        """Set what gunicorn is told."""
        known = self.cfg.settings
        for name, value in self._options.items():
            if name in known:
                self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]
        """Return the app of one process."""
        return create_app(self._settings)


def _spare_what_stays(_worker: Any) -> None:  # noqa: ANN401 - gunicorn's
    """Let the collector of cycles pass over what a process has loaded, and look less often: each look delays a page.

    By default it would look at everything again and again, for up to a tenth of a second; pages leave few cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 50, 100)


def _forget_metrics(_server: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's
    """Let gauges of a process that has ended count no more."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
