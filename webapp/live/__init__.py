"""Server-sent events: pages learn that something happened, and fetch themselves."""

from webapp.live.stream import pages

__all__ = ["pages"]
