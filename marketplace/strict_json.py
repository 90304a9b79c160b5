"""JSON from outside: nothing that programs could read differently, and nothing that exhausts the stack."""

import json
import re
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 64
# A string, closed or not, or one bracket. The possessive repeat keeps the search linear.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def parse_json(data: bytes, max_depth: int = MAX_DEPTH) -> Any:  # noqa: ANN401 - any JSON value
    """Parse UTF-8 JSON.

    Parameters
    ----------
    data
        The text; its length must have been bounded by the caller.
    max_depth
        The most objects and lists that may stand within each other. The depth is counted before parsing, because
        Python's parser recurses, and libraries of the embedded chain raise the recursion limit so far that it ends the
        process instead of failing.

    Raises
    ------
    ValueError
        If the bytes are no JSON, nest deeper, repeat a key within an object, or hold NaN or Infinity.
    """
    depth = 0
    for token in _TOKEN.finditer(data):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token[0], 0)
        if depth > max_depth:
            raise ValueError(f"nested deeper than {max_depth} at byte {token.start()}")
    return json.loads(data.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, refusing repeated keys."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key[:80]!r} occurs twice")
        result[key] = value
    return result


def _refuse_constant(text: str) -> NoReturn:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{text} is no number")
