"""How values that databases have no type for are stored, so that both databases sort and compare them alike.

Amounts have up to 256 bits, more than an integer column holds. They are stored as decimal text of a fixed width, whose
order as text is their order as numbers, whatever the collation, since it consists of digits alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Dialect, String, cast, func, type_coerce
from sqlalchemy.types import TypeDecorator

# 2^256 - 1 has 78 digits.
DIGITS: Final = 78
AMOUNT_LIMIT: Final = 2**256
# Added to signed integers, so that none of those in 256 bits is negative.
_OFFSET: Final = 2**255


def amount_text(amount: int) -> str:
    """Return how an amount is stored: 78 decimal digits.

    Raises
    ------
    OverflowError
        If it is negative or does not fit 256 bits.
    """
    if not 0 <= amount < AMOUNT_LIMIT:
        raise OverflowError(f"{amount} is not an amount of 256 bits")
    return f"{amount:0{DIGITS}d}"


def signed_text(value: int) -> str:
    """Return how a signed integer is stored: as the amount `value + 2^255`; raises as `amount_text`."""
    return amount_text(value + _OFFSET)


class Amount(TypeDecorator[int]):
    """A non-negative integer of up to 256 bits, such as an amount in wei."""

    impl = String(DIGITS)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002
        """Store a value."""
        return None if value is None else amount_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ANN401, ARG002
        """Read a value."""
        return None if value is None else int(value)


class Signed(TypeDecorator[int]):
    """An integer from -2^255 to 2^255 - 1, such as a contribution."""

    impl = String(DIGITS)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002
        """Store a value."""
        return None if value is None else signed_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ANN401, ARG002
        """Read a value."""
        return None if value is None else int(value) - _OFFSET


# Digits of an amount that are summed at a time: so few that the sum of 900,000 amounts fits 64 bits.
_SUMMED: Final = 13


def sums_of(column: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Return sums that a query can have of an amount's digits, from the first to the last; see `total_of`.

    Databases have no integers of 256 bits to add up, so that each group of digits is summed by itself.
    """
    text = type_coerce(column, String)
    parts = [func.substr(text, first, _SUMMED) for first in range(1, DIGITS + 1, _SUMMED)]
    return [func.coalesce(func.sum(cast(part, BigInteger)), 0) for part in parts]


def total_of(sums: Sequence[Any]) -> int:
    """Return the sum of amounts from what the database made of `sums_of`."""
    total = 0
    for part in sums:
        total = total * 10**_SUMMED + int(part)
    return total
