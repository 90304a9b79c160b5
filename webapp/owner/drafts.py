"""What an account last typed into the form of a job, kept for that account alone."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from eth_typing import ChecksumAddress
from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from marketplace.index.database import POSTGRESQL, reading, writing
from webapp.state import DRAFTS


def keep_draft(state: Engine, account: ChecksumAddress, typed: Mapping[str, str]) -> None:
    """Keep what an account typed, in place of what it typed before."""
    insert = (postgresql if state.dialect.name == POSTGRESQL else sqlite).insert(DRAFTS)
    values = {"typed": json.dumps(dict(typed)), "changed_at": time.time()}
    row = insert.values(account=account, **values)
    with writing(state) as connection:
        connection.execute(row.on_conflict_do_update(index_elements=["account"], set_=values))


def find_draft(state: Engine, account: ChecksumAddress) -> dict[str, str] | None:
    """Return what an account typed last; None if it has no draft."""
    with reading(state) as connection:
        typed = connection.execute(select(DRAFTS.c.typed).where(DRAFTS.c.account == account)).scalar()
    return None if typed is None else json.loads(typed)


def drop_draft(state: Engine, account: ChecksumAddress) -> None:
    """Forget what an account typed."""
    with writing(state) as connection:
        connection.execute(delete(DRAFTS).where(DRAFTS.c.account == account))
