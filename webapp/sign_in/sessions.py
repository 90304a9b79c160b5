"""Who is signed in. The cookie holds a secret, the state database says what it opens, and signing out ends it there."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from flask import Flask, Response, abort, g, redirect, request, session, url_for
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from marketplace.index.database import POSTGRESQL, reading, writing
from marketplace.index.errors import DatabaseError
from webapp.site import site
from webapp.state import SESSIONS, SIGN_IN_NONCES

SESSION_SECONDS: Final = 8 * 3600
NONCE_SECONDS: Final = 600
_SECRET: Final = "sid"  # noqa: S105 - its name
_VISITOR: Final = "visitor"
_KNOWN: Final = "signed_in"


@dataclass(frozen=True)
class SignedIn:
    """A visitor who has shown to hold an account; the session ends at `expires_at`, seconds since the Unix epoch."""

    account: ChecksumAddress
    expires_at: float


def signed_in() -> SignedIn | None:
    """Return who the visitor is; None for somebody who is not signed in."""
    if _KNOWN not in g:
        g.signed_in = _look_up()
    found: SignedIn | None = g.signed_in
    return found


def visitor_or_nobody() -> SignedIn | None:
    """Return who the visitor is, for the frame of pages, which also tell that a database fails."""
    try:
        return signed_in()
    except DatabaseError:
        return None


def keep_private(app: Flask) -> None:
    """Let nobody keep a copy of what is shown to somebody who is signed in."""

    @app.after_request
    def _private(response: Response) -> Response:
        if g.get(_KNOWN) is not None:
            response.headers["Cache-Control"] = "private, no-store"
        return response


def required_account() -> ChecksumAddress:
    """Return the account of a visitor; whoever is not signed in is sent to do that first, or told to by 401."""
    found = signed_in()
    if found is not None:
        return found.account
    if request.method not in ("GET", "HEAD"):
        abort(401, "You are not signed in, or not any more. Nothing was changed.")
    return abort(redirect(url_for("sign_in.sign_in", next=request.full_path.rstrip("?")), 303))


def begin_session(account: ChecksumAddress) -> None:
    """Sign the visitor in: whatever the cookie held before opens nothing any more."""
    end_session()
    secret = secrets.token_urlsafe(32)
    expires_at = time.time() + SESSION_SECONDS
    with writing(site().state) as connection:
        connection.execute(delete(SESSIONS).where(SESSIONS.c.expires_at <= time.time()))
        connection.execute(SESSIONS.insert().values(session=_digest(secret), account=account, expires_at=expires_at))
    session[_SECRET] = secret
    g.signed_in = SignedIn(account, expires_at)


def end_session() -> None:
    """Sign the visitor out: a copy of the cookie opens nothing any more, and its token for forms is void."""
    secret = session.get(_SECRET)
    if isinstance(secret, str):
        with writing(site().state) as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.session == _digest(secret)))
    session.clear()
    g.signed_in = None


def new_nonce() -> str:
    """Return a nonce for the visitor's next message; one that was given before is void."""
    visitor = session.get(_VISITOR)
    if not isinstance(visitor, str):
        visitor = session[_VISITOR] = secrets.token_urlsafe(32)
    nonce, now = secrets.token_hex(16), time.time()
    engine = site().state
    insert = (postgresql if engine.dialect.name == POSTGRESQL else sqlite).insert(SIGN_IN_NONCES)
    values = {"nonce": nonce, "expires_at": now + NONCE_SECONDS}
    with writing(engine) as connection:
        connection.execute(delete(SIGN_IN_NONCES).where(SIGN_IN_NONCES.c.expires_at <= now))
        row = insert.values(visitor=_digest(visitor), **values)
        connection.execute(row.on_conflict_do_update(index_elements=["visitor"], set_=values))
    return nonce


def use_nonce(nonce: str) -> bool:
    """Tell whether a nonce was given to this visitor and not used yet; from then on it is used."""
    visitor = session.get(_VISITOR)
    if not isinstance(visitor, str):
        return False
    table = SIGN_IN_NONCES.c
    mine = table.visitor == _digest(visitor), table.nonce == nonce, table.expires_at > time.time()
    with writing(site().state) as connection:
        return connection.execute(delete(SIGN_IN_NONCES).where(*mine)).rowcount == 1


def _look_up() -> SignedIn | None:
    secret = session.get(_SECRET)
    if not isinstance(secret, str):
        return None
    table = SESSIONS.c
    query = select(table.account, table.expires_at).where(table.session == _digest(secret))
    with reading(site().state) as connection:
        row = connection.execute(query.where(table.expires_at > time.time())).one_or_none()
    return None if row is None else SignedIn(to_checksum_address(row.account), row.expires_at)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
