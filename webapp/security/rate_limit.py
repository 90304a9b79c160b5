"""How often an address may ask, counted over all of the site's processes in the app's own database.

Flask-Limiter decides, over a storage of ours: of its own those that processes share need a server of another kind.
Requests are counted in the process first and told to the others a batch at a time, since a page must not wait for a
database to be written. What an account may do so often, such as publish, is counted one by one.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, cast

from flask import Flask, abort, current_app
from flask_limiter import Limiter
from limits import parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import Engine, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from marketplace.index.database import POSTGRESQL, reading, writing
from marketplace.index.errors import DatabaseError
from webapp.security.hosts import visitor
from webapp.state import RATE_LIMITS

SCHEME: Final = "cairn-state"
BATCHED_SCHEME: Final = "cairn-batched"
_SPENDING: Final = "cairn-spending"
# One address of IPv4 is as much as a network of this prefix of IPv6: whoever has one of these has all of its addresses.
_NETWORK_BITS: Final = 64
_PURGE_EVERY: Final = 1_000
# A process tells the others of an address once it has asked this part of the limit.
BATCHES: Final = 20
# Addresses that a process remembers; of more, the one that has not asked for longest is forgotten.
MOST_ADDRESSES: Final = 20_000


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
        return self.add(key, expiry, amount)[0]

    def add(self, key: str, expiry: int, amount: int) -> tuple[int, float]:
        """Count requests; return how many the running window has, and when it ends in seconds since the epoch."""
        now = time.time()
        row = self._insert(RATE_LIMITS).values(key=key, count=amount, expires_at=now + expiry)
        is_over = RATE_LIMITS.c.expires_at <= now
        counted = row.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((is_over, amount), else_=RATE_LIMITS.c.count + amount),
                "expires_at": case((is_over, now + expiry), else_=RATE_LIMITS.c.expires_at),
            },
        ).returning(RATE_LIMITS.c.count, RATE_LIMITS.c.expires_at)
        with writing(self._engine) as connection:
            self._since_purge += 1
            if self._since_purge >= _PURGE_EVERY:
                self._since_purge = 0
                connection.execute(delete(RATE_LIMITS).where(RATE_LIMITS.c.expires_at <= now))
            count, ends_at = connection.execute(counted).one()
        return int(count), float(ends_at)

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


@dataclass
class _Window:
    """What a process knows of one counter: what all had told when it looked last, and what it has not told yet."""

    ends_at: float
    told: int = 0
    untold: int = 0


class BatchedStorage(StateStorage):
    """Counters in the process, told to those in the database a batch at a time.

    Each process lets through at most a batch less one more than it would if it knew at once what the others know. An
    address over the limit is refused without asking the database until its window ends.

    Parameters
    ----------
    uri
        As the library gives it.
    engine
        The database.
    limit
        How many requests a window has; a batch is a part of it, see `BATCHES`.
    """

    STORAGE_SCHEME = [BATCHED_SCHEME]  # noqa: RUF012 - as the library wants it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, *, engine: Engine, limit: int) -> None:
        super().__init__(uri, wrap_exceptions, engine=engine)
        self._limit = limit
        self._batch = max(1, limit // BATCHES)
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._lock = threading.Lock()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count one request; return how many the running window has, as far as this process knows."""
        now = time.time()
        with self._lock:
            window = self._windows.get(key)
            if window is None or window.ends_at <= now:
                window = self._windows[key] = _Window(now + expiry)
            self._windows.move_to_end(key)
            if len(self._windows) > MOST_ADDRESSES:
                self._windows.popitem(last=False)
            window.untold += amount
            if window.told > self._limit or window.untold < self._batch:
                return window.told + window.untold
            telling, window.untold = window.untold, 0
            window.told += telling
        told, ends_at = self.add(key, expiry, telling)
        with self._lock:
            # Another thread may have told more meanwhile; a window that has ended counts no more.
            window.told = max(told, window.told) if ends_at == window.ends_at else told
            window.ends_at = ends_at
            return window.told + window.untold

    def get(self, key: str) -> int:
        """Return how many requests the running window has, as far as this process knows."""
        with self._lock:
            window = self._windows.get(key)
            return window.told + window.untold if window is not None and window.ends_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the running window ends, seconds since the Unix epoch."""
        with self._lock:
            window = self._windows.get(key)
            return time.time() if window is None else window.ends_at

    def reset(self) -> int | None:
        """Forget everything, in the database too; return how many counters there were in that."""
        with self._lock:
            self._windows.clear()
        return super().reset()

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with self._lock:
            self._windows.pop(key, None)
        super().clear(key)


def limit_rate(app: Flask, state: Engine, requests_per_minute: int) -> Limiter:
    """Answer an address that asks too often with 429, and say how long to wait. Static files don't count."""
    limiter = Limiter(
        network_of_visitor,
        app=app,
        # Of all pages together: a default limit would hold once for each.
        application_limits=[f"{requests_per_minute} per minute"],
        storage_uri=f"{BATCHED_SCHEME}://",
        storage_options=cast("dict[str, str | int]", {"engine": state, "limit": requests_per_minute}),
    )
    app.extensions[_SPENDING] = FixedWindowRateLimiter(StateStorage(engine=state))
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
    limiter: FixedWindowRateLimiter = current_app.extensions[_SPENDING]
    if not limiter.hit(parse(limit), what, account):
        abort(429, f"{words} of one account are the most")
