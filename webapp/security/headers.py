"""Headers of every answer. What a page may load is denied unless it comes from this site."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

# No inline script or style, no frame, no form to elsewhere; wallets act from outside the page's policy.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Two years, as browsers' preload lists want it at least; only where visitors come by https.
STRICT_TRANSPORT: Final = "max-age=63072000; includeSubDomains"


def add_headers(app: Flask, *, https: bool) -> None:
    """Put the headers on every answer of an app, errors and static files included."""

    @app.after_request
    def _with_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT
        if "Cache-Control" not in response.headers:
            # What a page says depends on the block; whoever is signed in sees more.
            response.headers["Cache-Control"] = "no-cache" if request.method in ("GET", "HEAD") else "no-store"
        response.headers.pop("Server", None)
        return response
