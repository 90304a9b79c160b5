"""How often an address may ask, counted over all of the site's processes in the app's own database.

Flask-Limiter decides, over a storage of ours: of its own those that processes share need a server of another kind.
"""

from __future__ import annotations

import ipaddress
import time
from typing import Final, cast

from flask import Flask, abort, current_app
from flask_limiter import Limiter
from limits import parse
from limits.storage import Storage
from sqlalchemy import Engine, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from marketplace.index.database import POSTGRESQL, reading, writing
from marketplace.index.errors import DatabaseError
from webapp.security.hosts import visitor
from webapp.state import RATE_LIMITS

SCHEME: Final = "cairn-state"
_LIMITER: Final = "cairn-limiter"
# One address of IPv4 is as much as a network of this prefix of IPv6: whoever has one of these has all of its addresses.
_NETWORK_BITS: Final = 64
_PURGE_EVERY: Final = 1_000


class StateStorage(Storage):
    """Counters in the app's own database, one row for each address and limit.

    Parameters
    ----------
    uri
        As the library gives it.
    engine
        The database.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - as the library wants it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, *, engine: Engine) -> None:
        super().__init__(uri, wrap_exceptions)
        self._engine = engine
        self._since_purge = 0
        self._insert = postgresql.insert if engine.dialect.name == POSTGRESQL else sqlite.insert

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What can go wrong."""
        return DatabaseError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count one request; return how many the running window has."""
        now = time.time()
        row = self._insert(RATE_LIMITS).values(key=key, count=amount, expires_at=now + expiry)
        is_over = RATE_LIMITS.c.expires_at <= now
        counted = row.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((is_over, amount), else_=RATE_LIMITS.c.count + amount),
                "expires_at": case((is_over, now + expiry), else_=RATE_LIMITS.c.expires_at),
            },
        ).returning(RATE_LIMITS.c.count)
        with writing(self._engine) as connection:
            self._since_purge += 1
            if self._since_purge >= _PURGE_EVERY:
                self._since_purge = 0
                connection.execute(delete(RATE_LIMITS).where(RATE_LIMITS.c.expires_at <= now))
            return int(connection.execute(counted).scalar_one())

    def get(self, key: str) -> int:
        """Return how many requests the running window has."""
        query = select(RATE_LIMITS.c.count).where(RATE_LIMITS.c.key == key, RATE_LIMITS.c.expires_at > time.time())
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar() or 0)

    def get_expiry(self, key: str) -> float:
        """Return when the running window ends, seconds since the Unix epoch."""
        query = select(RATE_LIMITS.c.expires_at).where(RATE_LIMITS.c.key == key)
        with reading(self._engine) as connection:
            return float(connection.execute(query).scalar() or time.time())

    def check(self) -> bool:
        """Whether the database answers."""
        with reading(self._engine) as connection:
            connection.execute(select(RATE_LIMITS.c.key).limit(1))
        return True

    def reset(self) -> int | None:
        """Forget everything; return how many counters there were."""
        with writing(self._engine) as connection:
            return int(connection.execute(delete(RATE_LIMITS)).rowcount)

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with writing(self._engine) as connection:
            connection.execute(delete(RATE_LIMITS).where(RATE_LIMITS.c.key == key))


def limit_rate(app: Flask, state: Engine, requests_per_minute: int) -> Limiter:
    """Answer an address that asks too often with 429, and say how long to wait. Static files don't count."""
    limiter = Limiter(
        network_of_visitor,
        app=app,
        # Of all pages together: a default limit would hold once for each.
        application_limits=[f"{requests_per_minute} per minute"],
        storage_uri=f"{SCHEME}://",
        storage_options=cast("dict[str, str | int]", {"engine": state}),
    )
    app.extensions[_LIMITER] = limiter
    return limiter


def network_of_visitor() -> str:
    """Return what is counted as one visitor: an address of IPv4, a network of IPv6."""
    named = visitor()
    try:
        address = ipaddress.ip_address(named)
    except ValueError:
        return named
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, _NETWORK_BITS), strict=False))


def spend(what: str, account: str, limit: str, words: str) -> None:
    """Count one of what an account may do so often; ends the request with 429 if it has done it too often.

    Parameters
    ----------
    what
        Names what is counted.
    account
        Whose.
    limit
        As Flask-Limiter writes it, such as "10 per hour".
    words
        The same for people.
    """
    limiter: Limiter = current_app.extensions[_LIMITER]
    if not limiter.limiter.hit(parse(limit), what, account):
        abort(429, f"{words} of one account are the most")
