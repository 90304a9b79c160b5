"""What an account has in each job: credit and stake, from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress
from sqlalchemy import select

from marketplace.index.columns import sums_of, total_of
from marketplace.index.ledger import CREDIT, STAKE
from marketplace.index.queries.answers import Answer, Reader
from marketplace.index.rows import table_named

_ENTRIES: Final = table_named("entries")
_JOBS: Final = table_named("jobs")


@dataclass(frozen=True)
class Holding:
    """What an account has in a job, in the smallest unit of the job's token.

    Attributes
    ----------
    job, token
        Which job, and what it is paid in.
    credit
        What was credited and not withdrawn; some of it may still have to wait for a challenge window.
    stake
        What is held of its stake.
    """

    job: int
    token: ChecksumAddress
    credit: int
    stake: int


def holdings_of(reader: Reader, account: ChecksumAddress) -> Answer[tuple[Holding, ...]]:
    """Return what an account has in jobs, those without anything left out, the newest job first."""
    wanted = _ENTRIES.c.account == account, _ENTRIES.c.pot.in_((CREDIT, STAKE))
    columns = _ENTRIES.c.job, _ENTRIES.c.pot, _ENTRIES.c.sign, _ENTRIES.c.amount
    held: dict[int, dict[str, int]] = {}
    with reader.asking() as (connection, market_id, standing):
        # Found first and grouped then: SQLite would go through everybody's entries, which an index has in groups.
        mine = (
            select(*columns).where(_ENTRIES.c.market_id == market_id, *wanted).cte("mine").prefix_with("MATERIALIZED")
        )
        keys = mine.c.job, mine.c.pot, mine.c.sign
        query = select(*keys, *sums_of(mine.c.amount)).group_by(*keys)
        for job, pot, sign, *sums in connection.execute(query):
            pots = held.setdefault(job, {CREDIT: 0, STAKE: 0})
            pots[pot] += sign * total_of(sums)
        with_money = sorted((job for job, pots in held.items() if any(pots.values())), reverse=True)
        named = _JOBS.c.market_id == market_id, _JOBS.c.number.in_(with_money)
        tokens = dict(map(tuple, connection.execute(select(_JOBS.c.number, _JOBS.c.token).where(*named))))
    found = [Holding(job, tokens[job], held[job][CREDIT], held[job][STAKE]) for job in with_money]
    return Answer(tuple(found), standing)
