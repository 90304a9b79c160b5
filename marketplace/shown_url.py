"""Addresses as they may be shown and logged: providers put access tokens behind the host, and in front of it."""

from __future__ import annotations

from urllib.parse import urlsplit

HIDDEN = "…"


def shown_url(url: str) -> str:
    """Return scheme, host and port of an address; one character stands for whatever else there was.

    Parameters
    ----------
    url : str
        An address, perhaps one that nothing can be reached at.

    Returns
    -------
    str
        Such as ``https://node.example.org/…``; only ``…`` if it has no host.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return HIDDEN
    if not parts.scheme or not host:
        return HIDDEN
    rest = parts.path.strip("/") or parts.query or parts.fragment
    place = f"{parts.scheme}://{'[' + host + ']' if ':' in host else host}" + (f":{port}" if port is not None else "")
    return f"{place}/{HIDDEN}" if rest else place
