"""The JSON-RPC methods of the embedded chain."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

from eth_typing import Hash32
from eth_utils.crypto import keccak

from marketplace.chain.devnet.encoding import (
    data,
    invalid,
    parse_address,
    parse_data,
    parse_quantity,
    quantity,
    to_json,
)
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.parameters import find_block, find_header, find_logs, parse_request
from marketplace.chain.devnet.serialise import block_json, log_json, receipt_json, transaction_json

SUGGESTED_TIP = 10**9
MAX_FEE_HISTORY = 1024

Method = Callable[..., Any]


def client_version(_ledger: Ledger) -> str:
    """Name the program behind this endpoint."""
    return f"cairn-devnet/py-evm-{importlib.metadata.version('py-evm')}"


def gas_price(ledger: Ledger) -> str:
    """Return a price that the next block takes."""
    return quantity(ledger.next_base_fee() + SUGGESTED_TIP)


def fee_history(ledger: Ledger, count: object, newest: object = "latest", percentiles: object = None) -> Any:  # noqa: ANN401
    """Return base fees of the last blocks and the next, how full they were, and tips that were paid."""
    wanted = parse_quantity(count, "block count")
    if not 1 <= wanted <= MAX_FEE_HISTORY:
        raise invalid(f"block count must be from 1 to {MAX_FEE_HISTORY}, not {wanted}")
    last = min(find_header(ledger, newest).block_number, ledger.head.block_number)
    first = max(0, last - wanted + 1)
    headers = [find_header(ledger, number) for number in range(first, last + 1)]
    following = ledger.pending_header() if last == ledger.head.block_number else find_header(ledger, last + 1)
    history = {
        "oldest_block": first,
        "base_fee_per_gas": [header.base_fee_per_gas for header in [*headers, following]],
    }
    answer = {**to_json(history), "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers]}
    if isinstance(percentiles, list) and percentiles:
        # Each block holds at most one transaction, and every one is taken: no tip is ever needed.
        answer["reward"] = [[quantity(SUGGESTED_TIP)] * len(percentiles) for _ in headers]
    return answer


def get_block(ledger: Ledger, block: object, full: object = False) -> Any:  # noqa: ANN401
    """Return a block by number or tag."""
    if block == "pending":
        with ledger.lock:
            found = find_block(ledger, "latest")
            pending = found.copy(header=ledger.pending_header(), transactions=()) if found else None
            return pending and block_json(pending, full=False, pending=True)
    found = find_block(ledger, block)
    return found and block_json(found, full=full is True)


def get_block_by_hash(ledger: Ledger, block_hash: object, full: object = False) -> Any:  # noqa: ANN401
    """Return a block by its hash."""
    return get_block(ledger, {"blockHash": block_hash}, full)


def get_transaction(ledger: Ledger, transaction_hash: object) -> Any:  # noqa: ANN401
    """Return a transaction by its hash."""
    place = ledger.locate(Hash32(parse_data(transaction_hash, "transaction hash", 32)))
    return place and transaction_json(*place)


def get_receipt(ledger: Ledger, transaction_hash: object) -> Any:  # noqa: ANN401
    """Return the receipt of a transaction."""
    with ledger.lock:
        place = ledger.locate(Hash32(parse_data(transaction_hash, "transaction hash", 32)))
        if place is None:
            return None
        block, index = place
        return receipt_json(block, ledger.receipts(block), index)


def get_balance(ledger: Ledger, account: object, block: object = "latest") -> str:
    """Return an account's balance in wei."""
    address = parse_address(account, "address")
    with ledger.lock:
        return quantity(ledger.state_at(find_header(ledger, block)).get_balance(address))


def get_nonce(ledger: Ledger, account: object, block: object = "latest") -> str:
    """Return the nonce that an account's next transaction must carry."""
    address = parse_address(account, "address")
    with ledger.lock:
        return quantity(ledger.state_at(find_header(ledger, block)).get_nonce(address))


def get_code(ledger: Ledger, account: object, block: object = "latest") -> str:
    """Return the code at an account."""
    address = parse_address(account, "address")
    with ledger.lock:
        return data(ledger.state_at(find_header(ledger, block)).get_code(address))


def get_storage(ledger: Ledger, account: object, slot: object, block: object = "latest") -> str:
    """Return one word of an account's storage."""
    address = parse_address(account, "address")
    with ledger.lock:
        value = ledger.state_at(find_header(ledger, block)).get_storage(address, parse_quantity(slot, "slot"))
    return data(value.to_bytes(32, "big"))


def call(ledger: Ledger, request: object, block: object = "latest") -> str:
    """Execute a call without keeping its effects."""
    with ledger.lock:
        return data(ledger.call(parse_request(request), find_header(ledger, block)))


def estimate_gas(ledger: Ledger, request: object, block: object = "pending") -> str:
    """Return a gas limit with which a call succeeds, as of the time it is now unless a block is named."""
    with ledger.lock:
        return quantity(ledger.estimate_gas(parse_request(request), find_header(ledger, block)))


def increase_time(ledger: Ledger, seconds: object) -> int:
    """Let time pass; the next block shows it. Returns the seconds that were let pass so far, as anvil does."""
    with ledger.lock:
        return ledger.clock.advance(parse_quantity(seconds, "seconds"))


def mine(ledger: Ledger, *_options: object) -> str:
    """Make an empty block."""
    ledger.mine()
    return quantity(0)


METHODS: dict[str, Method] = {
    "web3_clientVersion": client_version,
    "web3_sha3": lambda _ledger, value: data(keccak(parse_data(value, "data"))),
    "net_version": lambda ledger: str(ledger.chain_id),
    "net_listening": lambda _ledger: True,
    "eth_chainId": lambda ledger: quantity(ledger.chain_id),
    "eth_syncing": lambda _ledger: False,
    "eth_accounts": lambda _ledger: [],  # keys stay with their holders
    "eth_blockNumber": lambda ledger: quantity(ledger.head.block_number),
    "eth_gasPrice": gas_price,
    "eth_maxPriorityFeePerGas": lambda _ledger: quantity(SUGGESTED_TIP),
    "eth_feeHistory": fee_history,
    "eth_getBlockByNumber": get_block,
    "eth_getBlockByHash": get_block_by_hash,
    "eth_getTransactionByHash": get_transaction,
    "eth_getTransactionReceipt": get_receipt,
    "eth_getLogs": lambda ledger, query: [log_json(log) for log in find_logs(ledger, query)],
    "eth_getBalance": get_balance,
    "eth_getTransactionCount": get_nonce,
    "eth_getCode": get_code,
    "eth_getStorageAt": get_storage,
    "eth_call": call,
    "eth_estimateGas": estimate_gas,
    "eth_sendRawTransaction": lambda ledger, raw: data(ledger.submit(parse_data(raw, "transaction"))),
    "evm_increaseTime": increase_time,
    "evm_mine": mine,
}
