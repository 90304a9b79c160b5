"""The receipts of a block, proven by the root in its header, and the logs in them.

A receipt is `rlp(status, cumulative gas, bloom, logs)`, with the transaction's type before it if that is not 0
(EIP-2718); the root is that of the Merkle-Patricia trie from `rlp(index)` to the receipts.
"""

from __future__ import annotations

from typing import Any

import rlp  # type: ignore[import-untyped]
from trie.hexary import HexaryTrie
from web3 import Web3

from marketplace.audit.headers import Header
from marketplace.audit.logs import Log
from marketplace.audit.node import Fields, NodeAnswerError, ask

QUESTION = "eth_getBlockReceipts"


def proven_logs(w3: Web3, header: Header) -> list[Log]:
    """Return every log of a block, in order.

    Parameters
    ----------
    w3 : Web3
        The node; nothing of what it answers is believed.
    header : Header
        The block's.

    Raises
    ------
    NodeAnswerError
        If the receipts that it gives do not have the root that the header names.
    """
    receipts = [Fields(QUESTION, receipt) for receipt in _fetch(w3, header)]
    found = receipts_root([_encode(receipt) for receipt in receipts])
    if found != header.receipts_root:
        raise NodeAnswerError(
            QUESTION,
            f"the {len(receipts)} receipts of block {header.number} have the root 0x{found.hex()}, its header says "
            f"0x{header.receipts_root.hex()}: receipts were changed, added or left out",
        )
    logs: list[Log] = []
    for receipt in receipts:
        transaction = receipt.data("transactionHash", 32)
        for entry in receipt.entries("logs"):
            address, topics, data = _log(Fields(QUESTION, entry))
            logs.append(Log(address, topics, data, header.number, header.hash, len(logs), transaction))
    return logs


def receipts_root(encoded: list[bytes]) -> bytes:
    """Return the root of the trie that holds encoded receipts in this order."""
    trie = HexaryTrie({})
    for index, receipt in enumerate(encoded):
        trie[rlp.encode(index)] = receipt
    return bytes(trie.root_hash)


def _fetch(w3: Web3, header: Header) -> list[Any]:
    """Ask for all receipts of a block at once, or one by one where a node does not know that question."""
    try:
        receipts = ask(w3, QUESTION, "0x" + header.hash.hex())
    except NodeAnswerError:
        receipts = None
    if isinstance(receipts, list):
        return receipts
    block = Fields("eth_getBlockByHash", ask(w3, "eth_getBlockByHash", "0x" + header.hash.hex(), False))
    return [ask(w3, "eth_getTransactionReceipt", transaction) for transaction in block.entries("transactions")]


def _encode(receipt: Fields) -> bytes:
    """Encode a receipt as the trie holds it."""
    kind = receipt.number("type") if receipt.has("type") else 0
    logs = [_log(Fields(QUESTION, entry)) for entry in receipt.entries("logs")]
    body = [
        receipt.number("status"),
        receipt.number("cumulativeGasUsed"),
        receipt.data("logsBloom", 256),
        [[address, list(topics), data] for address, topics, data in logs],
    ]
    return (bytes([kind]) if kind else b"") + bytes(rlp.encode(body))


def _log(entry: Fields) -> tuple[bytes, tuple[bytes, ...], bytes]:
    """Return address, topics and data of a log."""
    topics = tuple(Fields(QUESTION, {"topic": topic}).data("topic", 32) for topic in entry.entries("topics"))
    return entry.data("address", 20), topics, entry.data("data")
