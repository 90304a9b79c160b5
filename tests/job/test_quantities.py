"""Amounts and durations are read exactly or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.job.quantities import (
    NATIVE,
    Currency,
    format_amount,
    format_duration,
    parse_amount,
    parse_duration,
)

TOKEN = Currency(decimals=6, is_token=True)


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0.5 ether", 5 * 10**17),
        ("2 gwei", 2 * 10**9),
        ("1500 wei", 1500),
        ("1ether", 10**18),
        ("0.000000000000000001 ether", 1),
        ("123456789012345678901234.5 gwei", 1234567890123456789012345 * 10**8),
    ],
)
def test_amounts_with_a_unit_are_read_exactly(text: str, wei: int) -> None:
    assert parse_amount(text) == wei


@pytest.mark.parametrize(
    "text",
    ["1", "", "one ether", "-1 ether", "1e18 wei", "1 eth", "1,5 ether", ".5 ether", "1  ether", "0x10 wei", "١ wei"],
)
def test_other_texts_are_no_amounts(text: str) -> None:
    with pytest.raises(ValueError, match="a number and ether, gwei or wei"):
        parse_amount(text)


@pytest.mark.parametrize("text", ["0.5 wei", "0.0000000001 gwei"])
def test_parts_of_a_wei_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number of wei"):
        parse_amount(text)


def test_tokens_are_counted_without_a_unit() -> None:
    assert parse_amount("12.5", TOKEN) == 12_500_000
    with pytest.raises(ValueError, match="at most 6 digits"):
        parse_amount("0.0000001", TOKEN)
    with pytest.raises(ValueError, match="number of tokens without a unit"):
        parse_amount("1 ether", TOKEN)


@given(st.integers(0, 2**100))
def test_amounts_survive_being_written(units: int) -> None:
    assert parse_amount(format_amount(units)) == units
    assert parse_amount(format_amount(units, TOKEN).removesuffix(" tokens"), TOKEN) == units


def test_amounts_are_written_in_the_shortest_unit() -> None:
    assert [format_amount(units) for units in (10**18, 2 * 10**9, 1500, 0)] == [
        "1 ether",
        "2 gwei",
        "1500 wei",
        "0 wei",
    ]
    assert format_amount(-(5 * 10**17), NATIVE) == "-0.5 ether"


@pytest.mark.parametrize(
    ("text", "seconds"), [("90 s", 90), ("10 min", 600), ("2h", 7200), ("3 d", 259_200), ("1.5 min", 90)]
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["90", "", "0.5 s", "1 week", "-1 s", "1 m", "1 s 2 min"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="a number and s, min, h or d"):
        parse_duration(text)


@given(st.integers(0, 2**33))
def test_durations_survive_being_written(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds
