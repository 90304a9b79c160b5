"""Where the money of a job came from, where it is, and where it went, to the smallest unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from marketplace.index.columns import sums_of, total_of
from marketplace.index.ledger import OUTSIDE
from marketplace.index.queries.answers import Answer, Reader, check_number
from marketplace.index.rows import table_named

_ENTRIES: Final = table_named("entries")
_SUMS: Final = sums_of(_ENTRIES.c.amount)


@dataclass(frozen=True)
class Flow:
    """What the events of one name moved into or out of one kind of pot of a job, in the token's smallest unit.

    Attributes
    ----------
    event
        The name.
    pot
        As in `tables.Entry`, those of all accounts together.
    gained, lost
        What it got and what it gave away; neither is negative.
    """

    event: str
    pot: str
    gained: int
    lost: int


@dataclass(frozen=True)
class JobMoney:
    """The money of a job; `flows` are ordered by pot and event.

    What was paid in is what is held and what was paid out, whatever happened in between.
    """

    flows: tuple[Flow, ...]

    @property
    def paid_in(self) -> int:
        """What came from outside the market."""
        return sum(flow.lost for flow in self.flows if flow.pot == OUTSIDE)

    @property
    def paid_out(self) -> int:
        """What left the market."""
        return sum(flow.gained for flow in self.flows if flow.pot == OUTSIDE)

    def held(self, pot: str) -> int:
        """Return what the pots of one kind hold."""
        return sum(flow.gained - flow.lost for flow in self.flows if flow.pot == pot)


def job_money(reader: Reader, job: int) -> Answer[JobMoney]:
    """Return the money of a job; without a flow if there is no such job. Raises `QueryError` as `list_rounds`."""
    keys = _ENTRIES.c.pot, _ENTRIES.c.event, _ENTRIES.c.sign
    query = select(*keys, *_SUMS).where(_ENTRIES.c.job == check_number(job)).group_by(*keys)
    moved: dict[tuple[str, str], list[int]] = {}
    with reader.asking() as (connection, market_id, standing):
        for pot, event, sign, *sums in connection.execute(query.where(_ENTRIES.c.market_id == market_id)):
            moved.setdefault((pot, event), [0, 0])[0 if sign > 0 else 1] = total_of(sums)
    flows = tuple(Flow(event, pot, gained, lost) for (pot, event), (gained, lost) in sorted(moved.items()))
    return Answer(JobMoney(flows), standing)
