"""Cross-site requests: whatever changes something needs a token of the session, and must come from a page of ours.

The token is bound to the session by Flask-WTF. Browsers say where a request comes from, which is checked besides; a
program that says nothing still needs the token.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import Flask, abort, request
from flask_wtf.csrf import CSRFProtect

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN_HEADER: Final = "X-CSRF-Token"  # noqa: S105 - its name
TOKEN_SECONDS: Final = 3600


def protect(app: Flask) -> None:
    """Refuse what changes something without the session's token, or from another site, with 400 or 403."""
    app.config["WTF_CSRF_HEADERS"] = [TOKEN_HEADER]
    app.config["WTF_CSRF_TIME_LIMIT"] = TOKEN_SECONDS

    # Before the token is looked at, so that another site learns nothing of it.
    @app.before_request
    def _from_here() -> None:
        if request.method not in SAFE_METHODS and not _comes_from_here():
            abort(403, "This request comes from another site. Nothing was changed; use the page of this site.")

    CSRFProtect(app)


def _comes_from_here() -> bool:
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    if origin is None:
        return True
    parts = urlsplit(origin)
    return (parts.scheme, parts.netloc) == (request.scheme, request.host)
