"""Every movement of money, as entries of double-entry bookkeeping: what an event takes from some pots, others get.

The twin of the market moves the money; the entries are the difference between its pots before and after an event, so
that they add up to its balances, and to nothing, whatever the event was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from eth_typing import ChecksumAddress

from marketplace.audit.replay.money import held_stake
from marketplace.audit.replay.state import JobTwin
from marketplace.chain.history import Event

OUTSIDE: Final = "outside"
CREDIT: Final = "credit"
STAKE: Final = "stake"

# Who paid in, or was paid, from outside the market; money that is burned goes to nobody.
_COUNTERPART: Final = {"JobAccepted": None, "TrainerJoined": "trainer", "Withdrawn": "account", "Burned": None}
# After any other event every pot holds what it held before.
MOVES_MONEY: Final = frozenset(
    {
        *_COUNTERPART,
        "TrainerLeft",
        "Strike",
        "RoundScored",
        "RoundSettled",
        "RoundVoided",
        "RoundExpired",
        "Flagged",
        "GramRefuted",
        "JobEnded",
    }
)

Pot = tuple[str, ChecksumAddress | None]


class Movement(NamedTuple):
    """What a pot got by an event, in wei; negative for what it lost."""

    pot: str
    account: ChecksumAddress | None
    change: int


def pots(twin: JobTwin) -> dict[Pot, int]:
    """Return what each pot of a job holds, in wei."""
    found: dict[Pot, int] = {("escrow", None): twin.escrow, ("bond", None): twin.bond, ("burned", None): twin.burned}
    for address, credit in twin.credits.items():
        found[CREDIT, address] = credit
    for address, account in twin.accounts.items():
        credit = account.credit + account.pending
        found[CREDIT, address] = found.get((CREDIT, address), 0) + credit
        found[STAKE, address] = held_stake(twin, account)
    return found


def movements(before: dict[Pot, int], twin: JobTwin, event: Event) -> list[Movement]:
    """Return what an event moved, in a fixed order; the changes add up to 0."""
    changes = sorted(_changes(before, pots(twin)), key=lambda moved: (moved.pot, moved.account or ""))
    outside = -sum(moved.change for moved in changes)
    if outside:
        changes.append(Movement(OUTSIDE, _counterpart(twin, event), outside))
    return changes


def _changes(before: dict[Pot, int], after: dict[Pot, int]) -> Iterator[Movement]:
    for pot, amount in after.items():
        change = amount - before.get(pot, 0)
        if change:
            yield Movement(*pot, change)


def _counterpart(twin: JobTwin, event: Event) -> ChecksumAddress | None:
    if event.name == "JobCreated":
        return twin.owner
    if event.name == "JobAccepted":
        return twin.terms.aggregator
    argument = _COUNTERPART.get(event.name)
    return event.arguments[argument] if argument else None
