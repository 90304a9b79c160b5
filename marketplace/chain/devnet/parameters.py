"""The structured parameters of JSON-RPC methods: which block, which call, which logs."""

from __future__ import annotations

from eth.abc import BlockAPI, BlockHeaderAPI
from eth_typing import Address, Hash32

from marketplace.chain.devnet.encoding import RpcError, invalid, parse_address, parse_data, parse_quantity
from marketplace.chain.devnet.execution import Request
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.logs import Log
from marketplace.chain.devnet.vm import BLOCK_GAS_LIMIT

NOT_FOUND = -32000
HEAD_TAGS = ("latest", "safe", "finalized")
MAX_TOPICS = 4


def find_block(ledger: Ledger, block: object) -> BlockAPI | None:
    """Return the block with a number, a tag or an EIP-1898 object; None if the chain has no such block.

    The tag `pending` is not a block of the chain; see `find_header`.
    """
    if isinstance(block, dict) and "blockHash" in block:
        return ledger.block_by_hash(Hash32(parse_data(block["blockHash"], "blockHash", 32)))
    if isinstance(block, dict):
        return find_block(ledger, block.get("blockNumber"))
    if block in HEAD_TAGS:
        return ledger.block_by_number(ledger.head.block_number)
    return ledger.block_by_number(0 if block == "earliest" else parse_quantity(block, "block"))


def find_header(ledger: Ledger, block: object) -> BlockHeaderAPI:
    """Return the header under which a question about `block` is answered; for `pending` with the time it is now."""
    if block == "pending":
        return ledger.pending_header()
    if block in HEAD_TAGS:
        return ledger.head
    found = find_block(ledger, block)
    if found is None:
        raise RpcError(NOT_FOUND, f"header not found: block {block!r}, the last one is {ledger.head.block_number}")
    return found.header


def parse_request(call: object) -> Request:
    """Read a call object; fees and nonce in it are ignored, since a call pays nothing."""
    if not isinstance(call, dict):
        raise invalid(f"the call must be an object, not {call!r}")
    target = call.get("to")
    payload = call.get("input", call.get("data"))
    return Request(
        sender=parse_address(call["from"], "from") if call.get("from") else Address(bytes(20)),
        target=parse_address(target, "to") if target else None,
        data=parse_data(payload, "input") if payload else b"",
        value=parse_quantity(call.get("value") or 0, "value"),
        gas=min(parse_quantity(call.get("gas") or BLOCK_GAS_LIMIT, "gas"), BLOCK_GAS_LIMIT),
    )


def find_logs(ledger: Ledger, query: object) -> list[Log]:
    """Return the logs that match a filter object."""
    if not isinstance(query, dict):
        raise invalid(f"the filter must be an object, not {query!r}")
    if query.get("blockHash") is not None:
        block = find_block(ledger, {"blockHash": query["blockHash"]})
        if block is None:
            raise RpcError(NOT_FOUND, f"unknown block {query['blockHash']}")
        first = last = int(block.number)
    else:
        first = _block_number(ledger, query.get("fromBlock") or "latest")
        last = _block_number(ledger, query.get("toBlock") or "latest")
    return ledger.logs(first, last, _parse_addresses(query.get("address")), _parse_topics(query.get("topics")))


def _block_number(ledger: Ledger, block: object) -> int:
    if block in HEAD_TAGS or block == "pending":
        return int(ledger.head.block_number)
    return 0 if block == "earliest" else parse_quantity(block, "block")


def _parse_addresses(value: object) -> frozenset[Address] | None:
    if value is None:
        return None
    return frozenset(parse_address(item, "address") for item in (value if isinstance(value, list) else [value]))


def _parse_topics(value: object) -> tuple[frozenset[bytes] | None, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_TOPICS:
        raise invalid(f"topics must be a list of at most {MAX_TOPICS}, not {value!r}")
    return tuple(_parse_topic(item) for item in value)


def _parse_topic(value: object) -> frozenset[bytes] | None:
    options = value if isinstance(value, list) else [value]
    if None in options or not options:
        return None
    return frozenset(parse_data(option, "topic", 32) for option in options)
