"""The market's logs as a node tells them, and the events that they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_abi.exceptions import DecodingError
from eth_utils.address import to_canonical_address
from hexbytes import HexBytes
from web3 import Web3

from marketplace.audit.node import Fields, NodeAnswerError, ask, parse_data
from marketplace.chain.deployment import MARKET
from marketplace.chain.events import decoder_of
from marketplace.chain.history import BLOCKS_PER_QUERY, Event
from marketplace.chain.market import Market

QUESTION: Final = "eth_getLogs"

_WORD: Final = 32


@dataclass(frozen=True)
class Log:
    """One entry that a contract logged, and where.

    Attributes
    ----------
    address, topics, data
        What was logged.
    block, block_hash, index, transaction
        Number and hash of the block, place in the block, hash of the transaction.
    """

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    block_hash: bytes
    index: int
    transaction: bytes


def job_topic(job: int) -> bytes:
    """Return the topic that every log of a job carries second."""
    return job.to_bytes(32, "big")


def is_of_job(log: Log, market: Market, job: int) -> bool:
    """Whether the market logged it about the job."""
    return log.address == to_canonical_address(market.deployment.market) and log.topics[1:2] == (job_topic(job),)


def told_logs(w3: Web3, market: Market, job: int, last: int) -> list[Log]:
    """Ask a node for the logs of a job up to a block; their order and that they are of the job is checked.

    Raises
    ------
    NodeAnswerError
        If the answer is of another form, or logs are out of order, of another contract or another job.
    """
    logs: list[Log] = []
    for first in range(market.deployment.block, last + 1, BLOCKS_PER_QUERY):
        query = {
            "address": market.deployment.market,
            "fromBlock": hex(first),
            "toBlock": hex(min(first + BLOCKS_PER_QUERY - 1, last)),
            "topics": [None, "0x" + job_topic(job).hex()],
        }
        answer = ask(w3, QUESTION, query)
        if not isinstance(answer, list):
            raise NodeAnswerError(QUESTION, "it is not a list")
        logs += [parse_log(entry) for entry in answer]
    _check(logs, market, job, last)
    return logs


def decode_logs(logs: Sequence[Log]) -> list[Event]:
    """Return the market's logs as events.

    Raises
    ------
    NodeAnswerError
        If one of them is no event of the market.
    """
    return [event_of(log) for log in logs]


def _check(logs: list[Log], market: Market, job: int, last: int) -> None:
    previous = (-1, -1)
    for log in logs:
        place = (log.block, log.index)
        if place <= previous or log.block > last:
            raise NodeAnswerError(
                QUESTION,
                f"the log {log.index} of block {log.block} does not come after the log {previous[1]} of "
                f"block {previous[0]}, or lies after block {last}",
            )
        if not is_of_job(log, market, job):
            raise NodeAnswerError(QUESTION, f"the log {log.index} of block {log.block} is not one of job {job}")
        previous = place


def parse_log(entry: object) -> Log:
    """Convert a log as a node tells it; raises `NodeAnswerError` if it is of another form."""
    fields = Fields(QUESTION, entry)
    return Log(
        fields.data("address", 20),
        tuple(map(_topic, fields.entries("topics"))),
        fields.data("data"),
        fields.number("blockNumber"),
        fields.data("blockHash", 32),
        fields.number("logIndex"),
        fields.data("transactionHash", 32),
    )


def _topic(value: object) -> bytes:
    parsed = parse_data(value)
    if parsed is None or len(parsed) != _WORD:
        raise NodeAnswerError(QUESTION, f"a topic of a log is not {_WORD} bytes of hexadecimal data")
    return parsed


def event_of(log: Log) -> Event:
    """Return a log as an event of the market; raises `NodeAnswerError` if it is none."""
    try:
        name, arguments = decoder_of(MARKET).decode(log.topics, log.data)
    except (KeyError, IndexError, ValueError, DecodingError) as fault:
        raise NodeAnswerError(
            QUESTION, f"the log {log.index} of block {log.block} is no event of the market ({type(fault).__name__})"
        ) from fault
    place = (log.block, HexBytes(log.block_hash), log.index, HexBytes(log.transaction))
    return Event(name, arguments, *place)
