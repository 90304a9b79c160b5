"""Runs a job twice, calmly and with crashes, and tells whether they came to the same: python -m tests.crash.run."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.crash.drive import run_job
from tests.crash.forks import ChildFailedError, Fork, Tell
from tests.crash.outcome import check_single, outcome_of
from tests.crash.plan import Kill, draw_plan
from tests.crash.warm import warm_up
from tests.crash.world import open_world

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> int:
    """Compare the two runs; write what happened as JSON; return 0 if every kill fired and the outcomes are equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.monotonic()
    warm_up()
    kills = draw_plan(arguments.seed, arguments.kills)
    try:
        calm, crashed = _run_both(arguments.seed, kills)
    except ChildFailedError as fault:
        print(f"seed {arguments.seed}, {arguments.kills} kills: {fault}", file=sys.stderr)
        return 1
    differing = [name for name in calm["outcome"] if calm["outcome"][name] != crashed["outcome"][name]]
    report = {
        "seed": arguments.seed,
        "kills": len(crashed["fired"]),
        "unfired": crashed["unfired"],
        "differing": differing,
        "killed": dict(sorted(Counter(crashed["fired"]).items())),
        "processes": crashed["processes"],
        "yielded": crashed["yielded"],
        "rounds": len(crashed["outcome"]["rounds"]),
        "transactions": crashed["outcome"]["transactions"],
        "seconds": round(time.monotonic() - started, 1),
    }
    for name in differing:
        print(f"{name}:\n  calm    {calm['outcome'][name]}\n  crashed {crashed['outcome'][name]}", file=sys.stderr)
    print(json.dumps(report, indent=1))
    return 1 if differing or crashed["unfired"] else 0


def _run_both(seed: int, kills: list[Kill]) -> tuple[Any, Any]:
    """Run the job without and with kills, side by side; return what each of them tells."""
    with tempfile.TemporaryDirectory(prefix="cairn-crash-") as directory:
        forks = []
        for name, planned in (("calm", []), ("crashed", kills)):
            place = Path(directory) / name
            place.mkdir()
            forks.append(Fork(lambda tell, place=place, planned=planned: _run(place, seed, planned, tell)))
        calm, crashed = (fork.join().told[-1] for fork in forks)
    return calm, crashed


def _run(place: Path, seed: int, kills: list[Kill], tell: Tell) -> None:
    def note(line: str) -> None:
        print(f"seed {seed}, {line}", file=sys.stderr, flush=True)

    with open_world(place) as world:
        run = run_job(world, seed, kills, note, twins=bool(kills))
        check_single(world)
        tell(
            {
                "outcome": outcome_of(world),
                "fired": [f"{kill.party.split('-')[0]}: {kill.step}" for kill in run.fired],
                "unfired": [str(kill) for kill in run.pending],
                "processes": run.processes,
                "yielded": run.yielded,
            }
        )


if __name__ == "__main__":
    if not ONE_THREAD.items() <= os.environ.items():
        # Too late for what was imported by now: a process that forks must have started no threads.
        os.execve(  # noqa: S606 - itself
            sys.executable, [sys.executable, "-m", "tests.crash.run", *sys.argv[1:]], {**os.environ, **ONE_THREAD}
        )
    sys.exit(main())
