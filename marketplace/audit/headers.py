"""Block headers: hashed again from their fields, so that a block's hash stands for everything in them.

A header's hash is keccak256 of its RLP encoding; forks since London have appended fields, which are taken as far as a
node names them (EIP-1559, 4895, 4844, 4788, 7685).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import rlp  # type: ignore[import-untyped]
from eth_bloom.bloom import BloomFilter
from eth_utils.crypto import keccak
from web3 import Web3

from marketplace.audit.node import Fields, NodeAnswerError, ask

_QUANTITY: Final = None
# Fields of a header in their order, with the size of those that are data.
_FIELDS: Final = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", _QUANTITY),
    ("number", _QUANTITY),
    ("gasLimit", _QUANTITY),
    ("gasUsed", _QUANTITY),
    ("timestamp", _QUANTITY),
)
_SEAL: Final = (("mixHash", 32), ("nonce", 8))
_APPENDED: Final = (
    ("baseFeePerGas", _QUANTITY),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", _QUANTITY),
    ("excessBlobGas", _QUANTITY),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
)


@dataclass(frozen=True)
class Header:
    """A block's header; `hash` was computed from its fields.

    Attributes
    ----------
    number, timestamp
        Of the block; seconds since the Unix epoch.
    hash, parent_hash
        Of the block and of the one before.
    receipts_root
        Root of the trie that holds the receipts of its transactions.
    bloom
        Filter over the addresses and topics of its logs, 256 bytes.
    """

    number: int
    timestamp: int
    hash: bytes
    parent_hash: bytes
    receipts_root: bytes
    bloom: bytes

    def may_hold(self, *items: bytes) -> bool:
        """Whether a log of this block can have all these addresses and topics; never False if one has."""
        found = int.from_bytes(self.bloom, "big")
        return all(found & bits == bits for bits in map(_bits_of, items))


@lru_cache(maxsize=65_536)
def _bits_of(item: bytes) -> int:
    """Return the bits that an item sets in a filter; few items are in many logs, and each costs a hash."""
    bloom = BloomFilter()
    bloom.add(item)
    return int(bloom)


def header_by_number(w3: Web3, number: int) -> Header:
    """Ask a node for the header of a block of its chain.

    Raises
    ------
    NodeAnswerError
        If there is none, or its fields don't hash to the hash that the node names, or it has another number.
    """
    header = parse_header("eth_getBlockByNumber", ask(w3, "eth_getBlockByNumber", hex(number), False))
    if header.number != number:
        raise NodeAnswerError("eth_getBlockByNumber", f"it is of block {header.number}, block {number} was asked for")
    return header


def latest_header(w3: Web3) -> Header:
    """Ask a node for the header of its latest block; raises as `header_by_number`."""
    return parse_header("eth_getBlockByNumber", ask(w3, "eth_getBlockByNumber", "latest", False))


def header_by_hash(w3: Web3, block_hash: bytes) -> Header:
    """Ask a node for the header with a hash; what comes is that header and no other.

    Raises
    ------
    NodeAnswerError
        If there is none, or its fields don't hash to this hash.
    """
    answer = ask(w3, "eth_getBlockByHash", "0x" + block_hash.hex(), False)
    if answer is None:
        raise NodeAnswerError("eth_getBlockByHash", f"it knows no block with the hash 0x{block_hash.hex()}")
    header = parse_header("eth_getBlockByHash", answer)
    if header.hash != block_hash:
        raise NodeAnswerError(
            "eth_getBlockByHash",
            f"the header that it gave hashes to 0x{header.hash.hex()}, not to 0x{block_hash.hex()} that was asked for",
        )
    return header


def ancestors(w3: Web3, head: Header, progress: Callable[[int], None]) -> Iterator[Header]:
    """Yield a block's header and those before it, each bound to the next by its hash, back to the first block.

    Parameters
    ----------
    w3 : Web3
        The node; nothing of what it answers is believed.
    head : Header
        Where to begin.
    progress : callable
        Called with the number of each block before it is fetched.

    Raises
    ------
    NodeAnswerError
        As `header_by_hash`.
    """
    yield head
    while head.number > 0:
        progress(head.number - 1)
        parent = header_by_hash(w3, head.parent_hash)
        if parent.number != head.number - 1:
            raise NodeAnswerError("eth_getBlockByHash", f"block {head.number} names block {parent.number} its parent")
        head = parent
        yield head


def parse_header(question: str, answer: object) -> Header:
    """Convert a node's block to a header whose hash was computed.

    Raises
    ------
    NodeAnswerError
        If it is no block, or its fields don't hash to the hash that the node names.
    """
    fields = Fields(question, answer)
    values = [_value(fields, name, size) for name, size in _FIELDS]
    values.append(fields.data("extraData"))
    values += [_value(fields, name, size) for name, size in _SEAL]
    values += [_value(fields, name, size) for name, size in _APPENDED if fields.has(name)]
    computed = bytes(keccak(rlp.encode(values)))
    if fields.data("hash", 32) != computed:
        raise NodeAnswerError(
            question,
            f"the header's fields hash to 0x{computed.hex()}, and it says 0x{fields.data('hash', 32).hex()}",
        )
    return Header(
        fields.number("number"),
        fields.number("timestamp"),
        computed,
        fields.data("parentHash", 32),
        fields.data("receiptsRoot", 32),
        fields.data("logsBloom", 256),
    )


def _value(fields: Fields, name: str, size: int | None) -> bytes | int:
    return fields.number(name) if size is _QUANTITY else fields.data(name, size)
