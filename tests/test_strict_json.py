import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.strict_json import parse_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def depth_of(value) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if members is None else 1 + max(map(depth_of, members), default=0)


@given(values, st.booleans())
def test_every_value_is_read_at_its_depth_and_refused_below(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    depth = depth_of(value)
    try:
        assert parse_json(text, depth) == value
    except UnicodeDecodeError:
        assert not ascii_only
    if depth:
        with pytest.raises(ValueError, match=r"nested deeper|surrogates|codec"):
            parse_json(text, depth - 1)


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b'[{"a":', b'["\\"", '])
def test_nesting_that_would_exhaust_the_stack_is_refused_even_with_a_raised_recursion_limit(unit):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        with pytest.raises(ValueError, match="nested deeper than 3 at byte"):
            parse_json(unit * 200_000, 3)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize("text", [b'"[[[[["', b'{"[[[{": "\\"[[[["}', b'["\\\\", "]", "["]'])
def test_brackets_within_strings_do_not_count(text):
    assert parse_json(text, 1) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"9" * 10_000,
        b"1 2",
        b'"' + b'\\"' * 200_000,
        b"]" * 1000,
    ],
    ids=lambda t: t[:12].decode("latin-1"),
)
def test_what_is_no_strict_json_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_json(text, 3)
