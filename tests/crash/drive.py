"""Running the job to its end: whoever is killed is started again, and time passes when nobody has anything to do."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from contribution.errors import CairnError
from marketplace.chain.structs import TrainerStatus
from marketplace.parties.turn import WorkspaceBusyError
from marketplace.parties.view import JobView
from tests.crash.forks import ChildFailedError, Ending, Fork, Tell
from tests.crash.plan import AGGREGATOR, PARTIES, REFEREE, Kill
from tests.crash.points import Probe
from tests.crash.sent import Checks
from tests.crash.world import WINDOW, World, pass_time

# Each round has a few passes for every kill at most, and time passes four times in it.
PASSES = 1_000
TWIN_SHARE = 0.04


class CrashError(Exception):
    """Thrown when a party fails, or the job does not end."""


@dataclass
class Run:
    """What happened.

    Attributes
    ----------
    fired
        Kills, in order.
    pending
        Kills to whose place no process has come.
    processes
        How many were started.
    yielded
        How many left their work to another that was at it.
    """

    pending: list[Kill]
    fired: list[Kill] = field(default_factory=list)
    processes: int = 0
    yielded: int = 0


def run_job(world: World, seed: int, kills: Sequence[Kill], note: Callable[[str], None], *, twins: bool) -> Run:
    """Let every party act in random order, each time in a process of its own, until the job has ended.

    Parameters
    ----------
    world
        The job.
    seed
        Of the order, and of where a party is started twice at once.
    kills
        Where processes are killed.
    note
        Gets a line for every kill.
    twins
        Whether parties are started twice at once now and then.

    Raises
    ------
    CrashError
        If a party fails, or the job does not end.
    """
    draws = random.Random(seed)
    run = Run(list(kills))
    view = world.view()
    idle: dict[str, Any] = {}
    for _ in range(PASSES):
        acted = False
        for party in draws.sample(PARTIES, len(PARTIES)):
            twin = twins and draws.random() < TWIN_SHARE
            # Whoever had nothing to do has nothing to do until there is another block, or another envelope.
            seen = world.sights(view, party)
            if idle.get(party) == seen:
                continue
            did = _act(world, view, run, party, twin, note)
            idle[party] = None if did else seen
            acted = acted or did
        if acted:
            continue
        if view.snapshot().progress.job_state.ended:
            return run
        pass_time(view.market.w3, WINDOW // 2 + 1)
    raise CrashError(f"the job did not end in {PASSES} passes: {view.market.progress(world.job)}")


def _act(world: World, view: JobView, run: Run, party: str, twin: bool, note: Callable[[str], None]) -> bool:
    """Start a party's process, or two at once, any of which may be killed; tell whether anything came of it."""
    number = view.snapshot().progress.round
    armed = [kill for kill in run.pending if kill.party in ("", party) and kill.round <= number]
    forks = [Fork(lambda tell: _live(world, party, armed, tell)) for _ in range(1 + twin)]
    run.processes += len(forks)
    try:
        endings = [fork.join() for fork in forks]
    except ChildFailedError as fault:
        raise CrashError(f"{party} failed in round {number}, after {len(run.fired)} kills:\n{fault}") from fault
    for ending in endings:
        if ending.killed:
            kill = armed[ending.told[-1]["killed"]]
            if kill in run.pending:  # not if both of two at once came there
                run.pending.remove(kill)
                run.fired.append(kill)
            note(f"{len(run.fired)}: killed {party} in round {number}, {kill}")
        run.yielded += _said(ending, "yielded") is not None
    return any(ending.killed or _said(ending, "did") for ending in endings)


def _said(ending: Ending, name: str) -> Any:
    return next((told[name] for told in ending.told if name in told), None)


def _live(world: World, party: str, armed: Sequence[Kill], tell: Tell) -> None:
    """Do what a party's command does between two looks at the chain."""
    worker = world.party(party)
    market = worker.view.market
    Probe(party, armed, tell, Checks(world, party, worker.view)).install()
    try:
        done = [*market.tend(worker.account), *_enter(party, worker), *worker.step()]
    except WorkspaceBusyError as fault:
        tell({"yielded": str(fault)})
        return
    except CairnError as fault:
        raise CrashError(f"{type(fault).__name__}: {fault}") from fault
    # Every process checks the model anew; nothing comes of that.
    tell({"did": [line for line in done if not line.startswith("checked the model")]})


def _enter(party: str, worker: Any) -> list[str]:
    """Accept the job, or join it as soon as it is accepted."""
    if party == AGGREGATOR:
        return ["accepted"] if worker.accept() else []
    market, job = worker.view.market, worker.view.job
    if party == REFEREE or market.trainer(job, worker.account.address).status != TrainerStatus.NONE:
        return []
    if not any(market.identity(job).next_encryption_key):
        return []
    return ["joined"] if worker.join(market.join_digest(job)) else []
