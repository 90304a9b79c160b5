"""Keeping everybody's processes running, as a service manager does, while things happen to them as planned."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from marketplace.chain.market import Market
from marketplace.chain.structs import Progress
from marketplace.cli.group import ExitCode
from tests.crash.forks import Fork
from tests.soak.commands import run, start
from tests.soak.homes import fill, free
from tests.soak.network import EVERYBODY, INDEX
from tests.soak.plan import (
    AGGREGATOR,
    OWNER,
    REFEREE,
    TRAINER_NAMES,
    Fate,
    Fault,
    JobPlan,
    OutageKind,
    Plan,
    Trouble,
)
from tests.soak.world import (
    ACCOUNT_NAMES,
    AGGREGATOR_NAMES,
    World,
    account_number,
    job_file,
)

RESTART_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 2.0
STEP_SECONDS: Final = 0.1
# The index is killed this often, in seconds.
INDEX_KILL_SECONDS: Final = 90.0


class SoakError(Exception):
    """Thrown when a process ends in a way that nothing foresaw, or a job does not end."""


@dataclass
class Service:
    """A process that is started again whenever it ends before its job does.

    Attributes
    ----------
    role
        What it does in the job; `AGGREGATOR`, `REFEREE`, a trainer's name, or `INDEX`.
    owner
        Whose account and disk it uses.
    command
        What is run.
    process
        It, while it runs.
    start_at
        When it is started again if it doesn't run.
    gone
        Whether it is never started again.
    """

    role: str
    owner: str
    command: list[str]
    process: Fork | None = None
    start_at: float = 0.0
    gone: bool = False


@dataclass
class Job:
    """A job under way."""

    plan: JobPlan
    number: int
    created: float
    services: list[Service]
    faults: list[Fault]
    progress: Progress | None = None
    fate_done: bool = False

    @property
    def ended(self) -> bool:
        """Whether the chain says that it has ended."""
        return self.progress is not None and self.progress.job_state.ended


@dataclass
class Happened:
    """What a run did to everybody.

    Attributes
    ----------
    troubles
        How often each thing happened to a process or disk.
    starts
        How many processes were started.
    refusals
        How often a command ended with a sentence and was started again, by the error's code.
    jobs
        Seconds from creation to the last process's end, by job number.
    """

    troubles: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    jobs: dict[int, float] = field(default_factory=dict)


class Soak:
    """A run of everything that was planned.

    Parameters
    ----------
    world
        Where.
    plan
        What happens.
    rounds
        Of each job.
    at_once
        How many jobs are under way at most.
    longest_seconds
        After which it fails.
    note
        Gets a line for everything that happens.
    """

    def __init__(
        self,
        world: World,
        plan: Plan,
        *,
        rounds: int,
        at_once: int,
        longest_seconds: float,
        note: Callable[[str], None],
    ) -> None:
        self.happened = Happened()
        self.numbers: dict[int, int] = {}
        self._world = world
        self._plan = plan
        self._rounds = rounds
        self._at_once = at_once
        self._longest = longest_seconds
        self._note = note
        self._market: Market = world.market()
        self._started = time.monotonic()
        # What ends by itself after a while: when, and what to do then.
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._jobs: list[Job] = []
        self._looked = 0.0
        self._index = Service(INDEX, INDEX, ["index", "sync", "--follow"])

    def run(self) -> None:
        """Run every planned job to its end.

        Raises
        ------
        SoakError
            If a process ends in a way that nothing foresaw, or the jobs don't end in time.
        """
        waiting = list(self._plan.jobs)
        outages = list(self._plan.outages)
        kill_index_at = INDEX_KILL_SECONDS
        try:
            while waiting or self._jobs:
                now = self._now()
                if now > self._longest:
                    raise SoakError(
                        f"jobs {[job.number for job in self._jobs]} have not ended, and {len(waiting)} have not begun, "
                        f"after {self._longest:.0f} s"
                    )
                if waiting and len(self._jobs) < self._at_once:
                    self._create(waiting.pop(0))
                while outages and outages[0].at <= now:
                    outage = outages.pop(0)
                    self._count(f"everybody cut off from the chain: the node {outage.kind}", outage.seconds)
                    self._world.network.cut_off(EVERYBODY, outage.kind, outage.seconds)
                if now >= kill_index_at:
                    kill_index_at += INDEX_KILL_SECONDS
                    self._end_process(self._index, signal.SIGKILL, 2.0)
                self._step(now)
                time.sleep(STEP_SECONDS)
        finally:
            self._stop_all()

    def _step(self, now: float) -> None:
        for due in [entry for entry in self._later if entry[0] <= now]:
            self._later.remove(due)
            due[1]()
        self._look(now)
        self._tend(self._index, None)
        for job in list(self._jobs):
            for service in job.services:
                self._tend(service, job)
            self._let_happen(job, now)
            if job.ended and all(service.process is None for service in job.services):
                self._finish(job, now)

    def _look(self, now: float) -> None:
        """Ask the chain how far the jobs are."""
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        for job in self._jobs:
            job.progress = self._market.progress(job.number)

    def _tend(self, service: Service, job: Job | None) -> None:
        """Start a process that should run, and see how one ended."""
        now = self._now()
        if service.process is None:
            if (
                not service.gone
                and now >= service.start_at
                and not (job is not None and job.ended and service.start_at)
            ):
                self._start(service, job)
            return
        if not service.process.has_ended():
            return
        status = service.process.wait()
        service.process = None
        service.start_at = max(service.start_at, now + RESTART_SECONDS)
        if status == ExitCode.DONE:
            service.gone = True
        elif status == ExitCode.REFUSED:
            self._count_refusal(service, job)
        elif status not in (ExitCode.INTERRUPTED, -signal.SIGKILL, -signal.SIGTERM):
            raise SoakError(f"{self._name(service, job)} ended with status {status}; see {self._log(service, job)}")

    def _start(self, service: Service, job: Job | None) -> None:
        service.process = start(service.command, self._world.environment(service.owner), self._log(service, job))
        self.happened.starts += 1

    def _log(self, service: Service, job: Job | None) -> Path:
        number = "" if job is None else f"job-{job.number:02d}-"
        return self._world.directory / f"{number}{service.role}.log"

    def _count_refusal(self, service: Service, job: Job | None) -> None:
        """Note why a command gave up; it is started again."""
        said = self._log(service, job).read_text().splitlines()
        last = next((line for line in reversed(said) if line.startswith("cairn: ") and line.endswith("]")), "")
        code = last.rpartition("[")[2].rstrip("]") or "none"
        self.happened.refusals[code] += 1
        self._note(f"{self._name(service, job)} gave up: {last[:200]}")

    def _create(self, plan: JobPlan) -> None:
        """Let the owner create a job, again if the node fails meanwhile, and start everybody's processes."""
        world = self._world
        file = job_file(world, plan, self._rounds)
        command = ["job", "create", str(file), "--dev-account", str(account_number(OWNER)), "--json"]
        while (ended := run(command, world.environment(OWNER), world.directory)).status != ExitCode.DONE:
            if ended.status != ExitCode.REFUSED or self._now() > self._longest:
                raise SoakError(f"job {plan.index + 1} could not be created ({ended.status}): {ended.err}")
            time.sleep(RESTART_SECONDS)
        number = ended.document["job"]
        self.numbers[plan.index] = number
        self._jobs.append(Job(plan, number, self._now(), _services(plan, number, world), list(plan.faults)))
        self._note(f"job {number} was created: {plan.fate}")

    def _let_happen(self, job: Job, now: float) -> None:
        while job.faults and job.created + job.faults[0].at <= now:
            self._strike(job, job.faults.pop(0))
        if not job.fate_done and self._fate_is_due(job, now):
            job.fate_done = True
            self._fulfil(job)

    def _strike(self, job: Job, fault: Fault) -> None:
        """Let a fault happen."""
        service = next(one for one in job.services if one.role == fault.party)
        home = self._world.home(service.owner)
        if fault.trouble is Trouble.OUTAGE and fault.kind is not None:
            self._count(f"cut off from the chain: the node {fault.kind}", fault.seconds)
            self._world.network.cut_off(service.owner, fault.kind, fault.seconds)
        elif fault.trouble is Trouble.DISK:
            self._count(fault.trouble, fault.seconds)
            fill(home)
            self._after(fault.seconds, partial(free, home))
        elif service.process is not None:
            self._count(fault.trouble, fault.seconds)
            if fault.trouble is Trouble.SUSPEND:
                os.kill(service.process.pid, signal.SIGSTOP)
                self._after(fault.seconds, partial(_go_on, service, service.process))
            else:
                kind = signal.SIGKILL if fault.trouble is Trouble.KILL else signal.SIGTERM
                self._end_process(service, kind, fault.seconds)

    def _end_process(self, service: Service, kind: signal.Signals, down_seconds: float) -> None:
        if service.process is not None:
            os.kill(service.process.pid, signal.SIGCONT)
            os.kill(service.process.pid, kind)
            service.start_at = self._now() + down_seconds

    def _fate_is_due(self, job: Job, now: float) -> bool:
        fate, progress = job.plan.fate, job.progress
        if fate is Fate.ORDINARY or progress is None or job.ended:
            return False
        if fate is Fate.AGGREGATOR_NEVER_COMES:
            # After the start deadline the owner puts an end to it.
            return self._market.now() > self._market.terms(job.number).start_deadline
        return progress.round >= job.plan.fate_round

    def _fulfil(self, job: Job) -> None:
        """Let happen what happens to a job for good."""
        fate, plan = job.plan.fate, job.plan
        self._note(f"job {job.number}: {fate}")
        self.happened.troubles[fate] += 1
        if fate in (Fate.AGGREGATOR_DESERTS, Fate.TRAINER_DESERTS):
            role = AGGREGATOR if fate is Fate.AGGREGATOR_DESERTS else plan.fate_trainer
            service = next(one for one in job.services if one.role == role)
            service.gone = True
            self._end_process(service, signal.SIGKILL, 0.0)
            return
        party, words = (plan.fate_trainer, ["leave"]) if fate is Fate.TRAINER_LEAVES else (OWNER, ["job", "abort"])
        command = [*words, str(job.number), "--dev-account", str(account_number(party))]
        ended = run(command, self._world.environment(party), self._world.directory)
        if ended.status != ExitCode.DONE:
            # The node may have failed; it is tried again.
            self._note(f"job {job.number}: {' '.join(command)} gave up: {ended.err.strip()[-200:]}")
            self.happened.troubles[fate] -= 1
            self._after(RESTART_SECONDS, partial(_try_again, job))

    def _finish(self, job: Job, now: float) -> None:
        self._jobs.remove(job)
        self.happened.jobs[job.number] = now - job.created
        state = (
            "" if job.progress is None else f"{job.progress.job_state.name.lower()} after {job.progress.round} rounds"
        )
        self._note(f"job {job.number} is {state}, {now - job.created:.0f} s old")

    def _stop_all(self) -> None:
        """End everything that still runs, and give everybody the disk and the node back."""
        for _, act in self._later:
            act()
        self._later.clear()
        for party in (EVERYBODY, *ACCOUNT_NAMES):
            self._world.network.cut_off(party, OutageKind.REFUSED, 0)
        for service in [self._index, *(service for job in self._jobs for service in job.services)]:
            if service.process is not None:
                os.kill(service.process.pid, signal.SIGCONT)
                service.process.end()
                service.process = None

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._later.append((self._now() + seconds, act))

    def _count(self, what: str, seconds: float) -> None:
        self.happened.troubles[what] += 1
        self._note(f"{what}, {seconds:.0f} s")

    def _name(self, service: Service, job: Job | None) -> str:
        return service.role if job is None else f"job {job.number}, {service.role}"

    def _now(self) -> float:
        return time.monotonic() - self._started


def _services(plan: JobPlan, number: int, world: World) -> list[Service]:
    """Return everybody's processes in a job."""
    hub = AGGREGATOR_NAMES[plan.aggregator]
    never = plan.fate is Fate.AGGREGATOR_NEVER_COMES
    services = [
        Service(AGGREGATOR, hub, _command("aggregator", number, hub), gone=never),
        Service(REFEREE, REFEREE, [*_command("referee", number, REFEREE), "--data", str(world.data(REFEREE))]),
    ]
    for name in TRAINER_NAMES:
        command = [*_command("trainer", number, name), "--data", str(world.data(name)), "--yes"]
        services.append(Service(name, name, command))
    return services


def _command(role: str, number: int, account: str) -> list[str]:
    return [role, "run", str(number), "--dev-account", str(account_number(account))]


def _go_on(service: Service, process: Fork) -> None:
    """Let a suspended process go on, if it was not killed meanwhile."""
    if service.process is process:
        os.kill(process.pid, signal.SIGCONT)


def _try_again(job: Job) -> None:
    job.fate_done = False
