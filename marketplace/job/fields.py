"""The kinds of entries in a job specification: what each accepts, and how it says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, cast

from eth_typing import ChecksumAddress
from eth_utils.address import is_checksum_address, is_hex_address, to_checksum_address
from pydantic import BeforeValidator, ValidationInfo

from marketplace.job.limits import MAX_AMOUNT, MAX_STRIKE_TOLERANCE_BPS, MAX_TIME_TO_START, MAX_WINDOW
from marketplace.job.quantities import NATIVE, Currency, format_amount, format_duration, parse_amount, parse_duration

NOBODY: Final = cast(ChecksumAddress, "0x" + "00" * 20)
MAX_ALLOWLIST_BYTES: Final = 1 << 22


@dataclass(frozen=True)
class Surroundings:
    """What the entries of a specification are read with: its currency, and where the files it names lie."""

    currency: Currency
    directory: Path


def surroundings(info: ValidationInfo) -> Surroundings:
    """Return what pydantic's context holds, or the native coin and the current directory."""
    return info.context if isinstance(info.context, Surroundings) else Surroundings(NATIVE, Path())


def whole(low: int, high: int) -> BeforeValidator:
    """Accept integers from `low` to `high`."""

    def check(value: object) -> object:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"it must be an integer from {low} to {high}")
        return value

    return BeforeValidator(check)


def text(longest: int) -> BeforeValidator:
    """Accept texts of 1 to `longest` characters."""

    def check(value: object) -> object:
        if not isinstance(value, str) or not 1 <= len(value.strip()) <= longest:
            raise ValueError(f"it must be a text of 1 to {longest} characters")
        return value.strip()

    return BeforeValidator(check)


def one_of(names: Sequence[str]) -> BeforeValidator:
    """Accept one of some names."""

    def check(value: object) -> object:
        if value not in names:
            raise ValueError(f"it must be one of {', '.join(names)}")
        return value

    return BeforeValidator(check)


def _switch(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("it must be true or false")
    return value


def _table(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("it must be a table such as { hidden = [32] }")
    return value


def _amount(value: object, info: ValidationInfo) -> int:
    currency = surroundings(info).currency
    if isinstance(value, str):
        value = parse_amount(value, currency)
    if not isinstance(value, int) or isinstance(value, bool):
        example = '"12.5"' if currency.is_token else '"0.5 ether"'
        raise ValueError(f"it must be a text such as {example}, or an integer in {currency.smallest}")
    if not 0 <= value <= MAX_AMOUNT:
        raise ValueError(f"it must be from 0 to {format_amount(MAX_AMOUNT, currency)}")
    return value


def _seconds(value: object, longest: int) -> int:
    if isinstance(value, str):
        value = parse_duration(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError('it must be a text such as "90 s", "10 min", "2 h" or "3 d"')
    if not 1 <= value <= longest:
        raise ValueError(f"it must be from 1 s to {format_duration(longest)}")
    return value


def _window(value: object) -> int:
    return _seconds(value, MAX_WINDOW)


def _deadline(value: object) -> int | datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("it must say its time zone, such as 2026-03-01T12:00:00Z")
        return value
    return _seconds(value, MAX_TIME_TO_START)


def _percentage(value: object) -> float:
    most = MAX_STRIKE_TOLERANCE_BPS / 100
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(f"it must be a number from 0 to {most}, in per cent")
    if round(100 * value) != round(100 * value, 6):
        raise ValueError("it must have at most two digits after the point")
    return value


def parse_address(value: object) -> ChecksumAddress:
    """Turn text into an account's address.

    Raises
    ------
    ValueError
        If it is none, is mixed case with a wrong checksum, or is the zero address.
    """
    if not isinstance(value, str) or not is_hex_address(value) or not value.startswith("0x"):
        raise ValueError("it must be an address: 0x and 40 hex digits")
    if value[2:] not in (value[2:].lower(), value[2:].upper()) and not is_checksum_address(value):
        raise ValueError(f"its checksum is wrong (it would be {to_checksum_address(value)}); copy it again")
    if to_checksum_address(value) == NOBODY:
        raise ValueError("it must not be the zero address")
    return to_checksum_address(value)


def _referee(value: object) -> str:
    if value in ("owner", "none"):
        return str(value)
    try:
        return parse_address(value)
    except ValueError as fault:
        raise ValueError(f'{fault}, or "owner", or "none"') from fault


def _allowlist(value: object, info: ValidationInfo) -> tuple[ChecksumAddress, ...]:
    if isinstance(value, str):
        return read_allowlist(surroundings(info).directory / value)
    if not isinstance(value, list | tuple):
        raise ValueError("it must be the name of a file with an address a line, or a list of addresses")
    return _accounts([(f"entry {number}", entry) for number, entry in enumerate(value, 1)])


def read_allowlist(path: Path) -> tuple[ChecksumAddress, ...]:
    """Read the addresses in a file, one a line; what follows # is a comment.

    Raises
    ------
    ValueError
        If it can't be read, or a line is no address or is a repetition.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_ALLOWLIST_BYTES + 1)
        lines = content.decode("utf-8").splitlines()
    except OSError as fault:
        raise ValueError(f"{path} can't be read ({fault.strerror}); name a file with an address a line") from fault
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text; name a file with an address a line") from None
    if len(content) > MAX_ALLOWLIST_BYTES:
        raise ValueError(f"{path} has more than {MAX_ALLOWLIST_BYTES} bytes; name a shorter list")
    entries = [(f"{path.name} line {number}", line.split("#")[0].strip()) for number, line in enumerate(lines, 1)]
    return _accounts([(where, entry) for where, entry in entries if entry])


def _accounts(entries: list[tuple[str, Any]]) -> tuple[ChecksumAddress, ...]:
    accounts: dict[ChecksumAddress, str] = {}
    for where, entry in entries:
        try:
            account = parse_address(entry)
        except ValueError as fault:
            raise ValueError(f"{where} is {entry!r}; {fault}") from fault
        if account in accounts:
            raise ValueError(f"{where} repeats {account} of {accounts[account]}; name each account once")
        accounts[account] = where
    return tuple(accounts)


Amount = Annotated[int, BeforeValidator(_amount)]
Window = Annotated[int, BeforeValidator(_window)]
Deadline = Annotated[int | datetime, BeforeValidator(_deadline)]
Percentage = Annotated[float, BeforeValidator(_percentage)]
Address = Annotated[ChecksumAddress, BeforeValidator(parse_address)]
Referee = Annotated[str, BeforeValidator(_referee)]
Allowlist = Annotated[tuple[ChecksumAddress, ...], BeforeValidator(_allowlist)]
Parameters = Annotated[dict[str, Any], BeforeValidator(_table)]
Switch = Annotated[bool, BeforeValidator(_switch)]
