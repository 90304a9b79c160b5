"""Blocks, transactions, receipts and logs as JSON-RPC spells them."""

from __future__ import annotations

from typing import Any

from eth.abc import BlockAPI, ReceiptAPI
from eth_tester.backends.pyevm.serializers import (
    serialize_block,
    serialize_transaction,
    serialize_transaction_receipt,
)

from marketplace.chain.devnet.encoding import data, quantity, to_json
from marketplace.chain.devnet.logs import Log, block_logs

BLOOM_SIZE = 256


def block_json(block: BlockAPI, *, full: bool, pending: bool = False) -> dict[str, Any]:
    """Return a block, with its transactions in full or their hashes."""
    fields = serialize_block(block, False, pending)
    fields["miner"] = fields.pop("coinbase")
    fields["logs_bloom"] = block.header.bloom.to_bytes(BLOOM_SIZE, "big")
    fields["extra_data"] = block.header.extra_data
    encoded: dict[str, Any] = to_json(fields)
    if full:
        encoded["transactions"] = [transaction_json(block, index) for index in range(len(block.transactions))]
    if pending:
        encoded |= {"hash": None, "nonce": None}
    return encoded


def transaction_json(block: BlockAPI, index: int) -> dict[str, Any]:
    """Return one of a block's transactions."""
    fields = serialize_transaction(block, block.transactions[index], index, False)
    fields["input"] = fields.pop("data")
    fields["to"] = fields["to"] or None
    encoded: dict[str, Any] = to_json({key: value for key, value in fields.items() if key != "access_list"})
    if "access_list" in fields:
        encoded["accessList"] = [
            {"address": data(address), "storageKeys": [data(key.to_bytes(32, "big")) for key in keys]}
            for address, keys in fields["access_list"]
        ]
    return encoded


def receipt_json(block: BlockAPI, receipts: tuple[ReceiptAPI, ...], index: int) -> dict[str, Any]:
    """Return the receipt of one of a block's transactions."""
    fields = serialize_transaction_receipt(block, receipts, block.transactions[index], index, False, None)
    fields["to"] = fields["to"] or None
    # Since Byzantium a receipt carries the status in this place of the encoding, not a state root.
    del fields["state_root"]
    fields["logs"] = []
    fields["logs_bloom"] = receipts[index].bloom.to_bytes(BLOOM_SIZE, "big")
    encoded: dict[str, Any] = to_json(fields)
    encoded["logs"] = [log_json(log) for log in block_logs(block, receipts) if log.transaction_index == index]
    return encoded


def log_json(log: Log) -> dict[str, Any]:
    """Return one log."""
    return {
        "address": data(log.address),
        "topics": [data(topic) for topic in log.topics],
        "data": data(log.data),
        "blockNumber": quantity(log.block_number),
        "blockHash": data(log.block_hash),
        "transactionHash": data(log.transaction_hash),
        "transactionIndex": quantity(log.transaction_index),
        "logIndex": quantity(log.log_index),
        "removed": False,
    }
