"""The read-only API: what the pages show as JSON, each answer with its block and how final it is."""

from webapp.api.endpoints import pages

__all__ = ["pages"]
