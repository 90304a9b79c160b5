"""Reading a market's blocks: bound to each other by their hashes, with logs that are proven or, far back, believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from marketplace.audit.headers import Header
from marketplace.audit.logs import Log
from marketplace.index.errors import ChainMovedError, NodesDisagreeError
from marketplace.index.node import Node

# Blocks whose headers are read and bound to each other at a time.
HEADERS_PER_BATCH: Final = 500


class Place(NamedTuple):
    """A block: its number, its hash, and its time in seconds since the Unix epoch."""

    number: int
    hash: bytes
    time: int


def place_of(header: Header) -> Place:
    """Return where a header lies."""
    return Place(header.number, header.hash, header.timestamp)


@dataclass(frozen=True)
class Batch:
    """What a chain says happened in the blocks after one.

    Attributes
    ----------
    after
        The block that they follow.
    headers
        Of blocks that hold events, of those whose hashes must be kept, and of the last one; in order.
    logs
        The market's, in order.
    """

    after: Place
    headers: tuple[Header, ...]
    logs: tuple[Log, ...]

    @property
    def last(self) -> Place:
        """The last block."""
        return place_of(self.headers[-1])


@dataclass(frozen=True)
class Source:
    """Where the index reads the chain.

    Attributes
    ----------
    node
        Who is asked.
    second
        Another node that must say the same; None if there is none.
    depth
        The finality depth: of so many blocks below the last, and of the last, every header is read.
    believes
        Whether logs of blocks below those are believed as the node tells them. If not, every header is read from the
        market's first block on, and no log can be left out or made up without another hash of the last block.
    """

    node: Node
    second: Node | None
    depth: int
    believes: bool

    @property
    def nodes(self) -> list[Node]:
        """Both nodes, or the one."""
        return [self.node] if self.second is None else [self.node, self.second]

    def head(self) -> Header:
        """Return the last block that the nodes have.

        Raises
        ------
        WrongChainError
            If one of them is of another chain.
        NodesDisagreeError
            If they have different blocks there.
        ChainError
            If one does not answer.
        """
        for node in self.nodes:
            node.check_chain()
        head = self.node.head()
        if self.second is None:
            return head
        number = min(head.number, self.second.head().number)
        head = head if head.number == number else self.node.header(number)
        self._compare(head)
        return head

    def read(self, after: Place, head: Header) -> Batch:
        """Read some of the blocks after one, up to at most `head`.

        Raises
        ------
        ChainMovedError
            If what the node answers is not of one chain that goes on from `after`.
        NodesDisagreeError
            If the second node says otherwise.
        ChainError
            If a node does not answer, or nothing that can be an answer.
        """
        if self.believes and after.number + 1 < head.number - self.depth:
            return self._believed(after, head.number - self.depth - 1)
        return self._proven(after, min(head.number, after.number + HEADERS_PER_BATCH))

    def _proven(self, after: Place, last: int) -> Batch:
        headers = self.node.headers(range(after.number + 1, last + 1))
        previous = after.hash
        for header in headers:
            if header.parent_hash != previous:
                raise ChainMovedError(
                    f"block {header.number} follows 0x{header.parent_hash.hex()} and not 0x{previous.hex()}"
                )
            previous = header.hash
        if self.second is not None:
            self._compare(headers[-1])
        logs = [log for header in headers for log in self.node.proven_logs(header)]
        return Batch(after, tuple(headers), tuple(logs))

    def _believed(self, after: Place, last: int) -> Batch:
        logs, last = self.node.told_logs(after.number + 1, last)
        if self.second is not None:
            self._compare_logs(logs, after.number + 1, last)
        numbers = sorted({log.block for log in logs} | {last})
        headers = self.node.headers(numbers)
        _check_logs(logs, headers)
        if self.second is not None:
            self._compare(headers[-1])
        # Asked last, so that what was read in between is of the chain that goes on from there.
        found = self.node.header(after.number)
        if found.hash != after.hash:
            raise ChainMovedError(f"block {after.number} is 0x{found.hash.hex()} now and was 0x{after.hash.hex()}")
        return Batch(after, tuple(headers), tuple(logs))

    def _compare(self, header: Header) -> None:
        """Check that the second node has the same block."""
        if self.second is None:
            return
        other = self.second.header(header.number)
        if other.hash != header.hash:
            raise NodesDisagreeError(
                f"block {header.number} has the hash 0x{header.hash.hex()} at {self.node.name} and "
                f"0x{other.hash.hex()} at {self.second.name}"
            )

    def _compare_logs(self, logs: Sequence[Log], first: int, last: int) -> None:
        if self.second is None:
            return
        others: list[Log] = []
        while first <= last:
            more, end = self.second.told_logs(first, last)
            others += more
            first = end + 1
        if others != logs:
            raise NodesDisagreeError(
                f"of the blocks up to {last}, {self.node.name} tells {len(logs)} logs and {self.second.name} "
                f"{len(others)}, not the same"
            )


def _check_logs(logs: Sequence[Log], headers: Sequence[Header]) -> None:
    """Check that logs are of the blocks that the headers are of."""
    by_number = {header.number: header for header in headers}
    for log in logs:
        header = by_number[log.block]
        if header.hash != log.block_hash:
            raise ChainMovedError(
                f"a log names block {log.block} 0x{log.block_hash.hex()}, its header 0x{header.hash.hex()}"
            )
        if not header.may_hold(log.address, *log.topics):
            raise ChainMovedError(f"the header of block {log.block} holds no such log as the node tells")
