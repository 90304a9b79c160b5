"""Logs of the embedded chain by block, so that a query costs what it finds and not the length of the chain."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from eth.abc import BlockAPI, ReceiptAPI
from eth_typing import Address, Hash32


@dataclass(frozen=True)
class Log:
    """One entry that a contract logged, and where."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: Hash32
    transaction_hash: Hash32
    transaction_index: int
    log_index: int


class LogIndex:
    """Every log of a chain, in the order of the chain."""

    def __init__(self) -> None:
        self._logs: list[Log] = []
        self._block_numbers: list[int] = []

    def add(self, block: BlockAPI, receipts: Sequence[ReceiptAPI]) -> None:
        """Take in the logs of the next block, given the receipts of its transactions."""
        for log in block_logs(block, receipts):
            self._logs.append(log)
            self._block_numbers.append(log.block_number)

    def find(
        self,
        first: int,
        last: int,
        addresses: frozenset[Address] | None,
        topics: tuple[frozenset[bytes] | None, ...],
    ) -> list[Log]:
        """Return the logs that match, in order.

        Parameters
        ----------
        first, last : int
            Numbers of the first and the last block to look at.
        addresses : frozenset of Address, optional
            Contracts whose logs are wanted; None for all.
        topics : tuple
            For each position the topics that are wanted there; None for any. A log with fewer topics does not match.
        """
        begin, end = bisect_left(self._block_numbers, first), bisect_right(self._block_numbers, last)
        return [
            log
            for log in self._logs[begin:end]
            if (addresses is None or log.address in addresses) and _topics_match(log.topics, topics)
        ]


def block_logs(block: BlockAPI, receipts: Sequence[ReceiptAPI]) -> list[Log]:
    """Return the logs of one block; `log_index` counts through the block."""
    logs: list[Log] = []
    for transaction_index, (transaction, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        first = len(logs)
        logs.extend(
            Log(
                address=Address(entry.address),
                topics=tuple(topic.to_bytes(32, "big") for topic in entry.topics),
                data=bytes(entry.data),
                block_number=block.number,
                block_hash=block.hash,
                transaction_hash=transaction.hash,
                transaction_index=transaction_index,
                log_index=first + position,
            )
            for position, entry in enumerate(receipt.logs)
        )
    return logs


def _topics_match(found: tuple[bytes, ...], wanted: tuple[frozenset[bytes] | None, ...]) -> bool:
    return len(found) >= len(wanted) and all(
        options is None or topic in options for topic, options in zip(found, wanted, strict=False)
    )
