"""The README's walk-through, run as it is written: separate processes, encrypted keys, everybody withdraws."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADING = "## A job, step by step"
MINUTES = 4


def walk_through() -> str:
    section = (ROOT / "README.md").read_text("utf-8").split(HEADING)[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.slow
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
    ran = subprocess.run(
        ["bash", "-e", "-m", "-c", "trap 'kill $(jobs -p) 2> /dev/null' EXIT\n" + script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60 * MINUTES,
        check=False,
    )
    logs = "\n".join(f"{log.name}: {log.read_text()}" for log in sorted(tmp_path.glob("*.log")))
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}\n{logs}"
    shown = json.loads((tmp_path / "show.json").read_text())
    assert shown["state"] == "completed", logs
    assert ran.stdout.count("Withdrew ") == 7
    assert list((tmp_path / "home" / "jobs").rglob("round-00003.safetensors"))
    assert "Traceback" not in ran.stdout + ran.stderr + logs
    money, terms = shown["money"], shown["terms"]
    assert money["withdrawn_wei"] == money["deposited_wei"] + terms["bond_wei"] + 5 * terms["stake_wei"]
    assert money["escrow_wei"] == money["bond_wei"] == money["burning_wei"] == 0
