"""The encoding of integers in blocks and CAR files."""

from __future__ import annotations

import pytest

from marketplace.storage.varint import varint


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        # The examples of protobuf's and of DWARF's description of the encoding.
        (150, "9601"),
        (624_485, "e58e26"),
        (2**32 - 1, "ffffffff0f"),
    ],
)
def test_known_integers_have_their_known_encoding(value: int, encoded: str) -> None:
    assert varint(value).hex() == encoded


def test_a_negative_integer_has_none() -> None:
    with pytest.raises(ValueError, match="range"):
        varint(-1)
