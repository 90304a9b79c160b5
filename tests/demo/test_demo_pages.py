"""`cairn demo --web`: the demonstration is watched on pages that show its chain, and stay when it has ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

PATIENCE_SECONDS = 150


@pytest.mark.slow
def test_a_demonstration_is_watched_live(tmp_path: Path) -> None:
    words = ["demo", "--web", "--port", "0", "--rounds", "1", "--trainers", "4", "--report", str(tmp_path / "report")]
    run = "from marketplace.cli import main; main()"
    environment = {**os.environ, "CAIRN_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", run, *words]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        # Whatever goes wrong, nobody waits for lines for ever.
        watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
        watchdog.start()
        try:
            lines = iter(process.stdout or ())
            url = next(re.findall(r"Watch it at (\S+)", line)[0] for line in lines if line.startswith("Watch it"))
            assert "Demonstration on digits" in fetched(url)
            assert any(line.startswith("The pages stay until Ctrl-C") for line in lines)
            page = fetched(url)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not ("completed" in page and 'class="drawing"' in page) and time.monotonic() < deadline:
                time.sleep(0.5)
                page = fetched(url)
            assert "All rounds are over" in page
            assert page.count("<circle") == 1
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            watchdog.cancel()
            process.kill()
    assert (tmp_path / "report" / "report.json").is_file()
    assert not (tmp_path / "home").exists()


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - loopback
        return answer.read().decode()
