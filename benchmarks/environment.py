"""What a benchmark ran on, and how its results are written down."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).parent / "results"
PACKAGES: Final = (
    "cairn-market",
    "numpy",
    "numba",
    "py-ecc",
    "torch",
    "scikit-learn",
    "flask",
    "gunicorn",
    "jinja2",
    "sqlalchemy",
    "psycopg",
    "web3",
    "py-evm",
    "pyrevm",
    "eth-account",
    "cryptography",
)


def machine() -> dict[str, Any]:
    """Return what the machine is: system, processor, its cores that this process may use, memory in bytes."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": usable_cores(),
        "memory_bytes": _memory(),
    }


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages whose speed or results matter."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def document(seed: int, results: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a benchmark's results with machine, versions and seed."""
    return {"machine": machine(), "versions": versions(), "seed": seed, "results": results}


def write_results(path: Path, seed: int, results: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    """Write a benchmark's results with machine, versions and seed, replacing a file that is there.

    Parameters
    ----------
    path
        The JSON file.
    seed
        The first seed that was used.
    results
        What was measured.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps(document(seed, results), indent=2) + "\n", "utf-8")
    temporary.replace(path)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        # Only Linux has the file; elsewhere the platform module knows.
        pass
    return platform.processor() or "unknown"


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
