"""Amounts can be read: in a unit that leaves few zeros, and with the exact one at hand."""

from __future__ import annotations

import pytest

from marketplace.job.quantities import Currency
from webapp.presentation.amounts import powers_written, shown_amount


@pytest.mark.parametrize(
    ("units", "shown"),
    [
        (0, "0 ether"),
        (1, "1 wei"),
        (10**9 - 1, "999\u202f999\u202f999 wei"),
        (1_178_091_234, "1.17809 gwei"),
        (10**12 - 1, "1\u202f000 gwei"),
        (10**12, "0.000001 ether"),
        (6 * 10**17 - 1, "0.6 ether"),
        (123_456_499_999_999_999, "0.123456 ether"),
        (123_456_500_000_000_000, "0.123457 ether"),
        (1_234_567_000_000_000_000_000_000, "1\u202f234\u202f567 ether"),
        (-(10**9), "\u22121 gwei"),
        (3 * 10**18 + 1, "3 ether"),
    ],
)
def test_coins_are_in_the_unit_that_can_be_read(units: int, shown: str) -> None:
    amount = shown_amount(units)
    assert str(amount) == shown
    whole, _, fraction = amount.number.replace("\u202f", "").replace("\u2212", "-").partition(".")
    unit = {"wei": 0, "gwei": 9, "ether": 18}[amount.unit]
    assert amount.is_rounded == (int(whole + fraction) * 10 ** (unit - len(fraction)) != units)
    assert amount.units == units
    assert amount.exact.endswith(" wei")


def test_tokens_have_one_unit() -> None:
    assert str(shown_amount(1, Currency(6, is_token=True))) == "0.000001 tokens"
    assert str(shown_amount(1, None)) == "1 units"


def test_powers_of_ten_are_written_as_people_do() -> None:
    assert powers_written("by 3.64e+07, that of 4e-05") == "by 3.64 × 10⁷, that of 4 × 10⁻⁵"
    assert powers_written("trainer 3 even, cosine 0.999") == "trainer 3 even, cosine 0.999"
