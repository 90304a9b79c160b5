"""The kinds of values that answers are made of, each as JSON has it and as the API's description says it."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, Field
from pydantic.types import StringConstraints

from marketplace.storage.cid import parse_binary_cid

_DIGITS: Final = r"^(0|[1-9][0-9]*)$"


def _decimal(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _hexadecimal(value: object) -> object:
    return f"0x{value.hex()}" if isinstance(value, bytes) else value


def _cid(value: object) -> object:
    return str(parse_binary_cid(value)) if isinstance(value, bytes) else value


def _name(value: object) -> object:
    """Return the name of an enumeration's member as the pages write it."""
    return value.name.lower() if hasattr(value, "name") else value


Amount = Annotated[
    str,
    BeforeValidator(_decimal),
    StringConstraints(pattern=_DIGITS),
    Field(description="Smallest units of the job's token, wei for the native coin; decimal digits.", examples=["10"]),
]
Signed = Annotated[
    str,
    BeforeValidator(_decimal),
    StringConstraints(pattern=r"^-?(0|[1-9][0-9]*)$"),
    Field(description="An integer of up to 256 bits; decimal digits.", examples=["-10"]),
]
Account = Annotated[
    str,
    StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$"),
    Field(description="An account, with checksum.", examples=["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]),
]
Hex = Annotated[
    str,
    BeforeValidator(_hexadecimal),
    StringConstraints(pattern=r"^0x([0-9a-f]{2})*$"),
    Field(description="Bytes as hexadecimal digits."),
]
ContentId = Annotated[str, BeforeValidator(_cid), Field(description="A CIDv1 of content, as text.")]
Moment = Annotated[int, Field(description="Seconds since the Unix epoch.")]
Name = Annotated[str, BeforeValidator(_name)]
