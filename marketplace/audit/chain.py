"""What an audit has from the chain, and how far it had to believe somebody for it."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.audit.check import Check, attempt, examine, require
from marketplace.audit.headers import header_by_number
from marketplace.audit.node import node_name
from marketplace.audit.reading import Progress, Reading, choose_head, complete, disagreements, pinned, told
from marketplace.chain.market import Market

LOGS = "logs"
AGREEMENT = "the nodes agree"


@dataclass(frozen=True)
class ChainEvidence:
    """What was read of a job.

    Attributes
    ----------
    reading
        The job as the first node has it; None if it could not be read.
    checks
        What was checked of the reading itself.
    trust
        What had to be believed, a sentence each; the first thing that a report says.
    """

    reading: Reading | None
    checks: tuple[Check, ...]
    trust: tuple[str, ...]


def read_chain(
    market: Market, second: Market | None, job: int, block_hash: bytes | None, progress: Progress
) -> ChainEvidence:
    """Read a job from one node or two, bound to a block's hash or not.

    Parameters
    ----------
    market, second
        The market at the first node, and at a second one if there is one.
    job
        The job's number.
    block_hash
        Of the last block that is looked at, from a source that is trusted; None for the latest.
    progress
        Called with words from time to time.
    """
    others = [] if second is None else [second]
    reading, check = attempt(
        "chain", LOGS, _logs_do_not_show(block_hash), lambda: _read([market, *others], job, block_hash, progress)
    )
    checks, bound = [check], reading is not None
    if block_hash is not None and reading is None:
        # The audit goes on with what the node says, so that the report names what else does not fit.
        reading, check = attempt(
            "chain",
            "logs without the block's hash",
            "that they are those of the chain that the hash names: nothing below is shown for that chain",
            lambda: _read([market, *others], job, None, progress),
        )
        checks.append(check)
    if second is not None and reading is not None:
        checks.append(_agreement(second, job, reading, progress))
    return ChainEvidence(reading, tuple(checks), _trust(market, second, block_hash, bound=bound))


def _read(markets: list[Market], job: int, block_hash: bytes | None, progress: Progress) -> tuple[Reading, str]:
    """Read the job at the first node; return what was read, and the same in words."""
    market = markets[0]
    if block_hash is not None:
        logs = pinned(market, job, block_hash, progress)
        how = "bound to it by header hashes, bloom filters and receipts roots"
    else:
        logs = told(market, job, choose_head(markets), progress)
        how = f"as {node_name(market.w3)} tells them"
    progress("asking the market's views")
    reading = complete(market, job, logs)
    return reading, f"{len(logs.logs)} logs up to block {logs.head.number}, 0x{logs.head.hash.hex()}, {how}"


def _agreement(second: Market, job: int, first: Reading, progress: Progress) -> Check:
    """Read the job at the second node up to the same block, and compare everything."""

    def look() -> str:
        progress("asking the second node")
        logs = told(second, job, header_by_number(second.w3, first.head.number), progress)
        require(disagreements(first, complete(second, job, logs)))
        return f"block hash, {len(first.events)} logs, block times, code and every view's answer are the same at both"

    return examine("chain", AGREEMENT, "that what two nodes agree on is true, if one party runs both", look)


def _logs_do_not_show(block_hash: bytes | None) -> str:
    if block_hash is None:
        return "that the node left no log out and made none up"
    return "that the chain that everybody else follows holds this block: that rests on where you have the hash from"


def _trust(market: Market, second: Market | None, block_hash: bytes | None, *, bound: bool) -> tuple[str, ...]:
    """Say what had to be believed; `bound` tells whether the logs could be bound to the block's hash."""
    first = node_name(market.w3)
    if second is not None:
        nodes = f"what two nodes agree on, {first} and {node_name(second.w3)}"
    else:
        nodes = f"one node, {first}"
    if block_hash is None:
        hint = "" if second else " With a second --rpc or with --block-hash it would catch a node that lies."
        trust = [f"This audit trusts {nodes}, for everything that is said of the chain.{hint}"]
    elif bound:
        trust = [
            f"The logs are bound to the block hash 0x{block_hash.hex()} that you gave: no node could change, add or "
            "leave out one of them.",
            f"For code, balances and the answers of the market's views this audit trusts {nodes}.",
        ]
    else:
        trust = [
            f"The logs could NOT be bound to the block hash 0x{block_hash.hex()}: everything below is only what the "
            "node says."
        ]
    if market.deployment.is_for_development:
        trust.append(
            "The market's proofs are made with the development set-up, whose secrets everybody knows: they show "
            "nothing against somebody who means to cheat."
        )
    return tuple(trust)
