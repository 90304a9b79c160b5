"""The same statement in ezkl (Halo2 with KZG commitments), the general circuit system that comes nearest."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ENVIRONMENT: Final = Path(__file__).parent / ".ezkl"
PACKAGES: Final = ("ezkl==23.0.5", "onnx==1.23.2")


def compare(row: dict[str, Any], seed: int) -> dict[str, Any]:
    """Prove the statement of a row in ezkl and return its figures and the ratio.

    Its packages conflict with ours, so they get an environment of their own, which stays for the next time.

    Parameters
    ----------
    row
        Our figures for the same dimension and number of trainers, measured in the same run.
    seed
        Where the numbers come from.
    """
    program = ENVIRONMENT / "bin" / "python"
    if not program.exists():
        print(f"bench: installing {' and '.join(PACKAGES)} into {ENVIRONMENT}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([program, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    script = Path(__file__).with_name("ezkl_statement.py")
    command: list[str | Path] = [program, script, str(row["trainers"]), str(row["dim"]), str(seed)]
    with tempfile.TemporaryDirectory() as directory:
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=directory)
    if answer.returncode != 0:
        sys.exit(f"bench: ezkl failed with exit code {answer.returncode}; its messages are above")
    figures: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return figures | {"ezkl_prove_ratio": figures["ezkl_prove_s"] / row["prove_s"]}
