"""Files of results: one line of JSON a run, appended as runs end, so that a campaign can be stopped and resumed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.environment import machine, versions
from benchmarks.simulation.errors import ResultsError
from benchmarks.simulation.run import Run
from benchmarks.simulation.setting import FORMAT, setting_to_json

Line = dict[str, Any]


def make_line(run: Run, seconds: float, *, chain_checked: bool) -> Line:
    """Return what a file of results holds of a run.

    Parameters
    ----------
    run
        The run.
    seconds
        It took, of wall-clock time.
    chain_checked
        Whether the market, run beside it, came out the same to the bit.
    """
    return {
        "format": FORMAT,
        "digest": run.federation.setting.digest,
        "setting": setting_to_json(run.federation.setting),
        "result": run.summary,
        "chain_checked": chain_checked,
        "seconds": round(seconds, 3),
        "machine": machine(),
        "versions": versions(),
    }


def read_results(path: Path) -> dict[str, Line]:
    """Return the runs in a file by their setting's digest, the last of each; none if there is no such file.

    A last line without its end was not written whole and does not count; `drop_half_line` removes it.

    Raises
    ------
    ResultsError
        If the file can't be read, or another line is no result.
    """
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as fault:
        raise ResultsError(f"Can't read {path} ({fault.strerror}); name another file with --out.") from fault
    whole = data[: data.rfind(b"\n") + 1]
    found: dict[str, Line] = {}
    for number, text in enumerate(whole.splitlines(), start=1):
        line = _parse(text, path, number)
        found[line["digest"]] = line
    return found


def drop_half_line(path: Path) -> None:
    """Cut off what a killed process left of a line at the end of a file; nothing happens if there is no such file.

    Raises
    ------
    ResultsError
        If the file can't be written.
    """
    try:
        if path.exists():
            end = path.read_bytes().rfind(b"\n") + 1
            if end < path.stat().st_size:
                os.truncate(path, end)
    except OSError as fault:
        raise _unwritable(path, fault) from fault


def append_result(path: Path, line: Mapping[str, Any]) -> None:
    """Append a line with a single write, and flush it to disk.

    Raises
    ------
    ResultsError
        If the file can't be written.
    """
    data = (json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n").encode("ascii")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            file.write(data)
            os.fsync(file.fileno())
    except OSError as fault:
        raise _unwritable(path, fault) from fault


def _unwritable(path: Path, fault: OSError) -> ResultsError:
    return ResultsError(f"Can't write {path} ({fault.strerror}); name another file with --out.")


def _parse(text: bytes, path: Path, number: int) -> Line:
    try:
        line = json.loads(text)
    except ValueError as fault:
        raise ResultsError(
            f"Line {number} of {path} is no JSON ({fault}); remove it, or name another file with --out."
        ) from fault
    if not isinstance(line, dict) or line.get("format") != FORMAT or not isinstance(line.get("digest"), str):
        raise ResultsError(
            f"Line {number} of {path} is no result of this version of the simulation ({FORMAT}); name another file "
            "with --out."
        )
    return line
