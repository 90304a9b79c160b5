"""Runs many jobs through crashes, outages, lies and full disks, and checks that nothing is lost.

python -m tests.soak.run --seed 1 --page docs/soak.md
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.crash.run import ONE_THREAD
from tests.crash.warm import warm_up
from tests.soak.finish import finish
from tests.soak.homes import NoDisksError, enter_namespace
from tests.soak.plan import draw_plan
from tests.soak.report import LONGEST_MINUTES, Setting, document, misses, page
from tests.soak.supervise import Soak, SoakError
from tests.soak.world import open_world

MODULE: Final = "tests.soak.run"
# What is left of the time for everybody to withdraw, and for the audits.
FINISH_MINUTES: Final = 6


def main() -> int:
    """Run; return 0 if everything is as it should be, 1 if not, 2 if this machine can't run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=14, help="of each job")
    parser.add_argument("--at-once", type=int, default=10, help="jobs under way at most")
    parser.add_argument("--page", type=Path, help="write the report for people here")
    parser.add_argument("--json", type=Path, help="write the report here")
    parser.add_argument("--keep", type=Path, help="keep every process's log in this new directory")
    arguments = parser.parse_args()
    try:
        _enter()
    except NoDisksError as fault:
        print(f"soak: {fault}", file=sys.stderr)
        return 2
    setting = Setting(arguments.seed, arguments.jobs, arguments.rounds, arguments.at_once)
    try:
        report = _run(setting, arguments.keep)
    except SoakError as fault:
        print(f"soak, seed {arguments.seed}: {fault}", file=sys.stderr)
        return 1
    text = json.dumps(report, indent=1) + "\n"
    print(text, end="")
    if arguments.json:
        arguments.json.write_text(text)
    if arguments.page:
        arguments.page.write_text(page(report))
    missed = misses(report)
    for line in missed:
        print(f"soak: {line}", file=sys.stderr)
    return 1 if missed else 0


def _enter() -> None:
    """Start again where disks can be mounted and no thread runs: processes fork from this one."""
    os.environ.update(ONE_THREAD)
    enter_namespace(MODULE, sys.argv[1:])


def _run(setting: Setting, keep: Path | None) -> dict[str, object]:
    started = time.monotonic()

    def note(line: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {line}", file=sys.stderr, flush=True)

    warm_up()
    plan = draw_plan(setting.seed, setting.jobs, setting.rounds, LONGEST_MINUTES * 60)
    with tempfile.TemporaryDirectory(prefix="cairn-soak-") as scratch:
        directory = Path(scratch) if keep is None else keep
        directory.mkdir(exist_ok=keep is None)
        with open_world(directory, setting.seed) as world:
            soak = Soak(
                world,
                plan,
                rounds=setting.rounds,
                at_once=setting.at_once,
                longest_seconds=(LONGEST_MINUTES - FINISH_MINUTES) * 60,
                note=note,
            )
            soak.run()
            end = finish(world, sorted(soak.numbers.values()), note)
            network = world.network.counts()
    return document(setting, plan, soak.numbers, soak.happened, network, end, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
