"""What a run came to: values that JSON has, and a page for people."""

from __future__ import annotations

import resource
import textwrap
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.environment import machine, versions
from tests.soak.finish import ENDED, End
from tests.soak.plan import AGGREGATORS, TRAINERS, Fate, Plan
from tests.soak.supervise import Happened

LONGEST_MINUTES: Final = 60
WANTED_JOBS: Final = 20
WANTED_ROUNDS: Final = 200
ETHER: Final = 10**18

Document = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """What a run was told.

    Attributes
    ----------
    seed, jobs, rounds, at_once
        Of every draw; how many jobs, of how many rounds each, and how many of them at a time.
    """

    seed: int
    jobs: int
    rounds: int
    at_once: int


def document(
    setting: Setting,
    plan: Plan,
    numbers: dict[int, int],
    happened: Happened,
    network: dict[str, int],
    end: End,
    seconds: float,
) -> Document:
    """Return the report of a run."""
    fates = {numbers[job.index]: job.fate for job in plan.jobs}
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        **asdict(setting),
        "machine": machine(),
        "versions": versions(),
        "seconds": round(seconds),
        "cpu_seconds": round(sum(use.ru_utime + use.ru_stime for use in usage)),
        "peak_mib_of_one_process": round(max(use.ru_maxrss for use in usage) / 1024),
        "trainers": TRAINERS,
        "aggregators": AGGREGATORS,
        "processes": happened.starts,
        "troubles": dict(sorted(happened.troubles.items())),
        "network": dict(sorted(network.items())),
        "gave_up": dict(sorted(happened.refusals.items())),
        "jobs_ended": [
            {**asdict(job), "fate": str(fates[job.number]), "seconds": round(happened.jobs[job.number])}
            for job in end.jobs
        ],
        "rounds_ended": sum(job.rounds for job in end.jobs),
        "money_wei": asdict(end.money),
        "index_digest": end.index_digest,
        "faults": list(end.faults),
    }


def misses(report: Document) -> list[str]:
    """Return what a whole run misses of its goals, a sentence each; a small one has no goals for its size."""
    missed = list(report["faults"])
    if report["jobs"] >= WANTED_JOBS:
        if report["rounds_ended"] < WANTED_ROUNDS:
            missed.append(f"{report['rounds_ended']} rounds came to an end, and {WANTED_ROUNDS} should have")
        if report["seconds"] > LONGEST_MINUTES * 60:
            missed.append(f"it took {report['seconds']} s, and may take {LONGEST_MINUTES * 60} s")
    return missed


def page(report: Document) -> str:
    """Return the report as a page."""
    told = {
        **report,
        "minutes": report["seconds"] / 60,
        "cpu_minutes": report["cpu_seconds"] / 60,
        "on": _machine(report["machine"]),
    }
    columns = ("job", "what happened for good", "state", "settled", "void", "expired", "paid", "burned", "s")
    parts = [
        "# The soak",
        _paragraph(_WRITTEN, told),
        _paragraph(_SETTING, told),
        _verdict(report),
        _paragraph(_TOOK, told),
        "What happened to processes, disks and jobs:",
        _table(("what", "times"), sorted(report["troubles"].items())),
        "What the network did:",
        _table(("what", "times"), sorted(report["network"].items())),
        _paragraph(_GAVE_UP, told),
        _table(("code", "times"), sorted(report["gave_up"].items())),
        _paragraph(_JOBS, told),
        _table(columns, [_job_row(job) for job in report["jobs_ended"]]),
        "Money of the whole run:",
        _table(("what", "wei"), list(report["money_wei"].items())),
    ]
    return "\n\n".join(parts) + "\n"


def _paragraph(text: str, values: Document) -> str:
    return textwrap.fill(" ".join(text.split()).format(**values), 120, break_long_words=False, break_on_hyphens=False)


def _verdict(report: Document) -> str:
    missed = misses(report)
    if missed:
        return "**Missed:**\n\n" + "\n".join(f"- {line}" for line in missed)
    checks = sum(sum(job["audit"].values()) for job in report["jobs_ended"])
    states = ", ".join(
        f"{sum(job['state'] == state.lower() for job in report['jobs_ended'])} {state.lower()}" for state in ENDED
    )
    return _paragraph(_HELD, {**report, "states": states, "checks": checks})


def _job_row(job: Document) -> tuple[object, ...]:
    fate = "" if job["fate"] == Fate.ORDINARY else job["fate"]
    paid, burned = (f"{job[name] / ETHER:.3f}" for name in ("paid", "burned"))
    return job["number"], fate, job["state"], job["settled"], job["void"], job["expired"], paid, burned, job["seconds"]


def _machine(found: Document) -> str:
    return f"{found['cores']} cores of {found['processor']}, {found['memory_bytes'] / 2**30:.0f} GiB"


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


_WRITTEN: Final = """
Written by `python -m tests.soak.run --seed {seed} --page docs/soak.md --json benchmarks/results/soak.json`, which ends
with 1 if anything below is not so.
"""
_SETTING: Final = """
{jobs} jobs of {rounds} rounds each, {at_once} at a time, with {trainers} trainers who take part in all of them,
{aggregators} aggregators and a referee, on one chain (anvil, with a block every four seconds beside those that
transactions make). Everybody runs the real commands (`cairn aggregator run`, `cairn trainer run`, `cairn referee run`,
`cairn index sync --follow`), each on a small disk of its own, and reaches the chain and everybody else's content over a
network that fails. Whatever ends is started again, as a service manager does. What happens to whom and when is drawn
from the seed; what it meets there depends on the machine, so that two runs with one seed differ.
"""
_HELD: Final = """
Every job ended ({states}) after {rounds_ended} rounds in all. Everybody withdrew, and the market holds nothing; every
balance is what the chain's transactions say, to the wei. All {checks} checks of `cairn audit job` over all jobs hold.
The index that was killed on the way is byte for byte the one that is read again.
"""
_TOOK: Final = """
It took {minutes:.0f} minutes and {cpu_minutes:.0f} minutes of computing on {on}, with at most
{peak_mib_of_one_process} MiB in one process. Processes were started {processes} times.
"""
_GAVE_UP: Final = """
Commands that could not start or go on, said so with an error's code ([errors](errors.md)), and were started again:
"""
_JOBS: Final = """
What became of the jobs; money in ether. What is burned is part of the stakes of trainers who were away for two rounds
running, and of an expired round's penalty what can't be divided among its submitters:
"""
