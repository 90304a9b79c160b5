"""JSON from outside: nothing that different programs could read differently, and nothing that exhausts the stack."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

MAX_DEPTH = 64
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
BRACKET = re.compile(rb"[\[\]{}]")


def parse_json(content: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Parse UTF-8 JSON.

    Libraries of the embedded chain raise Python's recursion limit so far that a deeply nested text would overrun the
    stack and end the process; so the depth is looked at first.

    Raises
    ------
    ValueError
        If it is not JSON, nests deeper than `MAX_DEPTH`, names a key twice in one object, or holds NaN or infinity.
    """
    depth = 0
    for bracket in BRACKET.finditer(STRING.sub(b"", content)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError(f"it nests deeper than {MAX_DEPTH} levels")
    return json.loads(content.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if key in dict(pairs[:index]))
        raise ValueError(f"it names {twice!r} twice")
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is not JSON")
