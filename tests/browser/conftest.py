"""The web app as `cairn web` serves it, over a seeded market on anvil, in Debian's chromium."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

from marketplace.chain.devnet.anvil import start_anvil
from tests.parties.conftest import held_out
from tests.webapp.seed import START, Seeded, seed_market

HERE = Path(__file__).parent
# Kept by every run, to be looked at.
SCREENSHOTS = HERE / "screenshots"
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 180


def pytest_collection_modifyitems(items):
    """A browser is not for ./scripts/check."""
    for item in items:
        if Path(item.path).parent == HERE:
            item.add_marker(pytest.mark.slow)


@dataclass
class Served:
    """A market, and where its pages are."""

    seeded: Seeded
    url: str


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("browser")
    with start_anvil(start=START, accounts=12) as rpc:
        seeded = seed_market(directory, rpc)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-c", "from marketplace.cli import main; main()", "web", "--port", str(port)]
        command += ["--rpc", rpc, "--deployment", str(seeded.deployment_file), "--store", str(directory / "store")]
        command += ["--finality", "8", "--requests-per-minute", "100000", "--workers", "1"]
        data = held_out()
        np.savez(directory / "held-out.npz", x=data.x, y=data.y)
        measured = seeded.jobs["completed"].view.job
        command += ["--held-out", f"{measured}={directory / 'held-out.npz'}"]
        environment = {**os.environ, "CAIRN_HOME": str(directory / "home")}
        process = subprocess.Popen(command, env=environment)
        try:
            await_answer(f"http://127.0.0.1:{port}/ready", process)
            # Its accuracy is looked at too.
            await_answer(f"http://127.0.0.1:{port}/jobs/{measured}", process, b'class="drawing"')
            yield Served(seeded, f"http://127.0.0.1:{port}")
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 130


def await_answer(url: str, process: subprocess.Popen, words: bytes = b"") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "cairn web has ended"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
                assert answer.status == 200
                if words in answer.read():
                    return
        except (urllib.error.URLError, OSError):
            pass  # it is not there yet
        time.sleep(0.2)
    raise AssertionError(f"{url} did not answer in {START_SECONDS} s")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None or not AXE.is_file():
        missing = "chromium" if found is None else "axe-core"
        if os.environ.get("CI"):
            pytest.fail(f"CI must have {missing}; ./scripts/test installs it")
        pytest.skip(f"there is no {missing}; ./scripts/test browser installs it")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()
