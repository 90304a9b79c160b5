"""What every answer carries: the block after which it holds, how final it is, and where its next page begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, literal, tuple_

from marketplace.index.columns import DIGITS
from marketplace.index.database import reading
from marketplace.index.errors import MarketIndexError, UnknownMarketError
from marketplace.index.store import find_pointer

LARGEST_PAGE: Final = 200
# What columns hold is below these: numbers of blocks and jobs, places within a block and rounds.
NUMBER_LIMIT: Final = 2**63
PLACE_LIMIT: Final = 2**31
T = TypeVar("T")


class QueryError(MarketIndexError):
    """Thrown when a question to the index is not one, for example with a page mark that no answer gave."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(f"The index can't answer that: {fault}; start again from the first page.")


@dataclass(frozen=True)
class Standing:
    """When an answer holds.

    Attributes
    ----------
    block, block_hash, block_time
        It is what the market's events up to this block say.
    final_block
        What happened up to this block can't be undone by a reorganisation that the index follows.
    alarm
        Why the index can't go on; None if it can.
    """

    block: int
    block_hash: bytes
    block_time: int
    final_block: int
    alarm: str | None

    def is_final(self, block: int) -> bool:
        """Whether what a block brought is final."""
        return block <= self.final_block


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A value and when it holds."""

    value: T
    standing: Standing


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list.

    Attributes
    ----------
    items
        In the list's order.
    next
        What to ask the next page with; None if there is none. It names the last item, so that nothing is shown twice
        or left out when items come in before it.
    """

    items: tuple[T, ...]
    next: str | None


@dataclass(frozen=True)
class Reader:
    """Asks the index of one market.

    Attributes
    ----------
    engine
        The database, whose schema was checked.
    chain_id, market
        Of the market.
    """

    engine: Engine
    chain_id: int
    market: str

    @contextmanager
    def asking(self) -> Iterator[tuple[Connection, int, Standing]]:
        """Yield a connection that sees one state of the index, the market's key, and when that state holds.

        Raises
        ------
        UnknownMarketError
            If the index holds nothing of the market.
        DatabaseError
            If the database fails.
        """
        with reading(self.engine) as connection:
            pointer = find_pointer(connection, self.chain_id, self.market)
            if pointer is None:
                raise UnknownMarketError(self.chain_id, self.market)
            standing = Standing(*pointer.place, pointer.final_block, pointer.alarm)
            yield connection, pointer.market_id, standing

    @contextmanager
    def at_once(self) -> Iterator[Reader]:
        """Yield a reader all of whose answers are of one state of the index; raises as `asking`."""
        with self.asking() as held:
            yield _HeldReader(self.engine, self.chain_id, self.market, held)


@dataclass(frozen=True)
class _HeldReader(Reader):
    """Asks within one transaction."""

    held: tuple[Connection, int, Standing]

    @contextmanager
    def asking(self) -> Iterator[tuple[Connection, int, Standing]]:
        """Yield the transaction that is under way."""
        yield self.held


def page_of(found: list[T], size: int, marks: list[str]) -> Page[T]:
    """Return a page from what was found, of which one more than the page's size was asked for."""
    more = len(found) > size
    return Page(tuple(found[:size]), marks[size - 1] if more else None)


def check_size(size: int) -> int:
    """Return a page's size; raises `QueryError` if it is none."""
    if not 1 <= size <= LARGEST_PAGE:
        raise QueryError(f"a page has 1 to {LARGEST_PAGE} items, not {size}")
    return size


def mark_of(*parts: int) -> str:
    """Return what names an item by its place in a list."""
    return "-".join(map(str, parts))


def parse_mark(mark: str, limits: Sequence[int]) -> tuple[int, ...]:
    """Read what `mark_of` wrote, each part below its limit; raises `QueryError` if it is something else."""
    pieces = mark.split("-")
    fits = len(pieces) == len(limits) and all(
        piece.isascii() and piece.isdigit() and len(piece) <= DIGITS and int(piece) < limit
        for piece, limit in zip(pieces, limits, strict=False)
    )
    if not fits:
        raise QueryError(f"{mark[:40]!r} marks no page")
    return tuple(map(int, pieces))


def below(keys: Sequence[ColumnElement[Any]], marks: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition that a row comes after the marked one, all keys descending.

    A comparison of rows, which databases find in an index; the same in parts they would look for from the first row on.
    """
    marked = [literal(mark, key.type) for key, mark in zip(keys, marks, strict=True)]
    return tuple_(*keys) < tuple_(*marked)


def check_number(number: int) -> int:
    """Return a number of a job; raises `QueryError` if there can be none such."""
    if not 0 < number < NUMBER_LIMIT:
        raise QueryError(f"there is no job {number}")
    return number
