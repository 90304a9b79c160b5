"""Errors of the index, each with what was found as attributes."""

from __future__ import annotations

from contribution.errors import CairnError


class MarketIndexError(CairnError):
    """Root of everything that can go wrong with the index."""


class DatabaseError(MarketIndexError):
    """Thrown when the database does not do what it is asked; nothing of the transaction was kept.

    Attributes
    ----------
    place, fault
        Which database, without its password, and what it says.
    """

    def __init__(self, place: str, fault: str) -> None:
        self.place = place
        self.fault = fault
        super().__init__(
            f"The database {place} can't be used: {fault}. Nothing was half-written; repair that (space, permissions, "
            "server) and run the same command again."
        )


class DatabaseUrlError(MarketIndexError):
    """Thrown when a database's address is not one that the index can use.

    Attributes
    ----------
    fault
        What is wrong with it.
    """

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(
            f"The database's address can't be used: {fault}; give sqlite:///PATH or "
            "postgresql://USER@HOST:PORT/DATABASE."
        )


class SchemaError(MarketIndexError):
    """Thrown when a database's tables are of another version than this program's.

    Attributes
    ----------
    found, expected
        Revision of the schema in the database (None if there is none), and the one that is needed.
    """

    def __init__(self, found: str | None, expected: str, hint: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(
            f"The index has the schema {found or 'of no version'}, this version of Cairn needs {expected}; {hint}"
        )


class UnknownMarketError(MarketIndexError):
    """Thrown when a database holds nothing of a market.

    Attributes
    ----------
    chain_id, market
        Of the market.
    """

    def __init__(self, chain_id: int, market: str) -> None:
        self.chain_id = chain_id
        self.market = market
        super().__init__(f"The index holds nothing of the market {market} on chain {chain_id}; run `cairn index sync`.")


class DeepReorganisationError(MarketIndexError):
    """Thrown when blocks that were taken as final are no longer in the chain; the index was left as it was.

    Attributes
    ----------
    indexed, fork, depth
        Number of the last indexed block, of the last one that both chains have (None if it is below everything that
        the index knows), and the finality depth.
    """

    def __init__(self, indexed: int, fork: int | None, depth: int) -> None:
        self.indexed = indexed
        self.fork = fork
        self.depth = depth
        where = "below every block that the index knows" if fork is None else f"after block {fork}"
        super().__init__(
            f"The chain was reorganised {where}, and the index, which is at block {indexed}, takes blocks {depth} "
            "below the last as final. Nothing was changed. Ask another node whether this one is right; if it is, run "
            "`cairn index rebuild` with a larger --finality."
        )


class NodesDisagreeError(MarketIndexError):
    """Thrown when two nodes say different things of the chain; the index was left as it was.

    Attributes
    ----------
    what
        What they disagree on.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            f"The two nodes disagree: {what}. Nothing was changed; if it does not pass by itself, ask a third node."
        )


class LaggingNodeError(MarketIndexError):
    """Thrown when a node is so far behind the index that they can't be compared.

    Attributes
    ----------
    node, indexed
        Number of the node's last block, and of the last one indexed.
    """

    def __init__(self, node: int, indexed: int) -> None:
        self.node = node
        self.indexed = indexed
        super().__init__(
            f"The node is at block {node} and the index at block {indexed}, too far ahead to tell whether they follow "
            "the same chain; wait until the node has caught up, or ask another one."
        )


class ChainMovedError(MarketIndexError):
    """Thrown when a node's answers belong to different chains; asked again, they usually fit.

    Attributes
    ----------
    fault
        What does not fit.
    """

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(f"The chain changed while it was read: {fault}; try again.")


class RestlessChainError(MarketIndexError):
    """Thrown when the chain changed under the reading so often that nothing could be read."""

    def __init__(self, tries: int, fault: str) -> None:
        self.tries = tries
        self.fault = fault
        super().__init__(
            f"The node's answers did not fit together in {tries} tries, the last time because {fault}. Nothing of them "
            "was kept; ask another node, or try again later."
        )


class ContradictionError(MarketIndexError):
    """Thrown when events do not follow from those before them, so that the node left some out or made some up.

    Attributes
    ----------
    job, block, faults
        The job, the block in which it shows, and a clause for each fault.
    """

    def __init__(self, job: int, block: int, faults: list[str]) -> None:
        self.job = job
        self.block = block
        self.faults = faults
        super().__init__(
            f"The events of job {job} in block {block} can't be what the market logged: {faults[0]}. Nothing of the "
            "block was kept; ask another node, and leave --trust-node out."
        )


class ConcurrentWriterError(MarketIndexError):
    """Thrown when another process wrote to the index of the same market meanwhile; nothing was written twice."""

    def __init__(self) -> None:
        super().__init__(
            "Another process moved this market's index on at the same time; nothing was written twice. One process is "
            "enough: stop the other, or leave it to it."
        )
