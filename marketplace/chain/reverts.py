"""What a contract returns when it refuses a call, turned into sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address

from marketplace.chain.revert_reasons import ENUMS, MOMENTS, PANICS, REASONS

STANDARD_ERRORS: tuple[dict[str, Any], ...] = (
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)
SHOWN_BYTES = 36
LATEST_MOMENT = 253402300799  # the end of the year 9999, after which Python has no dates


@dataclass(frozen=True)
class DecodedRevert:
    """A contract's error and its values by name; name "" if it gave none or an unknown one."""

    name: str
    arguments: dict[str, object]
    sentence: str


def decode_revert(data: bytes, abi: Iterable[Mapping[str, Any]]) -> DecodedRevert:
    """Decode what a contract returned with a revert.

    Parameters
    ----------
    data : bytes
        What it returned.
    abi : iterable of dict
        ABI entries that hold the errors it can raise; Solidity's own are known without.

    Returns
    -------
    DecodedRevert
        Its sentence says what it can if the error is unknown or does not decode.
    """
    if not data:
        return DecodedRevert("", {}, "it gave no reason; it may have run out of gas, or no such function exists")
    for entry in (*STANDARD_ERRORS, *abi):
        if entry["type"] == "error" and selector(entry) == data[:4]:
            try:
                values = decode([_type(parameter) for parameter in entry["inputs"]], data[4:])
            except (DecodingError, OverflowError, UnicodeDecodeError):
                break
            arguments = dict(zip((parameter["name"] for parameter in entry["inputs"]), values, strict=True))
            return DecodedRevert(entry["name"], arguments, describe(entry, arguments))
    return DecodedRevert("", {}, f"it gave a reason that is not known here: {_bytes_text(data)}")


def selector(entry: Mapping[str, Any]) -> bytes:
    """Return the four bytes with which an error begins."""
    types = ",".join(_type(parameter) for parameter in entry["inputs"])
    return bytes(function_signature_to_4byte_selector(f"{entry['name']}({types})"))


def describe(entry: Mapping[str, Any], arguments: Mapping[str, object]) -> str:
    """Return the sentence for an error of the ABI with these values."""
    if entry["name"] == "Error":
        return str(arguments["message"])
    if entry["name"] == "Panic":
        code = int(str(arguments["code"]))
        return f"it failed by itself on {PANICS.get(code, 'an unknown fault')} (panic 0x{code:02x}); report this"
    shown = {parameter["name"]: value_text(parameter, arguments[parameter["name"]]) for parameter in entry["inputs"]}
    template = REASONS.get(entry["name"])
    if template is None:
        return f"{entry['name']}({', '.join(f'{name}: {text}' for name, text in shown.items())})"
    return template.format(**shown)


def value_text(parameter: Mapping[str, Any], value: Any) -> str:  # noqa: ANN401 - any value of an ABI type
    """Return a value of an error as people read it: names of states, dates, text, addresses with checksum."""
    enum = ENUMS.get(parameter.get("internalType", "").removeprefix("enum "))
    if enum is not None and value < len(enum):
        return enum[int(value)]
    match parameter["type"]:
        case "address":
            return str(to_checksum_address(value))
        case "bytes32":
            text = bytes(value).rstrip(b"\0")
            is_text = text.isascii() and text.decode().isprintable()
            return text.decode() if text and is_text else _bytes_text(bytes(value))
        case "bytes":
            return _bytes_text(value)
        case "bool":
            return "yes" if value else "no"
        case "uint256" if parameter["name"] in MOMENTS and value <= LATEST_MOMENT:
            return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC ({value})"
        case _:
            return str(value)


def _type(parameter: Mapping[str, Any]) -> str:
    if parameter["type"].startswith("tuple"):
        inner = ",".join(_type(component) for component in parameter["components"])
        return f"({inner}){parameter['type'][5:]}"
    return str(parameter["type"])


def _bytes_text(value: bytes) -> str:
    shown = "0x" + value[:SHOWN_BYTES].hex()
    return shown if len(value) <= SHOWN_BYTES else f"{shown}... ({len(value)} bytes)"
