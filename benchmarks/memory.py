"""How much memory a process has taken at most."""

from __future__ import annotations

import platform
import resource
from pathlib import Path


def peak_mib() -> float:
    """Return the largest resident set of this process so far, in MiB."""
    # On Linux the other source starts with what the parent process had.
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if platform.system() == "Darwin" else peak / 2**10
