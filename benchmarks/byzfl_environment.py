"""ByzFL, the library of robust averages by EPFL and INRIA, in an environment of its own: its packages clash with ours.

The package itself is installed without what it asks for: its averages need numpy, scipy and torch alone.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from contribution.errors import CairnError

ENVIRONMENT: Final = Path(__file__).parent / ".byzfl"
BYZFL: Final = "byzfl==0.0.11"
NEEDED: Final = ("torch==2.13.0", "numpy==2.4.6", "scipy==1.17.1")


class MissingByzflError(CairnError):
    """Thrown when there is no environment with ByzFL to compare with, or it can't be made."""


def byzfl_python() -> Path:
    """Return the interpreter that has ByzFL.

    Raises
    ------
    MissingByzflError
        If it has not been installed.
    """
    if not _stamp().exists():
        raise MissingByzflError(
            f"{BYZFL} is not installed in {ENVIRONMENT}, so there is nothing to compare with. Install it there with "
            "`cairn bench scoring --install-byzfl` (minutes, and a gigabyte or more with its torch)."
        )
    return ENVIRONMENT / "bin" / "python"


def install_byzfl() -> None:
    """Make the environment, unless it is there already; it stays for the next time.

    Raises
    ------
    MissingByzflError
        If a step fails.
    """
    if _stamp().exists():
        return
    print(f"bench: installing {', '.join((BYZFL, *NEEDED))} into {ENVIRONMENT}", file=sys.stderr)
    pip: list[str | Path] = [ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "--quiet"]
    _run(sys.executable, "-m", "venv", ENVIRONMENT)
    _run(*pip, *NEEDED)
    _run(*pip, "--no-deps", BYZFL)
    _stamp().touch()


def _stamp() -> Path:
    """Return the file that is there once all is installed."""
    return ENVIRONMENT / "installed"


def _run(*command: str | Path) -> None:
    answer = subprocess.run(command, stdout=sys.stderr)
    if answer.returncode != 0:
        raise MissingByzflError(
            f"{' '.join(map(str, command))} failed with exit code {answer.returncode}; what it said stands above. "
            "Look into that, then install again."
        )
