"""Tables of a job's file as text; `tomllib` reads the same tables back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any, Final

_DELETE: Final = "\x7f"


def toml_text(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return sections of texts, numbers, switches, moments, lists and tables as TOML."""
    sections = [
        "\n".join([f"[{name}]", *(f"{entry} = {_value(value)}" for entry, value in section.items())])
        for name, section in tables.items()
        if section
    ]
    return "\n\n".join(sections) + "\n"


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # JSON's escapes are TOML's too; what JSON leaves as it is, TOML does not want to see.
            return json.dumps(value, ensure_ascii=False).replace(_DELETE, "\\u007f")
        case int() | float():
            return repr(value)
        case date() | time():
            return value.isoformat()
        case Mapping():
            return "{ " + ", ".join(f"{name} = {_value(each)}" for name, each in value.items()) + " }"
        case Sequence():
            return "[" + ", ".join(_value(each) for each in value) + "]"
    raise TypeError(f"a job's file has no {type(value).__name__}")
