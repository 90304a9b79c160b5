"""The registry of errors: every error that a user can meet has a code for ever, and says what to do about it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from contribution.errors import CairnError

REGISTRY_FILE: Final = Path(__file__).with_name("error_codes.toml")
PAGE: Final = "docs/errors.md"


@dataclass(frozen=True)
class KnownError:
    """An entry of the registry.

    Attributes
    ----------
    code
        Such as ``E0102``; never given to another error, not even when this one is retired.
    error
        Name of the class.
    remedy
        What whoever meets it can do.
    retired
        Why it is no longer raised; None if it is.
    """

    code: str
    error: str
    remedy: str
    retired: str | None = None

    @property
    def page(self) -> str:
        """Where its documentation stands."""
        return f"{PAGE}#{self.code.lower()}"


@cache
def known_errors() -> tuple[KnownError, ...]:
    """Return every entry of the registry, retired ones included, by code."""
    with REGISTRY_FILE.open("rb") as file:
        entries = tomllib.load(file)
    return tuple(KnownError(code, **entry) for code, entry in sorted(entries.items()))


def error_of(fault: CairnError) -> KnownError:
    """Return the entry of an error's class, or of the nearest class above it that has one."""
    by_name = {known.error: known for known in known_errors() if known.retired is None}
    return next(by_name[kind.__name__] for kind in type(fault).__mro__ if kind.__name__ in by_name)
