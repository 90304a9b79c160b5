"""What has happened since somebody looked last: which jobs have had events, and whether texts came in."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from marketplace.index.queries.answers import Answer, Reader
from marketplace.index.rows import table_named

_BLOCKS: Final = table_named("blocks")
_JOBS: Final = table_named("jobs")
_TEXTS: Final = table_named("specifications")
# Beyond it, who asked may as well look at everything.
MOST_JOBS: Final = 1_000
TextsMark = tuple[int, int | None]


def texts_mark(reader: Reader) -> Answer[TextsMark]:
    """Return what changes whenever a specification is fetched, or found to be missing: how many, and when the last."""
    with reader.asking() as (connection, _, standing):
        count, last = connection.execute(select(func.count(), func.max(_TEXTS.c.tried_at))).one()
    return Answer((count, last), standing)


def changed_jobs(reader: Reader, block: int, block_hash: bytes) -> Answer[frozenset[int] | None]:
    """Return the jobs that have had events since the index stood at a block.

    None if any may have: too many have, or the block is no longer in the chain, so that events may have been undone.
    """
    with reader.asking() as (connection, market_id, standing):
        known = select(_BLOCKS.c.hash).where(_BLOCKS.c.market_id == market_id, _BLOCKS.c.number == block)
        found = connection.execute(known).scalar_one_or_none()
        if found is None or bytes(found) != block_hash:
            return Answer(None, standing)
        changed = select(_JOBS.c.number).where(_JOBS.c.market_id == market_id, _JOBS.c.changed_block > block)
        numbers = connection.execute(changed.limit(MOST_JOBS + 1)).scalars().all()
    return Answer(frozenset(numbers) if len(numbers) <= MOST_JOBS else None, standing)
