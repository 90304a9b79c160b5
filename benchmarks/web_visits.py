"""What is asked of the site: every page and every address of the API, drawn over the whole market."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeVar

from sqlalchemy import Engine, func, select

from benchmarks.synthetic_market import account_of
from marketplace.index.database import reading
from marketplace.index.queries.answers import mark_of
from marketplace.index.rows import table_named

_SEARCHED: Final = ("sepsis", "kidney oxygen", "study 4", "zebra", "retina wards", "EUPL", "%", "early warning dose")
_STATES: Final = ("open", "running", "completed", "aborted")
_MODELS: Final = ("logistic-regression", "mlp", "cnn")


@dataclass(frozen=True)
class Inventory:
    """What there is to be asked for; job numbers and marks of pages as the index has them.

    Attributes
    ----------
    jobs
        Number, reward and stake of each, the newest first.
    rounds
        Job and number of each.
    trainers, aggregators, owners
        Accounts, the busiest first.
    movements
        Marks of movements of money all over the chain.
    largest
        Jobs with the most trainers.
    joined, owned
        Jobs of the trainer and of the owner who sign in.
    """

    jobs: list[tuple[int, int, int]]
    rounds: list[tuple[int, int]]
    trainers: list[str]
    aggregators: list[str]
    owners: list[str]
    movements: list[str]
    largest: list[int]
    joined: list[int]
    owned: list[int]

    def job(self, rng: random.Random) -> int:
        """Return a job's number, each as likely."""
        return rng.choice(self.jobs)[0]

    def popular(self, rng: random.Random) -> Inventory:
        """Return so many of everything, drawn by how much it is looked at: the newest jobs, the busiest accounts."""
        jobs = _by_popularity(rng, self.jobs)
        of = {number for number, _, _ in jobs}
        return replace(
            self,
            jobs=jobs,
            rounds=_by_popularity(rng, sorted((each for each in self.rounds if each[0] in of), reverse=True)),
            trainers=_by_popularity(rng, self.trainers),
            aggregators=_by_popularity(rng, self.aggregators),
        )


# Requests for web pages follow Zipf's law with exponents of 0.64 to 0.83 (Breslau, Cao, Fan, Phillips and Shenker, Web
# caching and Zipf-like distributions, INFOCOM 1999).
_ZIPF: Final = 0.75
T = TypeVar("T")


def _by_popularity(rng: random.Random, ranked: Sequence[T]) -> list[T]:
    return rng.choices(ranked, [rank**-_ZIPF for rank in range(1, len(ranked) + 1)], k=len(ranked))


def take_inventory(engine: Engine, seed: int) -> Inventory:
    """Look up what an index of one market has."""
    jobs, rounds, seats, entries = map(table_named, ("jobs", "rounds", "seats", "entries"))
    with reading(engine) as connection:

        def busiest(column: str, table: str) -> list[str]:
            source = table_named(table).c[column]
            return list(connection.execute(select(source).group_by(source).order_by(func.count().desc())).scalars())

        terms = select(jobs.c.number, jobs.c.reward_per_round, jobs.c.stake).order_by(jobs.c.number.desc())
        marks = [
            mark_of(*row) for row in connection.execute(select(entries.c.block, entries.c.log_index, entries.c.place))
        ]
        size = select(jobs.c.number).order_by(jobs.c.trainers.desc(), jobs.c.settled_rounds.desc()).limit(4)
        joined = select(seats.c.job).where(seats.c.account == account_of("trainer", 0))
        owned = select(jobs.c.number).where(jobs.c.owner == account_of("owner", 0))
        return Inventory(
            [tuple(row) for row in connection.execute(terms)],
            [tuple(row) for row in connection.execute(select(rounds.c.job, rounds.c.number))],
            busiest("account", "seats"),
            busiest("aggregator", "jobs"),
            busiest("owner", "jobs"),
            random.Random(seed).sample(marks, min(1_000, len(marks))),  # noqa: S311 - nothing is hidden
            list(connection.execute(size).scalars()),
            list(connection.execute(joined).scalars()),
            list(connection.execute(owned).scalars()),
        )


Draw = Callable[[random.Random, Inventory], str]


def _round(rng: random.Random, there: Inventory) -> str:
    job, number = rng.choice(there.rounds)
    return f"/jobs/{job}/rounds/{number}"


def _filtered(rng: random.Random, _there: Inventory) -> str:
    return f"/?state={rng.choice(_STATES)}&reward=0.{rng.randrange(1, 7)}&stake={rng.randrange(1, 4)}&order=stake"


def _by_reward(rng: random.Random, there: Inventory) -> str:
    number, reward, _ = rng.choice(there.jobs)
    return f"/?order=reward&after={mark_of(reward, number)}"


def _searched(rng: random.Random, _there: Inventory) -> str:
    return f"/?q={rng.choice(_SEARCHED).replace('%', '%25').replace(' ', '+')}&task={rng.choice(('', *_MODELS))}"


def _api_jobs(rng: random.Random, there: Inventory) -> str:
    number, _, stake = rng.choice(there.jobs)
    return f"/api/jobs?size=200&order=stake&after={mark_of(stake, number)}"


def _api_owned(rng: random.Random, there: Inventory) -> str:
    return f"/api/jobs?owner={rng.choice(there.owners)}&state={rng.choice(_STATES)}&q={rng.choice(_SEARCHED[:1])}"


def _largest_round(rng: random.Random, there: Inventory) -> str:
    job = rng.choice(there.largest)
    return f"/jobs/{job}/rounds/{rng.choice([number for of, number in there.rounds if of == job])}"


# Everything that can be had without signing in, but for streams, which never end.
PAGES: Final[Mapping[str, Draw]] = MappingProxyType(
    {
        "market": lambda _rng, _there: "/",
        "market, any page": lambda rng, there: f"/?after={there.job(rng)}",
        "market, filtered": _filtered,
        "market, by reward, any page": _by_reward,
        "market, searched": _searched,
        "job": lambda rng, there: f"/jobs/{there.job(rng)}",
        "job of 128 trainers": lambda rng, there: f"/jobs/{rng.choice(there.largest)}",
        "round": _round,
        "round of 128 trainers": _largest_round,
        "trainer": lambda rng, there: f"/trainers/{rng.choice(there.trainers)}",
        "trainer, any page": lambda rng, there: f"/trainers/{rng.choice(there.trainers[:20])}?after={there.job(rng)}",
        "aggregator": lambda rng, there: f"/aggregators/{rng.choice(there.aggregators)}",
        "aggregator, any page": lambda rng, there: f"/aggregators/{there.aggregators[0]}?after={there.job(rng)}",
        "glossary": lambda _rng, _there: "/glossary",
        "API's description": lambda _rng, _there: "/api",
        "sign in": lambda _rng, _there: "/sign-in",
        "no such page": lambda rng, _there: f"/jobs/{rng.randrange(10**6, 10**7)}",
        "health": lambda _rng, _there: "/health",
        "ready": lambda _rng, _there: "/ready",
        "API: OpenAPI": lambda _rng, _there: "/api/openapi.json",
        "API: jobs": lambda rng, there: f"/api/jobs?after={there.job(rng)}",
        "API: 200 jobs by stake": _api_jobs,
        "API: jobs of an owner": _api_owned,
        "API: 200 jobs searched": lambda rng, _there: (
            f"/api/jobs?size=200&q={rng.choice(_SEARCHED[:3]).replace(' ', '+')}"
        ),
        "API: job": lambda rng, there: f"/api/jobs/{there.job(rng)}",
        "API: rounds": lambda rng, there: f"/api/jobs/{there.job(rng)}/rounds?size=200",
        "API: round": lambda rng, there: f"/api{_round(rng, there)}",
        "API: round of 128 trainers": lambda rng, there: f"/api{_largest_round(rng, there)}",
        "API: trainer": lambda rng, there: f"/api/trainers/{rng.choice(there.trainers)}?size=200",
        "API: aggregator": lambda rng, there: f"/api/aggregators/{rng.choice(there.aggregators)}?size=200",
        "API: movements": lambda rng, there: f"/api/movements?size=200&after={rng.choice(there.movements)}",
        "API: movements of a job": lambda rng, there: f"/api/movements?size=200&job={there.job(rng)}",
        "API: movements of an account": (
            lambda rng, there: (
                f"/api/movements?size=200&account={rng.choice(there.trainers)}&after={rng.choice(there.movements)}"
            )
        ),
        "API: movements of an account in a job": (
            lambda rng, there: f"/api/movements?size=200&account={rng.choice(there.trainers)}&job={there.job(rng)}"
        ),
    }
)
# What the trainer, and what the owner sees who has signed in.
OF_TRAINER: Final[Mapping[str, Draw]] = MappingProxyType(
    {
        "signed in: market": lambda rng, there: f"/?after={there.job(rng)}",
        "signed in: job": lambda rng, there: f"/jobs/{there.job(rng)}",
        "signed in: own account": lambda _rng, _there: "/me",
        "signed in: seat": lambda rng, there: f"/jobs/{rng.choice(there.joined)}/trainer",
    }
)
OF_OWNER: Final[Mapping[str, Draw]] = MappingProxyType(
    {
        "signed in: owner's account": lambda _rng, _there: "/me",
        "signed in: owner's job": lambda rng, there: f"/jobs/{rng.choice(there.owned)}/owner",
        "signed in: new job": lambda _rng, _there: "/jobs/new",
    }
)
# How often of 100 each is asked for by many visitors at once.
MIX: Final[Mapping[str, int]] = MappingProxyType(
    {
        "market": 10,
        "market, any page": 8,
        "market, filtered": 6,
        "market, searched": 6,
        "job": 24,
        "round": 14,
        "trainer": 8,
        "aggregator": 4,
        "glossary": 2,
        "API: jobs": 5,
        "API: job": 5,
        "API: rounds": 2,
        "API: round": 3,
        "API: movements of a job": 3,
    }
)


def draw_mix(rng: random.Random, there: Inventory, count: int) -> list[str]:
    """Draw so many addresses from the mix: the newest jobs and the busiest accounts are asked for most."""
    popular = there.popular(rng)
    return [PAGES[kind](rng, popular) for kind in rng.choices(list(MIX), list(MIX.values()), k=count)]
