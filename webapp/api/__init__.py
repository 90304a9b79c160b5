"""The read-only API: what the pages show as JSON, each answer with its block and how final it is."""

# Importing it serves what it defines under the same addresses.
from webapp.api import description as description
from webapp.api.endpoints import pages

__all__ = ["pages"]
