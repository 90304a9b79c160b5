"""Who the app answers as, who a visitor is, and where a visitor may be sent on to."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.settings import WebSettings


def check_hosts(app: Flask, settings: WebSettings) -> None:
    """Refuse requests for other hosts with 400, and believe ``X-Forwarded-*`` of the operator's proxies alone."""
    app.config["TRUSTED_HOSTS"] = list(settings.allowed_hosts)
    count = settings.trusted_proxies
    if count:
        # Each trusted proxy adds one value; those that a visitor made up stand in front of them and are not looked at.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=0, x_port=0, x_prefix=0
        )


def visitor() -> str:
    """Return the address that a request comes from, as far as it can be believed."""
    return request.remote_addr or "unknown"


def own_path(target: str | None, otherwise: str) -> str:
    """Return a path on this site that a visitor asked to be sent to, or another one if it leads elsewhere.

    Browsers read a backslash as a slash and drop control characters, so that either may hide another host.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return otherwise
    if "\\" in target or any(not character.isprintable() for character in target):
        return otherwise
    parts = urlsplit(target)
    return otherwise if parts.scheme or parts.netloc else target
