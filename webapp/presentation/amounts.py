"""Amounts as pages show them: rounded so that columns can be read, with the exact one at hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from marketplace.job.quantities import NATIVE, Currency, format_amount, format_coins

# Significant digits of a rounded amount.
_DIGITS: Final = 6
_THIN_SPACE: Final = "\N{NARROW NO-BREAK SPACE}"
_GWEI: Final = 10**9
_GWEI_DECIMALS: Final = 9
# Below it, coins have so many zeros that nobody counts them; prices of gas are there.
_MICROETHER: Final = 10**12
_EXPONENT: Final = re.compile(r"(?<=\d)e([+-]\d+)\b")
_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class ShownAmount:
    """An amount as it is shown.

    Attributes
    ----------
    number, unit
        Such as "1.5" and "ether".
    exact
        All of it in the smallest unit, with its unit.
    units
        The number of smallest units.
    is_rounded
        Whether the number says less than `exact`.
    """

    number: str
    unit: str
    exact: str
    units: int
    is_rounded: bool

    def __str__(self) -> str:
        """Return number and unit."""
        return f"{self.number} {self.unit}"


# Pages show the same few amounts again and again.
@lru_cache(4_096)
def shown_amount(units: int, currency: Currency | None = NATIVE) -> ShownAmount:
    """Return how an amount is shown.

    Parameters
    ----------
    units
        Smallest units of the currency; may be negative.
    currency
        What they are of; None if it is not known how many of them make a whole token.
    """
    smallest = currency.smallest if currency else "smallest units of the token"
    exact = f"{grouped(str(units))} {smallest}"
    if currency is None:
        return ShownAmount(grouped(str(units)), "units", exact, units, is_rounded=False)
    if not currency.is_token and 0 < abs(units) < _GWEI:
        return ShownAmount(grouped(str(units)), "wei", exact, units, is_rounded=False)
    if not currency.is_token and 0 < abs(units) < _MICROETHER:
        written, is_rounded = _rounded(units, _GWEI_DECIMALS)
        return ShownAmount(written, "gwei", exact, units, is_rounded)
    decimals = currency.decimals
    written, is_rounded = _rounded(units, decimals)
    return ShownAmount(written, "tokens" if currency.is_token else "ether", exact, units, is_rounded)


def words_of_amount(units: int, currency: Currency | None) -> str:
    """Return an amount for a sentence, exactly; in ether unless that would be a row of zeros."""
    if currency is None:
        return str(shown_amount(units, None))
    return format_coins(units, currency) if units >= _MICROETHER else format_amount(units, currency)


def grouped(digits: str) -> str:
    """Return a decimal number with its whole part in groups of three."""
    sign = "\N{MINUS SIGN}" if digits.startswith("-") else ""
    whole, point, fraction = digits.removeprefix("-").partition(".")
    groups = [whole[max(0, end - 3) : end] for end in range(len(whole), 0, -3)]
    return sign + _THIN_SPACE.join(reversed(groups)) + point + fraction


def powers_written(text: str) -> str:
    """Return a text with its numbers such as "3.64e+07" as 3.64 times ten to the seventh."""
    return _EXPONENT.sub(lambda found: f" × 10{str(int(found[1])).translate(_RAISED)}", text)


def _rounded(units: int, decimals: int) -> tuple[str, bool]:
    """Return whole coins with so many significant digits, rounded to the nearest, and whether that changed any."""
    size = abs(units)
    whole, rest = divmod(size, 10**decimals)
    zeros = decimals - len(str(rest))
    kept = max(0, _DIGITS - len(str(whole))) if whole else zeros + _DIGITS
    step = 10 ** max(0, decimals - kept)
    nearest = (size + step // 2) // step * step
    whole, rest = divmod(nearest, 10**decimals)
    shown = f"{rest:0{decimals}d}".rstrip("0") if rest else ""
    text = f"{whole}.{shown}" if shown else str(whole)
    return grouped(f"-{text}" if units < 0 else text), nearest != size
