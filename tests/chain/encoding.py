"""Events encoded as the market logs them."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from eth_utils.address import to_checksum_address

from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import MARKET


def event_abi(name: str) -> dict[str, Any]:
    (abi,) = [entry for entry in load_artifact(MARKET).abi if entry.get("name") == name and entry["type"] == "event"]
    return abi


def encode_event(name: str, arguments: dict[str, Any]) -> tuple[list[bytes], bytes]:
    """Topics and data of an event with these arguments."""
    abi = event_abi(name)
    topics, plain = [bytes(event_abi_to_log_topic(abi))], []
    for entry in abi["inputs"]:
        value = arguments[entry["name"]]
        if entry["indexed"]:
            topics.append(encode([entry["type"]], [value]))
        else:
            plain.append((collapse_if_tuple(entry), tuple(value.values()) if entry["type"] == "tuple" else value))
    return topics, encode([kind for kind, _ in plain], [value for _, value in plain])


def sample_arguments(abi: dict[str, Any]) -> dict[str, Any]:
    """Some value of each argument's type."""
    return {entry["name"]: _sample(entry, number) for number, entry in enumerate(abi["inputs"], 1)}


def _sample(entry: dict[str, Any], number: int) -> Any:
    kind = entry["type"]
    if kind.endswith("[]"):
        return tuple(_sample({**entry, "type": kind[:-2]}, number + k) for k in range(3))
    if kind == "tuple":
        return {part["name"]: _sample(part, k) for k, part in enumerate(entry["components"], 1)}
    if kind == "address":
        return to_checksum_address("0x" + f"{number:02x}" * 20)
    if kind == "bool":
        return True
    if kind.startswith("bytes"):
        return bytes([number]) * int(kind[5:] or 36)
    return -number if kind.startswith("int") else number
