"""Amounts of money, lengths of time and shares as people write them, and as the contracts count them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

MAX_DECIMALS: Final = 36

_NUMBER: Final = r"(?P<number>[0-9]+(?:\.[0-9]+)?)"
_AMOUNT: Final = re.compile(_NUMBER + r"(?: ?(?P<unit>[A-Za-z]+))?")
_DURATION: Final = re.compile(_NUMBER + r" ?(?P<unit>s|min|h|d)")
_COIN_UNITS: Final = {"wei": 0, "gwei": 9, "ether": 18}
_SECONDS: Final = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True)
class Currency:
    """What amounts are in.

    Attributes
    ----------
    decimals
        A whole coin or token has 10^decimals smallest units.
    is_token
        Whether it is an ERC-20 rather than the chain's native coin.
    """

    decimals: int
    is_token: bool

    @property
    def smallest(self) -> str:
        """What the smallest unit is called."""
        return "smallest units of the token" if self.is_token else "wei"


NATIVE: Final = Currency(decimals=18, is_token=False)


def parse_amount(text: str, currency: Currency = NATIVE) -> int:
    """Turn "0.5 ether", "2 gwei" or "1500 wei" of the native coin, or "12.5" of a token, into smallest units.

    Raises
    ------
    ValueError
        With what an amount must look like, if it is none, or is no whole number of smallest units.
    """
    match = _AMOUNT.fullmatch(text.strip())
    unit = match["unit"] if match else None
    if currency.is_token:
        known, wanted = unit is None, 'the number of tokens without a unit, such as "12.5"'
    else:
        known, wanted = unit in _COIN_UNITS, 'a number and ether, gwei or wei, such as "0.5 ether"'
    if match is None or not known:
        raise ValueError(f"it must be {wanted}, or an integer in {currency.smallest}")
    decimals = currency.decimals if unit is None else _COIN_UNITS[unit]
    units = Fraction(match["number"]) * 10**decimals
    if units.denominator != 1:
        raise ValueError(f"it must be a whole number of {currency.smallest}: at most {decimals} digits after the point")
    return int(units)


def format_amount(units: int, currency: Currency = NATIVE) -> str:
    """Write an amount as `parse_amount` reads it: in ether, gwei or wei, whichever is shortest, or in tokens."""
    if currency.is_token:
        return f"{_decimal(units, currency.decimals)} tokens"
    written = [f"{_decimal(units, decimals)} {unit}" for unit, decimals in reversed(_COIN_UNITS.items())]
    return min(written, key=len)


def format_coins(units: int, currency: Currency = NATIVE) -> str:
    """Write an amount exactly, in whole coins or tokens: "5.25 ether"."""
    return f"{_decimal(units, currency.decimals)} {'tokens' if currency.is_token else 'ether'}"


def parse_duration(text: str) -> int:
    """Turn "90 s", "10 min", "2 h" or "3 d" into seconds.

    Raises
    ------
    ValueError
        With what it must look like, if it is none, or no whole number of seconds.
    """
    match = _DURATION.fullmatch(text.strip())
    seconds = Fraction(match["number"]) * _SECONDS[match["unit"]] if match else Fraction(1, 2)
    if seconds.denominator != 1:
        raise ValueError('it must be a number and s, min, h or d, such as "90 s" or "2 h", in whole seconds')
    return int(seconds)


def format_duration(seconds: int) -> str:
    """Write a length of time exactly, in the largest unit that keeps it whole: "90 s", "2 h"."""
    unit = max((unit for unit, length in _SECONDS.items() if seconds % length == 0), key=lambda unit: _SECONDS[unit])
    return f"{seconds // _SECONDS[unit]} {unit}" if seconds else "0 s"


def _decimal(units: int, decimals: int) -> str:
    whole, rest = divmod(abs(units), 10**decimals)
    fraction = f".{rest:0{decimals}d}".rstrip("0") if rest else ""
    return f"{'-' if units < 0 else ''}{whole}{fraction}"
