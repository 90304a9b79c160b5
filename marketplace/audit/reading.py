"""Reading a job from a chain: from one node that is trusted, or bound to a block's hash that nobody can bend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_canonical_address

from marketplace.audit.headers import Header, ancestors, header_by_hash, header_by_number, latest_header
from marketplace.audit.logs import Log, decode_logs, is_of_job, job_topic, told_logs
from marketplace.audit.node import Fields, NodeAnswerError, ask
from marketplace.audit.receipts import proven_logs
from marketplace.audit.views import Views, differences, read_views
from marketplace.chain.history import Event
from marketplace.chain.market import Market
from marketplace.chain.structs import VoidCause

CREATED: Final = "JobCreated"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Logs:
    """What a chain says happened in a job, up to one block.

    Attributes
    ----------
    head
        That block.
    logs
        The market's logs about the job, in order.
    times
        Time of each block that holds one, in seconds since the Unix epoch.
    """

    head: Header
    logs: tuple[Log, ...]
    times: dict[int, int]


@dataclass(frozen=True)
class Reading:
    """A job as a chain has it after one block.

    Attributes
    ----------
    chain_id
        The chain's id (EIP-155).
    market
        Address of the market.
    job
        The job's number.
    head, events, times
        As in `Logs`, the logs decoded.
    views
        What the market's views say.
    calldata
        Input of each transaction that settled a round as void because the rule kept too few; nothing in it is believed.
    """

    chain_id: int
    market: ChecksumAddress
    job: int
    head: Header
    events: tuple[Event, ...]
    times: dict[int, int]
    views: Views
    calldata: dict[bytes, bytes]


class NoSuchJobError(NodeAnswerError):
    """Thrown when a chain's logs don't begin with the job's creation."""

    def __init__(self, job: int, found: str) -> None:
        super().__init__("eth_getLogs", f"job {job} begins with {found}, not with {CREATED}")


def told(market: Market, job: int, head: Header, progress: Progress) -> Logs:
    """Read a job's logs from a node that is believed.

    Raises
    ------
    ChainError
        If it does not answer, or contradicts itself.
    """
    progress(f"asking for the logs of blocks {market.deployment.block} to {head.number}")
    logs = told_logs(market.w3, market, job, head.number)
    times = {head.number: head.timestamp}
    for log in logs:
        if log.block not in times:
            header = header_by_number(market.w3, log.block)
            if header.hash != log.block_hash:
                raise NodeAnswerError(
                    "eth_getLogs",
                    f"it says that block {log.block} has the hash 0x{log.block_hash.hex()}, the header says "
                    f"0x{header.hash.hex()}",
                )
            times[log.block] = header.timestamp
    return Logs(head, tuple(logs), times)


def pinned(market: Market, job: int, block_hash: bytes, progress: Progress) -> Logs:
    """Read a job's logs from a node that is not believed, bound to the hash of the last block.

    Headers are followed by their hashes back to the job's creation. The bloom filter of each says whether its block can
    hold a log of the job; it never says no of one that does, so none can be left out. Where it can, all receipts of the
    block are fetched and their root compared with the header's.

    Raises
    ------
    ChainError
        If the node does not answer, or anything that it answers does not hash to what it must.
    """
    address, topic = to_canonical_address(market.deployment.market), job_topic(job)
    head = header_by_hash(market.w3, block_hash)
    found: list[Log] = []
    times = {head.number: head.timestamp}

    def told_progress(number: int) -> None:
        if number % 200 == 0:
            progress(f"following block headers, block {number}")

    for header in ancestors(market.w3, head, told_progress):
        if header.number < market.deployment.block:
            break
        if not header.may_hold(address, topic):
            continue
        logs = [log for log in proven_logs(market.w3, header) if is_of_job(log, market, job)]
        if logs:
            times[header.number] = header.timestamp
            found[:0] = logs
            if decode_logs(logs[:1])[0].name == CREATED:
                break
    return Logs(head, tuple(found), times)


def choose_head(markets: Sequence[Market]) -> Header:
    """Return the first node's header for the latest block that all nodes have.

    Raises
    ------
    ChainError
        If one of them does not answer.
    """
    lowest = min(latest_header(market.w3).number for market in markets)
    return header_by_number(markets[0].w3, lowest)


def complete(market: Market, job: int, logs: Logs) -> Reading:
    """Decode logs, and ask the market's views at the same block.

    Raises
    ------
    ChainError
        If the logs don't begin with the job's creation, are not events of the market, or the node does not answer.
    """
    events = tuple(decode_logs(logs.logs))
    if not events or events[0].name != CREATED:
        raise NoSuchJobError(job, events[0].name if events else "nothing")
    created = events[0].arguments
    joined = {event.arguments["trainer"] for event in events if event.name == "TrainerJoined"}
    others = {created["owner"], created["aggregator"], created["terms"]["referee"]}
    others |= {event.arguments["account"] for event in events if event.name == "Withdrawn"}
    others |= {event.arguments["challenger"] for event in events if event.name == "GramRefuted"}
    views = read_views(market, job, logs.head.number, sorted(joined), others)
    if header_by_number(market.w3, logs.head.number).hash != logs.head.hash:
        raise NodeAnswerError(
            "eth_getBlockByNumber",
            f"block {logs.head.number} is no longer the one with the hash 0x{logs.head.hash.hex()}; "
            "the chain was reorganised meanwhile: audit a block that is final",
        )
    where = market.deployment
    calldata = _calldata(market, events)
    return Reading(where.chain_id, where.market, job, logs.head, events, logs.times, views, calldata)


def _calldata(market: Market, events: Sequence[Event]) -> dict[bytes, bytes]:
    """Ask for the transactions that the logs don't tell enough of."""
    found = {}
    for event in events:
        if event.name == "RoundVoided" and event.arguments["cause"] == VoidCause.TOO_FEW_KEPT:
            answer = ask(market.w3, "eth_getTransactionByHash", event.transaction.to_0x_hex())
            if answer is not None:
                found[bytes(event.transaction)] = Fields("eth_getTransactionByHash", answer).data("input")
    return found


def disagreements(first: Reading, second: Reading) -> list[str]:
    """Return a clause for each thing in which two nodes differ about a job."""
    faults = []
    if first.head.hash != second.head.hash:
        faults.append(
            f"block {first.head.number} has the hash 0x{first.head.hash.hex()} at the first node and "
            f"0x{second.head.hash.hex()} at the second"
        )
    for place in range(max(len(first.events), len(second.events))):
        one, other = (reading.events[place] if place < len(reading.events) else None for reading in (first, second))
        if one != other:
            faults.append(f"event {place + 1} is {_event(one)} at the first node and {_event(other)} at the second")
            break
    for number in sorted(first.times.keys() & second.times.keys()):
        if first.times[number] != second.times[number]:
            faults.append(
                f"block {number} is of {first.times[number]} at the first node, {second.times[number]} at the second"
            )
    return faults + differences(first.views, second.views)


def _event(event: Event | None) -> str:
    if event is None:
        return "missing"
    return f"{event.name} (block {event.block}, log {event.index})"


def same_fields(first: object, second: object, names: dict[str, str]) -> list[str]:
    """Return a clause for each attribute in which two objects of one type differ; `names` says what each is called."""
    return [
        f"{names.get(field.name, field.name)} is {getattr(first, field.name)} instead of {getattr(second, field.name)}"
        for field in fields(first)  # type: ignore[arg-type]
        if getattr(first, field.name) != getattr(second, field.name)
    ]
