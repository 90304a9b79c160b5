"""Keeping a market's index at the chain's last block: the one process that writes to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine

from marketplace.audit.headers import Header
from marketplace.audit.node import NodeAnswerError
from marketplace.chain.deployment import Deployment
from marketplace.index.database import reading
from marketplace.index.errors import (
    ChainMovedError,
    ConcurrentWriterError,
    DeepReorganisationError,
    LaggingNodeError,
    RestlessChainError,
)
from marketplace.index.node import Patience
from marketplace.index.source import Place, Source
from marketplace.index.state import JobState
from marketplace.index.store import (
    Pointer,
    add_market,
    find_pointer,
    forget_market,
    known_block,
    known_blocks,
    project,
    refresh_statistics,
    set_alarm,
    take_in,
    take_out,
)

# Jobs whose state stays in memory between batches.
_KEPT_STATES: Final = 512
# After so many events at once the database's statistics are of another market.
_MANY_EVENTS: Final = 10_000

Progress = Callable[[str], None]


@dataclass
class Step:
    """What bringing the index up to the chain's last block took.

    Attributes
    ----------
    pointer
        Where it is now.
    head
        Number of the nodes' last block.
    blocks, events
        How many were taken in.
    taken_out
        Blocks that a reorganisation took out.
    """

    pointer: Pointer
    head: int
    blocks: int = 0
    events: int = 0
    taken_out: int = 0


@dataclass
class Indexer:
    """Brings a market's index up to the chain.

    Attributes
    ----------
    engine
        The database, its schema up to date.
    source
        Where the chain is read.
    deployment
        The market.
    patience
        How often the chain may change while it is read.
    progress
        Told in words what happens.
    """

    engine: Engine
    source: Source
    deployment: Deployment
    patience: Patience = field(default_factory=Patience)
    progress: Progress = field(default=lambda _: None)
    _states: dict[int, JobState] = field(default_factory=dict)

    def step(self, until: int | None = None) -> Step:
        """Bring the index up to the chain's last block, or to the block `until` if that comes earlier.

        Raises
        ------
        DeepReorganisationError
            If final blocks are no longer in the chain; the database keeps that as an alarm.
        NodesDisagreeError, LaggingNodeError, RestlessChainError, ContradictionError
            If the nodes can't be followed; the index stands complete at some block.
        ChainError
            If a node does not answer.
        DatabaseError
            If the database fails.
        """
        step: Step | None = None
        for attempt in range(self.patience.tries):
            try:
                head = self._head(until)
                step = step or Step(self._pointer(head), head.number)
                step.head = head.number
                self._go_back(step, head)
                self._go_on(step, head)
                if step.events >= _MANY_EVENTS:
                    refresh_statistics(self.engine)
                return step
            except (ChainMovedError, NodeAnswerError, ConcurrentWriterError) as fault:
                # What is in memory may belong to a batch that was not written.
                self._states.clear()
                step = None if isinstance(fault, ConcurrentWriterError) else step
                if attempt + 1 == self.patience.tries:
                    if isinstance(fault, ConcurrentWriterError):
                        raise
                    raise RestlessChainError(self.patience.tries, fault.fault) from fault
                self.progress(f"asking again: {fault}")
                self.patience.wait(attempt)
            except BaseException:
                self._states.clear()
                raise
        raise AssertionError("the last try returns or raises")

    def rebuild(self) -> Step:
        """Forget the market, and read everything again."""
        with reading(self.engine) as connection:
            found = find_pointer(connection, self.deployment.chain_id, self.deployment.market)
        self._states.clear()
        if found is not None:
            forget_market(self.engine, found)
        return self.step()

    def _head(self, until: int | None) -> Header:
        head = self.source.head()
        return head if until is None or head.number <= until else self.source.node.header(until)

    def _pointer(self, head: Header) -> Pointer:
        """Return where the index is; begin it if there is none."""
        with reading(self.engine) as connection:
            found = find_pointer(connection, self.deployment.chain_id, self.deployment.market)
        if found is not None:
            return found
        first = self.deployment.block
        if head.number < first:
            raise LaggingNodeError(head.number, first)
        return add_market(
            self.engine,
            self.deployment.chain_id,
            self.deployment.market,
            self.source.node.header(max(0, first - 1)),
        )

    def _go_back(self, step: Step, head: Header) -> None:
        """Take out the blocks that are no longer in the chain."""
        pointer = step.pointer
        if head.number < pointer.place.number:
            known = known_block(self.engine, pointer.market_id, head.number)
            if known is None and head.number >= pointer.final_block:
                raise ChainMovedError(f"block {head.number} is not known to the index")
            if known is None:
                raise LaggingNodeError(head.number, pointer.place.number)
            if known.hash == head.hash:
                return  # the node lags behind, on the same chain
        elif self.source.node.header(pointer.place.number).hash == pointer.place.hash:
            set_alarm(self.engine, pointer, None)
            return
        fork = self._fork(pointer, head)
        self.progress(f"the chain was reorganised after block {fork.number}: taking out up to {pointer.place.number}")
        self._states.clear()
        step.pointer = take_out(self.engine, pointer, fork)
        step.taken_out += pointer.place.number - fork.number
        set_alarm(self.engine, pointer, None)

    def _fork(self, pointer: Pointer, head: Header) -> Place:
        """Return the last block that is both in the index and in the chain.

        Raises
        ------
        DeepReorganisationError
            If it lies below those that were taken as final.
        """
        for number, block_hash in known_blocks(self.engine, pointer.market_id, pointer.final_block):
            if number <= head.number and self.source.node.header(number).hash == block_hash:
                place = known_block(self.engine, pointer.market_id, number)
                if place is not None:
                    return place
        fault = DeepReorganisationError(pointer.place.number, None, self.source.depth)
        set_alarm(self.engine, pointer, str(fault))
        raise fault

    def _go_on(self, step: Step, head: Header) -> None:
        """Take in the blocks up to the last."""
        while step.pointer.place.number < head.number:
            batch = self.source.read(step.pointer.place, head)
            projector = project(self.engine, step.pointer, batch, self._states)
            step.pointer = take_in(self.engine, step.pointer, batch, projector, self.source.depth)
            step.blocks += batch.last.number - batch.after.number
            step.events += len(batch.logs)
            self.progress(f"block {batch.last.number} of {head.number}, {step.events} events")
            if len(self._states) > _KEPT_STATES:
                self._states.clear()
