"""A contract's logs turned into events, by decoders that are made once from its ABI.

web3 looks the layout of an event up anew for every log, which takes longer than everything else that is done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from eth_abi.decoding import ContextFramesBytesIO
from eth_abi.registry import registry
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from eth_utils.address import to_checksum_address

from marketplace.chain.artifacts import load_artifact

_WORD: Final = 32
_PLAIN: Final = frozenset({"bytes32", "uint256", "bytes"})
# Types whose indexed values stand in their topic; of others only a hash does.
_DYNAMIC: Final = ("bytes", "string")


@dataclass(frozen=True)
class _Layout:
    """How an event's arguments lie in topics and data.

    Attributes
    ----------
    name
        Of the event.
    indexed
        Name of each argument in the topics after the first, and what reads it.
    plain
        Name of each argument in the data, and its conversion.
    data
        Decodes the data.
    kinds, is_plain
        The types in the data, and whether they are all among those that are read without the library.
    """

    name: str
    indexed: tuple[tuple[str, Callable[[bytes], Any]], ...]
    plain: tuple[tuple[str, Callable[[Any], Any]], ...]
    data: Callable[[ContextFramesBytesIO], tuple[Any, ...]]
    kinds: tuple[str, ...]
    is_plain: bool


class EventDecoder:
    """Decodes the logs of a contract.

    Parameters
    ----------
    abi : sequence of dict
        The contract's interface, none of whose events is anonymous or indexes a value of dynamic size.
    """

    def __init__(self, abi: Sequence[Mapping[str, Any]]) -> None:
        self._layouts = {
            bytes(event_abi_to_log_topic(entry)): _layout(entry)  # type: ignore[arg-type]
            for entry in abi
            if entry["type"] == "event"
        }

    def decode(self, topics: Sequence[bytes], data: bytes) -> tuple[str, dict[str, Any]]:
        """Return an event's name, and its arguments by name: addresses with checksum, structs as dictionaries.

        Raises
        ------
        KeyError
            If the contract has no such event.
        ValueError
            If the number of topics is not the event's, or a length is beyond anything.
        DecodingError
            If topics or data are not what the event's arguments are encoded to.
        """
        layout = self._layouts[bytes(topics[0])]
        if len(topics) != 1 + len(layout.indexed):
            raise ValueError(f"{layout.name} has {1 + len(layout.indexed)} topics, the log {len(topics)}")
        arguments = {name: read(topic) for (name, read), topic in zip(layout.indexed, topics[1:], strict=True)}
        values = _plainly(layout.kinds, data) if layout.is_plain else None
        if values is None:
            try:
                values = layout.data(_stream(data))
            except OverflowError as fault:
                raise ValueError(f"{layout.name} names a length that no data has") from fault
        arguments |= {name: convert(value) for (name, convert), value in zip(layout.plain, values, strict=True)}
        return layout.name, arguments


@cache
def decoder_of(contract: str) -> EventDecoder:
    """Return the decoder for a contract that the package carries."""
    return EventDecoder(load_artifact(contract).abi)


def _plainly(kinds: Sequence[str], data: bytes) -> tuple[Any, ...] | None:
    """Decode the types of most events ten times as fast as the library; None for what is not in the canonical form."""
    values: list[Any] = []
    end = _WORD * len(kinds)
    for at, kind in zip(range(0, end, _WORD), kinds, strict=True):
        word = data[at : at + _WORD]
        if kind == "bytes32":
            values.append(word)
        elif kind == "uint256":
            values.append(int.from_bytes(word, "big"))
        else:
            # What is of dynamic size follows after the words, in order: its length, then itself, filled up with zeros.
            start = end + _WORD
            size = int.from_bytes(data[end:start], "big")
            end = start + -(-size // _WORD) * _WORD
            if int.from_bytes(word, "big") != start - _WORD or end > len(data) or any(data[start + size : end]):
                return None
            values.append(data[start : start + size])
    return tuple(values) if len(data) == end else None


def _stream(data: bytes) -> ContextFramesBytesIO:
    return ContextFramesBytesIO(data)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4096)
def _address(value: str) -> str:
    """Give an address its checksum, a hash that is worth keeping: few accounts are in many logs."""
    return to_checksum_address(value)


def _layout(entry: Mapping[str, Any]) -> _Layout:
    indexed = [part for part in entry["inputs"] if part["indexed"]]
    plain = [part for part in entry["inputs"] if not part["indexed"]]
    odd = [part["name"] for part in indexed if part["type"] in _DYNAMIC or part["type"][-1] in ")]"]
    if odd or entry.get("anonymous"):
        raise ValueError(f"the event {entry['name']} is anonymous, or indexes {odd}, of which a log holds only a hash")
    kinds = tuple(map(collapse_if_tuple, plain))
    return _Layout(
        entry["name"],
        tuple((part["name"], _reader(part)) for part in indexed),
        tuple((part["name"], _conversion(part)) for part in plain),
        registry.get_tuple_decoder(*kinds),
        kinds,
        _PLAIN.issuperset(kinds),
    )


def _reader(part: Mapping[str, Any]) -> Callable[[bytes], Any]:
    """Return what reads an argument from its topic."""
    if part["type"] == "uint256":
        return _number
    decode: Callable[[ContextFramesBytesIO], Any] = registry.get_decoder(part["type"])
    convert = _conversion(part)

    @lru_cache(maxsize=4096)
    def read(topic: bytes) -> Any:  # noqa: ANN401 - any ABI value
        return convert(decode(_stream(topic)))

    return read


def _number(topic: bytes) -> int:
    if len(topic) != _WORD:
        raise ValueError(f"a topic has {_WORD} bytes, not {len(topic)}")
    return int.from_bytes(topic, "big")


def _conversion(part: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return what turns a value as eth_abi decodes it into one as this package holds it."""
    match part["type"]:
        case "address":
            return _address
        case "address[]":
            return lambda values: tuple(map(_address, values))
        case "tuple":
            members = [(member["name"], _conversion(member)) for member in part["components"]]
            return lambda values: {name: convert(value) for (name, convert), value in zip(members, values, strict=True)}
    return _unchanged


def _unchanged(value: Any) -> Any:  # noqa: ANN401 - any ABI value
    return value
