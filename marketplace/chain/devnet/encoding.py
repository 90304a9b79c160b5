"""JSON-RPC's hexadecimal values: quantities without leading zeros, data with two digits a byte.

What comes from outside is turned into values here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from eth_typing import Address

INVALID_PARAMS = -32602
HEX_DIGITS = re.compile(r"0x[0-9a-fA-F]{0,66}")


class RpcError(Exception):
    """What a JSON-RPC server answers instead of a result.

    Attributes
    ----------
    code, message, data
        The members of the answer's `error`; `data` is absent if None.
    """

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        self.code = code
        self.message = message
        self.data = data
        super().__init__(message)


def invalid(message: str) -> RpcError:
    """Return the error for a parameter that is not what it should be."""
    return RpcError(INVALID_PARAMS, f"invalid params: {message}")


def quantity(value: int) -> str:
    """Encode a number."""
    return hex(value)


def data(value: bytes | bytearray) -> str:
    """Encode bytes."""
    return "0x" + bytes(value).hex()


def to_json(value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Encode every number and byte string in a nested value, and spell keys as JSON-RPC does."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return quantity(value)
        case bytes() | bytearray():
            return data(value)
        case Mapping():
            return {camel_case(key): to_json(item) for key, item in value.items()}
        case _:
            return [to_json(item) for item in value]


def camel_case(key: str) -> str:
    """Turn ``some_key`` into ``someKey``."""
    first, *others = key.split("_")
    return first + "".join(part.capitalize() for part in others)


def parse_quantity(value: object, what: str) -> int:
    """Read a number; JSON numbers are taken too, since some clients send them."""
    number = -1
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and HEX_DIGITS.fullmatch(value):
        number = int(value, 16) if len(value) > 2 else 0
    if 0 <= number < 2**256:
        return number
    raise invalid(f"{what} must be a hex quantity such as 0x1f, not {value!r}")


def parse_data(value: object, what: str, size: int | None = None) -> bytes:
    """Read bytes, exactly `size` of them if that is given."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise invalid(f"{what} must be hex data starting with 0x, not {value!r}")
    try:
        parsed = bytes.fromhex(value[2:])
    except ValueError:
        raise invalid(f"{what} is not hex data of whole bytes: {value[:80]!r}") from None
    if size is not None and len(parsed) != size:
        raise invalid(f"{what} must have {size} bytes, not {len(parsed)}")
    return parsed


def parse_address(value: object, what: str) -> Address:
    """Read an address; letter case is not looked at."""
    return Address(parse_data(value, what, 20))
