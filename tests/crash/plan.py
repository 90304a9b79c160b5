"""Which party is killed where: drawn from a seed, every named step of each party three times at least."""

from __future__ import annotations

import random
from dataclasses import dataclass

ROUNDS = 5
TRAINERS = 5
AGGREGATOR, REFEREE = "aggregator", "referee"
TRAINER_NAMES = tuple(f"trainer-{index}" for index in range(TRAINERS))
PARTIES = (AGGREGATOR, REFEREE, *TRAINER_NAMES)

# A transaction is killed before anything is done; when the journal holds it and it was not sent; when it was sent and
# the journal does not know; when the journal knows and nobody was told; and after all that.
JOURNALLED, SENT, RECORDED = "journalled", "sent", "recorded"
ONCE = (JOURNALLED, SENT, RECORDED, "after")
# A file is killed when it has all its content and not yet its name.
UNNAMED = "unnamed"


@dataclass(frozen=True)
class Kill:
    """Where a process is killed.

    Attributes
    ----------
    party
        Whose process; "" for whichever comes there.
    round
        The round from which on it waits for its chance; 0 before the start.
    step
        The named step.
    when
        "before", "after", or a point within.
    occurrence
        At the how-manieth time that one process comes there.
    """

    party: str
    round: int
    step: str
    when: str
    occurrence: int = 1

    def __str__(self) -> str:
        place = f"{self.party or 'anyone'} from round {self.round}: {self.when} {self.step}"
        return place if self.occurrence == 1 else f"{place}, time {self.occurrence}"


def draw_plan(seed: int, kills: int) -> list[Kill]:
    """Draw kills: those that cover every step, and others at random; fewer than those are a sample of them."""
    draws = random.Random(seed)
    planned = [*_of_aggregator(draws), *_of_referee(draws), *_of_trainers(draws), *_of_anyone(draws)]
    while len(planned) < kills:
        planned.append(_repeatable(draws))
    return draws.sample(planned, kills) if kills < len(planned) else planned


def _rounds(draws: random.Random, count: int, first: int = 1) -> list[int]:
    return [draws.randint(first, ROUNDS) for _ in range(count)]


def _around(draws: random.Random, party: str, step: str, count: int = 3, first: int = 1, most: int = 1) -> list[Kill]:
    """Kills before and after a step that leaves no trace, so that a round may have many."""
    return [
        Kill(party, number, step, draws.choice(("before", "after")), draws.randint(1, most))
        for number in _rounds(draws, count, first)
    ]


def _once_a_round(draws: random.Random, party: str, step: str, whens: tuple[str, ...]) -> list[Kill]:
    """Kills at points of which a process passes one in a round, if it is not killed before."""
    rounds = draws.sample(range(1, ROUNDS + 1), len(whens))
    return [Kill(party, number, step, when) for number, when in zip(rounds, whens, strict=True)]


def _of_aggregator(draws: random.Random) -> list[Kill]:
    kills = [Kill(AGGREGATOR, 0, "accept", when) for when in ("before", "before", draws.choice(ONCE))]
    for step in ("fetch", "open", "check"):
        kills += _around(draws, AGGREGATOR, step, most=TRAINERS + 1)
    for step in ("score", "prove"):
        kills += _around(draws, AGGREGATOR, step)
    number = _rounds(draws, 4)
    kills += [Kill(AGGREGATOR, number[0], "store", when) for when in ("before", UNNAMED, "after")]
    kills += [Kill(AGGREGATOR, number[1], "keep", when) for when in ("before", UNNAMED, "after")]
    kills += [Kill(AGGREGATOR, number[2], "write the model", when) for when in ("before", UNNAMED, "after")]
    kills += [Kill(AGGREGATOR, number[3], "settle", "before")]
    return kills + _once_a_round(draws, AGGREGATOR, "settle", (JOURNALLED, SENT, SENT, SENT, RECORDED))


def _of_referee(draws: random.Random) -> list[Kill]:
    kills = _around(draws, REFEREE, "check the model", first=2)
    kills += _around(draws, REFEREE, "compute") + _around(draws, REFEREE, "commit")
    kills += _of_keeping_and_delivering(draws, REFEREE)
    kills += [Kill(REFEREE, draws.randint(1, ROUNDS), "submit", "before")]
    return kills + _once_a_round(draws, REFEREE, "submit", (JOURNALLED, SENT, SENT, SENT, RECORDED))


def _of_trainers(draws: random.Random) -> list[Kill]:
    def anybody() -> str:
        return draws.choice(TRAINER_NAMES)

    joining = draws.sample(TRAINER_NAMES, 3)
    whens = ("before", draws.choice((JOURNALLED, RECORDED)), SENT)
    kills = [Kill(party, 0, "join", when) for party, when in zip(joining, whens, strict=True)]
    for _ in range(3):
        kills += _around(draws, anybody(), "check the model", 1, first=2)
        kills += _around(draws, anybody(), "compute", 1) + _around(draws, anybody(), "commit", 1)
    kills += _of_keeping_and_delivering(draws, anybody())
    kills += [Kill(anybody(), draws.randint(1, ROUNDS), "submit", "before")]
    places = draws.sample([(party, number) for party in TRAINER_NAMES for number in range(1, ROUNDS + 1)], 10)
    sequence = (JOURNALLED, SENT, RECORDED) * 3 + ("after",)
    return kills + [Kill(party, number, "submit", when) for (party, number), when in zip(places, sequence, strict=True)]


def _of_keeping_and_delivering(draws: random.Random, party: str) -> list[Kill]:
    number, later = draws.randint(1, ROUNDS), draws.randint(1, ROUNDS)
    # The outbox writes three files, the record last.
    kills = [Kill(party, number, "keep", "before"), Kill(party, number, "keep", "after")]
    kills += [Kill(party, number, "keep", UNNAMED, draws.randint(1, 3))]
    # Published, and not yet noted that it is.
    return kills + [Kill(party, later, "deliver", when) for when in ("before", "published", "after")]


def _of_anyone(draws: random.Random) -> list[Kill]:
    rounds = draws.sample(range(1, ROUNDS + 1), 3)
    closing = [
        Kill("", number, "close", when) for number, when in zip(rounds, (JOURNALLED, SENT, RECORDED), strict=True)
    ]
    return [Kill("", 0, "start", draws.choice(ONCE)), *closing, Kill("", ROUNDS, "complete", draws.choice(ONCE))]


def _repeatable(draws: random.Random) -> Kill:
    party = draws.choice(PARTIES)
    number = draws.randint(2, ROUNDS)
    if party == AGGREGATOR:
        step = draws.choice(("fetch", "open", "check", "score", "prove", "settle"))
    else:
        step = draws.choice(("check the model", "compute", "commit", "keep", "submit", "deliver"))
    return Kill(party, number, step, "before")
