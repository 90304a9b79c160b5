"""Work in several processes: it comes back with what it was done on, and nothing goes on without who asked for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.simulation.processes import in_processes

STARTS_TWO = """
import os, sys, time
from pathlib import Path
from benchmarks.simulation.processes import in_processes

def work(number):
    Path(sys.argv[1], str(number)).write_text(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    list(in_processes(work, [1, 2], 2))
"""


def test_each_thing_comes_with_what_comes_of_it():
    assert sorted(in_processes(abs, [-1, -2, 3], 1)) == [(-2, 2), (-1, 1), (3, 3)]
    assert sorted(in_processes(abs, [-1, -2, 3], 2)) == [(-2, 2), (-1, 1), (3, 3)]


def test_the_others_end_even_if_the_one_that_started_them_is_killed(tmp_path: Path):
    script = tmp_path / "starts.py"
    script.write_text(STARTS_TWO)
    where = tmp_path / "pids"
    where.mkdir()
    with subprocess.Popen(
        [sys.executable, str(script), str(where)], env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    ) as one:
        pids = [int(wait_for(lambda number=number: (where / number).read_text())) for number in ("1", "2")]
        assert all(lives(pid) for pid in pids)
        one.kill()
    wait_for(lambda: not any(lives(pid) for pid in pids))


def wait_for(question):
    """Ask until the answer is true; what can't be read yet is not."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if answer := question():
                return answer
        except FileNotFoundError:
            pass
        time.sleep(0.05)
    raise AssertionError("it did not happen within a minute")


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False
