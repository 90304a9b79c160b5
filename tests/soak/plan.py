"""What happens to which job when: drawn from a seed before anything runs."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

AGGREGATOR, REFEREE, OWNER = "aggregator", "referee", "owner"
AGGREGATORS: Final = 4
TRAINERS: Final = 8
TRAINER_NAMES: Final = tuple(f"trainer-{index}" for index in range(TRAINERS))

# A job is never under way for longer than this, in seconds; faults are drawn for all of it.
HORIZON_SECONDS: Final = 2_400.0
SECONDS_BETWEEN_FAULTS: Final = 25.0
SECONDS_BETWEEN_GENERAL_OUTAGES: Final = 240.0
OUTAGE_SECONDS: Final = (1.0, 60.0)
DISK_SECONDS: Final = (2.0, 25.0)
SUSPENSION_SECONDS: Final = (1.0, 20.0)
DOWN_SECONDS: Final = (0.0, 15.0)


class Trouble(StrEnum):
    """What happens to a party for a while."""

    KILL = "killed"
    TERMINATE = "told to stop"
    SUSPEND = "suspended"
    OUTAGE = "cut off from the chain"
    DISK = "disk full"


class Fate(StrEnum):
    """What happens to a job for good."""

    ORDINARY = "nobody gives up"
    AGGREGATOR_NEVER_COMES = "the aggregator never accepts"
    AGGREGATOR_DESERTS = "the aggregator is gone for good"
    TRAINER_DESERTS = "a trainer is gone for good"
    TRAINER_LEAVES = "a trainer leaves"
    OWNER_ABORTS = "the owner aborts"


# How often each is drawn among twenty jobs.
_FATES: Final = (
    *[Fate.ORDINARY] * 12,
    Fate.AGGREGATOR_NEVER_COMES,
    *[Fate.AGGREGATOR_DESERTS] * 2,
    *[Fate.TRAINER_DESERTS] * 2,
    Fate.TRAINER_LEAVES,
    *[Fate.OWNER_ABORTS] * 2,
)
_TROUBLES: Final = {
    Trouble.KILL: 9,
    Trouble.TERMINATE: 2,
    Trouble.SUSPEND: 2,
    Trouble.OUTAGE: 5,
    Trouble.DISK: 2,
}


class OutageKind(StrEnum):
    """How a node fails to answer."""

    REFUSED = "closes every connection"
    SILENT = "says nothing"
    OVERLOADED = "answers 503"
    NONSENSE = "answers something that is not JSON"


@dataclass(frozen=True)
class Fault:
    """One thing that happens.

    Attributes
    ----------
    at
        Seconds after the job was created.
    trouble
        What.
    party
        To whom: `AGGREGATOR`, `REFEREE` or a trainer.
    seconds
        For how long; of a process that was killed or stopped, until it is started again.
    kind
        Of an outage.
    """

    at: float
    trouble: Trouble
    party: str
    seconds: float
    kind: OutageKind | None = None


@dataclass(frozen=True)
class JobPlan:
    """What happens to one job.

    Attributes
    ----------
    index
        From 0.
    aggregator
        Which of the aggregators is named.
    fate
        What happens to it for good.
    fate_round
        The round in which that happens, from 1.
    fate_trainer
        Whom it concerns if it concerns a trainer.
    faults
        By time.
    """

    index: int
    aggregator: int
    fate: Fate
    fate_round: int
    fate_trainer: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class GeneralOutage:
    """The chain's node fails for everybody: when, in seconds after the beginning, for how long, and how."""

    at: float
    seconds: float
    kind: OutageKind


@dataclass(frozen=True)
class Plan:
    """All that happens."""

    jobs: tuple[JobPlan, ...]
    outages: tuple[GeneralOutage, ...]


def draw_plan(seed: int, jobs: int, rounds: int, longest_seconds: float) -> Plan:
    """Draw a plan.

    Parameters
    ----------
    seed
        Of every draw.
    jobs
        How many.
    rounds
        Of each job.
    longest_seconds
        How long everything may take; outages for everybody are drawn for all of it.
    """
    draws = random.Random(seed)
    fates = [_FATES[index % len(_FATES)] for index in range(jobs)]
    draws.shuffle(fates)
    planned = tuple(_draw_job(draws, index, fate, rounds) for index, fate in enumerate(fates))
    outages = tuple(
        GeneralOutage(at, _between(draws, OUTAGE_SECONDS), draws.choice(list(OutageKind)))
        for at in _times(draws, SECONDS_BETWEEN_GENERAL_OUTAGES, longest_seconds)
    )
    return Plan(planned, outages)


def _draw_job(draws: random.Random, index: int, fate: Fate, rounds: int) -> JobPlan:
    faults = tuple(_draw_fault(draws, at) for at in _times(draws, SECONDS_BETWEEN_FAULTS, HORIZON_SECONDS))
    fate_round = draws.randint(2, max(2, rounds - 1))
    return JobPlan(index, draws.randrange(AGGREGATORS), fate, fate_round, draws.choice(TRAINER_NAMES), faults)


def _draw_fault(draws: random.Random, at: float) -> Fault:
    trouble = draws.choices(list(_TROUBLES), list(_TROUBLES.values()))[0]
    party = draws.choices([AGGREGATOR, REFEREE, *TRAINER_NAMES], [4, 1] + [1] * TRAINERS)[0]
    seconds = {
        Trouble.KILL: DOWN_SECONDS,
        Trouble.TERMINATE: DOWN_SECONDS,
        Trouble.SUSPEND: SUSPENSION_SECONDS,
        Trouble.OUTAGE: OUTAGE_SECONDS,
        Trouble.DISK: DISK_SECONDS,
    }[trouble]
    kind = draws.choice(list(OutageKind)) if trouble is Trouble.OUTAGE else None
    return Fault(at, trouble, party, _between(draws, seconds), kind)


def _between(draws: random.Random, bounds: tuple[float, float]) -> float:
    """Draw from a range, short ones more often if it spans more than one magnitude."""
    low, high = bounds
    if low > 0:
        return math.exp(draws.uniform(math.log(low), math.log(high)))
    return draws.uniform(low, high)


def _times(draws: random.Random, mean: float, until: float) -> list[float]:
    """Draw the moments of a Poisson process."""
    times, now = [], 0.0
    while (now := now + draws.expovariate(1 / mean)) < until:
        times.append(now)
    return times
