"""A trainer that runs is seen, logged, measured and stopped, and no secret stands anywhere afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import PASSPHRASE, RunningJob, answer, cairn, ok, refused

SECONDS = 120


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + SECONDS
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.2)


def test_nothing_runs() -> None:
    assert "Nothing runs" in ok("status").stdout
    assert answer("status") == {"runs": []}
    assert answer("stop", "--all") == {"stopped": []}
    assert "No run is called 'trainer-1'" in refused("logs", "trainer-1")


@pytest.mark.parametrize("arguments", [["stop"], ["stop", "a", "--all"], ["logs", "a", "--follow", "--json"]])
def test_unclear_command_lines_are_refused(arguments: list[str]) -> None:
    assert cairn(*arguments).exit_code == 2


def test_a_trainer_is_seen_logged_measured_and_stopped_without_leaving_a_secret(
    running_job: Callable[[], RunningJob], tmp_path: Path, passphrase: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = running_job()
    trainer = next(account for account in job.trainers)
    private_key = trainer.key.to_0x_hex().removeprefix("0x")
    key_file = tmp_path / "key.hex"
    key_file.write_text(private_key)
    key_file.chmod(0o600)
    answer("key", "import", "clinic", "--private-key-file", key_file, "--passphrase-file", passphrase)
    data = tmp_path / "mine.npz"
    generator = np.random.default_rng(1)
    np.savez(data, x=generator.normal(size=(40, 64)), y=generator.integers(0, 10, 40))
    outside = tmp_path / "outside"
    outside.mkdir()
    for secret in (key_file, passphrase, data):
        secret.rename(outside / secret.name)
    token = "canary7f3a"
    arguments = [
        *("trainer", "run", job.number, "--data", outside / data.name, "--key", "clinic", "--poll", "0.2"),
        *("--passphrase-file", outside / passphrase.name, "--metrics-port", "0"),
    ]
    environment = {**os.environ, "CAIRN_RPC": f"{os.environ['CAIRN_RPC']}/{token}"}
    command = [sys.executable, "-c", "from marketplace.cli import main; main()", *map(str, arguments)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: bool(answer("status")["runs"]), process)
        [run] = answer("status")["runs"]
        name = f"trainer-{job.number}-{trainer.address[2:8].lower()}"
        assert (run["name"], run["state"], run["pid"]) == (name, "running", process.pid)
        ready = run["metrics"].replace("/metrics", "/ready")
        wait_for(lambda: status_of(ready) == 200, process)
        assert f'cairn_ready{{job="{job.number}",role="trainer"}} 1.0' in fetch(run["metrics"])
        seen = command_line_of(process.pid)
        assert core_files_of(process.pid) in (None, "0")
        assert answer("stop", name)["stopped"] == [name]
        said, told = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert process.returncode == 130, told
    assert answer("status")["runs"][0]["state"] == "stopped"
    events = [record["event"] for record in answer("logs", name)["records"]]
    assert (events[0], events[-1]) == ("started", "stopped")
    assert name in ok("logs", name, "--lines", 1).stdout
    secrets = (PASSPHRASE, private_key, token)
    kept = [file.read_bytes() for file in (tmp_path / "home").rglob("*") if file.is_file()]
    assert len(kept) > 3
    for text in (said.encode(), told.encode(), seen, *kept):
        assert not [secret for secret in secrets if secret.encode() in text]


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - an address of loopback
        return response.read().decode()


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - an address of loopback
            return int(response.status)
    except urllib.error.HTTPError as fault:
        return int(fault.code)


def command_line_of(pid: int) -> bytes:
    """What other users' `ps` shows of a process."""
    file = Path(f"/proc/{pid}/cmdline")
    return file.read_bytes() if file.exists() else b""


def core_files_of(pid: int) -> str | None:
    """How many bytes of a process the system may write to a disk when it crashes; None where this is not told."""
    file = Path(f"/proc/{pid}/limits")
    found = re.search(r"Max core file size +(\S+)", file.read_text()) if file.exists() else None
    return None if found is None else found[1]
