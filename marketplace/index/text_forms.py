"""Forms of owners' words: as databases can hold them, and as they are searched."""

from __future__ import annotations

import unicodedata


def search_form(text: str) -> str:
    """Return text as it is searched in and for: compatible forms of characters made one, without case."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def storable(text: str) -> str:
    """Return text without the NUL characters and lone surrogates that PostgreSQL can't store."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
