"""Strangers' words: owners write titles and descriptions, and nobody vouches for them.

Jinja escapes what it puts into a page. Here is what escaping leaves: characters that turn the direction of what
follows, that are not seen, that pile up over their neighbours, and texts without end.
"""

from __future__ import annotations

import unicodedata
from typing import Final

TITLE_LENGTH: Final = 120
TEXT_LENGTH: Final = 4_000
# Marks over or under one letter; no script needs more.
_MOST_MARKS: Final = 3
# Joiners, which scripts of South Asia and the Middle East need to be legible.
_NEEDED: Final = frozenset("\u200c\u200d")
_HIDDEN_KINDS: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_INVISIBLE: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f")

_ASCII: Final = dict.fromkeys((*range(32), 127), "\N{REPLACEMENT CHARACTER}") | {ord(c): " " for c in "\n\t\r"}


def harmless_line(text: str, limit: int = TITLE_LENGTH) -> str:
    """Return a text as one line of at most `limit` characters, without characters that hide or turn others."""
    return _shortened(" ".join(_harmless(text).split()), limit)


def harmless_paragraphs(text: str, limit: int = TEXT_LENGTH) -> list[str]:
    """Return a text's paragraphs, of at most `limit` characters in all, as `harmless_line`."""
    shortened = _shortened(_harmless(text.replace("\r\n", "\n"), keep="\n").strip(), limit)
    return [" ".join(part.split()) for part in shortened.split("\n\n") if part.strip()]


def _harmless(text: str, keep: str = "") -> str:
    if text.isascii():
        # What most texts are; of these characters only controls hide or turn anything.
        return text.translate({code: instead for code, instead in _ASCII.items() if chr(code) not in keep})
    shown: list[str] = []
    marks = 0
    for character in text:
        if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
            marks += 1
            if marks > _MOST_MARKS:
                continue
        else:
            marks = 0
        if character in keep or character in _NEEDED:
            shown.append(character)
        elif character in "\n\t\r":
            shown.append(" ")
        elif character in _INVISIBLE or unicodedata.category(character) in _HIDDEN_KINDS:
            shown.append("\N{REPLACEMENT CHARACTER}")
        else:
            shown.append(character)
    return "".join(shown)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
