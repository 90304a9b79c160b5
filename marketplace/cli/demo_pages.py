"""The pages of the demonstration's market, to watch it live."""

from __future__ import annotations

import os
import sys
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from marketplace.cli.common import Output
from marketplace.cli.web import LOOPBACK, free_port, until_stopped
from marketplace.cli.web_processes import followed, measured, pages

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

    from marketplace.demo.run import DemoRun

_POLL_SECONDS: Final = 0.25
# One process serves a demonstration, which needs the cores itself.
_WORKERS: Final = 1


class DemoPages:
    """Serves the pages of a demonstration's market from when its job is there, and as long as somebody looks.

    Parameters
    ----------
    directory
        Where the demonstration keeps its content store and references; the pages keep theirs beside.
    port
        On loopback; 0 for any.
    say
        Tells where the pages are.
    """

    def __init__(self, directory: Path, port: int, say: Callable[[str], None]) -> None:
        self.directory = directory
        self._port = free_port(LOOPBACK, port)
        self._say = say
        self._stack = ExitStack()
        self._served: BaseProcess | None = None
        self._follower: BaseProcess | None = None

    def __enter__(self) -> DemoPages:
        return self

    def __exit__(self, *fault: object) -> None:
        self._stack.close()

    def open(self, run: DemoRun) -> None:
        """Serve the pages of a demonstration that is about to start, and show its job in the browser, if there is one.

        Raises
        ------
        CommandError
            If what they need can't be started.
        """
        from marketplace.chain.deployment import write_deployment
        from marketplace.chain.devnet.server import serve_devnet
        from marketplace.index.database import sqlite_url
        from webapp.settings import WebSettings

        place = self.directory / "web"
        place.mkdir()
        write_deployment(place / "deployment.json", run.view.market.deployment)
        np.savez(place / "held-out.npz", x=run.scenario.test.x, y=run.scenario.test.y)
        node = self._stack.enter_context(serve_devnet(run.ledger, port=0, heartbeat=None))
        settings = WebSettings(
            database=sqlite_url(place / "index.sqlite"),
            deployment=place / "deployment.json",
            state_database=sqlite_url(place / "state.sqlite"),
            secret_key_file=place / "secret-key",
            rpc=node.url,
            store=str(self.directory / "store"),
            srs_directory=self.directory / "srs",
        )
        enter = self._stack.enter_context
        # Nothing of this chain can change once it is there: one process makes its blocks.
        self._follower = enter(followed(settings, node.url, 0, _POLL_SECONDS))
        enter(measured(settings, node.url, {run.view.job: place / "held-out.npz"}, _POLL_SECONDS))
        self._served = enter(pages(settings, LOOPBACK, self._port, _WORKERS))
        url = f"http://{LOOPBACK}:{self._port}/jobs/{run.view.job}"
        self._say(f"Watch it at {url} .")
        if _has_browser():
            webbrowser.open(url)

    def stay(self) -> None:
        """Go on serving until interrupted, if anything is served."""
        if self._served is not None:
            self._say("The pages stay until Ctrl-C.")
            until_stopped(self._served, self._follower, Output(as_json=False))


def _has_browser() -> bool:
    """Tell whether somebody sits before a screen; a browser in the terminal would hide the demonstration."""
    on_a_screen = sys.platform in ("darwin", "win32") or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())
    return on_a_screen and sys.stdout.isatty()
