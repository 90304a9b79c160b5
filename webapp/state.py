"""What the app itself remembers between requests, in a database of its own: the index is never written.

Nothing in it is worth a backup. All processes that serve one site share it, so that a limit or a session holds in each.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Engine, Float, Integer, MetaData, String, Table

from marketplace.index.database import open_database, writing

METADATA: Final = MetaData()

RATE_LIMITS: Final = Table(
    "rate_limits",
    METADATA,
    Column("key", String(255), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("expires_at", Float, nullable=False, index=True),
)


def open_state(url: str) -> Engine:
    """Open the app's own database, and make those of its tables that it lacks.

    Raises
    ------
    MarketIndexError
        If it can't be opened or written.
    """
    engine = open_database(url)
    with writing(engine) as connection:
        METADATA.create_all(connection)
    return engine
