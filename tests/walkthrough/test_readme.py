"""The README's walk-through, run as it is written: separate processes, encrypted keys, everybody withdraws."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADING = "## A job, step by step"
MINUTES = 15


def walk_through() -> str:
    section = (ROOT / "README.md").read_text("utf-8").split(HEADING)[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def run_to_its_end(command: list[str], directory: Path, environment: dict[str, str]) -> tuple[int | None, str]:
    """Run a command with all that it starts; nothing of it is left running. The status is None if it took too long."""
    said = directory / "said.txt"
    with said.open("w") as output:
        started = subprocess.Popen(
            command, cwd=directory, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            status = started.wait(60 * MINUTES)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            end_session(started.pid)
    return status, said.read_text()


def end_session(session: int) -> None:
    """End every process of a session; job control gives each of the script's commands a group of its own."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(entry.name)) == session:
                os.kill(int(entry.name), signal.SIGTERM)
        except ProcessLookupError:
            continue


@pytest.mark.slow
@pytest.mark.skipif("CAIRN_WALKTHROUGH" not in os.environ, reason="takes five minutes: ./scripts/test --walkthrough")
def test_the_walk_through_pays_everybody_and_leaves_nothing_in_the_market(tmp_path):
    port = free_port()
    script = walk_through().replace("cairn devnet", f"cairn devnet --port {port}")
    # What the reader sees on the way is kept in files; the chain is asked once more before it is stopped.
    script = script.replace("kill %1", "cairn job show 1 --json > show.json 2> /dev/null\nkill %1")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CAIRN_RPC": f"http://127.0.0.1:{port}",
    }
    status, said = run_to_its_end(["bash", "-e", "-m", "-c", script], tmp_path, environment)
    logs = "\n".join(f"{log.name}: {log.read_text()}" for log in sorted(tmp_path.glob("*.log")))
    assert status == 0, f"{said}\n{logs}"
    shown = json.loads((tmp_path / "show.json").read_text())
    assert shown["state"] == "completed", logs
    assert said.count("Withdrew ") == 7
    assert list((tmp_path / "home" / "jobs").rglob("round-00003.safetensors"))
    assert "Every check holds." in said
    assert (tmp_path / "audit.html").read_text().startswith("<!DOCTYPE html>")
    assert (tmp_path / "trained" / "model.safetensors").is_file()
    assert "Traceback" not in said + logs
    money, terms = shown["money"], shown["terms"]
    assert money["withdrawn_wei"] == money["deposited_wei"] + terms["bond_wei"] + 5 * terms["stake_wei"]
    assert money["escrow_wei"] == money["bond_wei"] == money["burning_wei"] == 0
