"""A node that is asked patiently: what fails in passing is asked again, and ranges shrink to what it can answer."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_canonical_address
from web3 import HTTPProvider, Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from marketplace.audit.headers import Header, header_by_number, latest_header, parse_header
from marketplace.audit.logs import QUESTION, Log, parse_log
from marketplace.audit.node import NodeAnswerError, ask, node_name
from marketplace.audit.receipts import proven_logs
from marketplace.chain.connect import NodeProvider
from marketplace.chain.errors import NotANodeError, UnreachableNodeError, WrongChainError
from marketplace.chain.history import BLOCKS_PER_QUERY

# More questions in one request are refused by many nodes.
QUESTIONS_PER_REQUEST: Final = 100
# Logs that one answer should hold: enough for an efficient batch, few enough for memory and for the node's own limits.
LOGS_PER_QUERY: Final = 4_000
_LONGEST_PAUSE: Final = 30.0
_IN_PASSING: Final = re.compile(r"rate.?limit|too many requests|\b429\b|throttl|capacity|try again", re.IGNORECASE)


@dataclass(frozen=True)
class Patience:
    """How often a node is asked again, and how long is waited before.

    Attributes
    ----------
    tries
        Questions in all, at least 1.
    pause
        Seconds before the second one; doubled each time, up to 30.
    sleep
        What waits.
    """

    tries: int = 5
    pause: float = 0.5
    sleep: Callable[[float], object] = time.sleep

    def wait(self, attempt: int) -> None:
        """Wait after the attempt with this number, from 0."""
        self.sleep(min(self.pause * 2**attempt, _LONGEST_PAUSE))


class PatientProvider(JSONBaseProvider):
    """Asks another provider, again if no answer comes or the node has too much to do.

    Parameters
    ----------
    inner
        Who is asked.
    patience
        How often.
    """

    def __init__(self, inner: Any, patience: Patience) -> None:  # noqa: ANN401 - any of web3's providers
        super().__init__()
        self.inner = inner
        self.endpoint_uri = getattr(inner, "endpoint_uri", None)
        self._patience = patience

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 - as in the base class
        """Ask; raises what the inner provider raises, the last time."""
        answer: RPCResponse = self._patiently(lambda: self.inner.make_request(method, params))
        return answer

    def ask_many(self, method: str, parameters: Sequence[Sequence[object]]) -> list[Any]:
        """Return the answers to one question about several things, asked at once if the provider can.

        Raises
        ------
        NodeAnswerError
            If one of them is an error.
        """
        questions = [(RPCEndpoint(method), list(each)) for each in parameters]
        if len(questions) > 1 and isinstance(self.inner, HTTPProvider):
            answers = self._patiently(lambda: self.inner.make_batch_request(questions))
            if isinstance(answers, list) and len(answers) == len(questions):
                return [_result(method, answer) for answer in answers]
        # A node that takes no batches is asked one by one.
        return [_result(method, self.make_request(*question)) for question in questions]

    def _patiently(self, question: Callable[[], Any]) -> Any:  # noqa: ANN401 - any JSON value
        for attempt in range(self._patience.tries):
            is_last = attempt + 1 == self._patience.tries
            try:
                answer = question()
            except (UnreachableNodeError, NotANodeError):
                if is_last:
                    raise
            else:
                if is_last or not _is_busy(answer):
                    return answer
            self._patience.wait(attempt)
        raise AssertionError("the last try returns or raises")


def _is_busy(answer: object) -> bool:
    fault = answer.get("error") if isinstance(answer, Mapping) else None
    return isinstance(fault, Mapping) and bool(_IN_PASSING.search(str(fault.get("message", ""))))


def _result(method: str, answer: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(answer, Mapping) or "error" in answer:
        fault = answer.get("error") if isinstance(answer, Mapping) else answer
        message = fault.get("message") if isinstance(fault, Mapping) else fault
        raise NodeAnswerError(method, f"it refuses ({str(message)[:80]})")
    return answer.get("result")


class Node:
    """A node, and a market on its chain.

    Parameters
    ----------
    w3 : Web3
        The node.
    chain_id : int
        The chain that it must be of.
    market : ChecksumAddress
        The market.
    patience : Patience
        How often a question is asked again.
    """

    def __init__(self, w3: Web3, chain_id: int, market: ChecksumAddress, patience: Patience | None = None) -> None:
        if isinstance(w3.provider, NodeProvider):
            # `check_chain` is for nodes that change; it must hear what this one says now.
            w3.provider.chain_id = None
        self._provider = PatientProvider(w3.provider, patience or Patience())
        self.w3 = Web3(self._provider)
        self._chain_id = chain_id
        self._market = market
        self._address = to_canonical_address(market)
        self._span = BLOCKS_PER_QUERY

    @property
    def name(self) -> str:
        """What messages call it."""
        return node_name(self.w3)

    def check_chain(self) -> None:
        """Refuse a node that serves another chain, or has begun to; raises `WrongChainError`."""
        answer = ask(self.w3, "eth_chainId")
        try:
            found = int(str(answer), 16)
        except ValueError:
            raise NodeAnswerError("eth_chainId", f"it is {str(answer)[:80]!r}") from None
        if found != self._chain_id:
            raise WrongChainError(self.name, found, self._chain_id)

    def head(self) -> Header:
        """Return the header of the node's last block."""
        return latest_header(self.w3)

    def header(self, number: int) -> Header:
        """Return the header of a block of its chain; raises `NodeAnswerError` if it has none."""
        return header_by_number(self.w3, number)

    def headers(self, numbers: Sequence[int]) -> list[Header]:
        """Return the headers of several blocks; raises as `header`."""
        found: list[Header] = []
        for at in range(0, len(numbers), QUESTIONS_PER_REQUEST):
            wanted = numbers[at : at + QUESTIONS_PER_REQUEST]
            answers = self._provider.ask_many("eth_getBlockByNumber", [[hex(number), False] for number in wanted])
            for number, answer in zip(wanted, answers, strict=True):
                header = parse_header("eth_getBlockByNumber", answer)
                if header.number != number:
                    raise NodeAnswerError(
                        "eth_getBlockByNumber", f"it is of block {header.number}, block {number} was asked for"
                    )
                found.append(header)
        return found

    def proven_logs(self, header: Header) -> list[Log]:
        """Return the market's logs of a block, proven by its receipts, if its bloom filter says that it may hold some.

        Raises
        ------
        NodeAnswerError
            If the receipts that come are not those that the header names.
        """
        if not header.may_hold(self._address):
            return []
        return [log for log in proven_logs(self.w3, header) if log.address == self._address]

    def told_logs(self, first: int, last: int) -> tuple[list[Log], int]:
        """Return the market's logs from a block on as the node tells them, and the last block that they reach to.

        As many blocks are asked for, up to `last`, as the node seems able to answer: half as many when it refuses or
        does not answer in time, more again when answers are short.

        Raises
        ------
        NodeAnswerError
            If it refuses a single block, or tells logs that were not asked for, or out of order, or of removed blocks.
        ChainError
            If it does not answer.
        """
        while True:
            end = min(last, first + self._span - 1)
            try:
                logs = self._ask_logs(first, end)
            except (NodeAnswerError, UnreachableNodeError, NotANodeError) as fault:
                if end == first or isinstance(fault, MalformedLogsError):
                    raise
                self._span = max(1, (end - first + 1) // 2)
                continue
            if len(logs) > LOGS_PER_QUERY:
                self._span = max(1, self._span // 2)
            elif len(logs) < LOGS_PER_QUERY // 2:
                self._span = min(BLOCKS_PER_QUERY, self._span * 2)
            return logs, end

    def _ask_logs(self, first: int, last: int) -> list[Log]:
        query = {"address": self._market, "fromBlock": hex(first), "toBlock": hex(last)}
        answer = ask(self.w3, QUESTION, query)
        if not isinstance(answer, list):
            raise MalformedLogsError("it is not a list")
        logs = []
        previous = (first - 1, -1)
        for entry in answer:
            log = parse_log(entry)
            if entry.get("removed"):
                raise MalformedLogsError(f"the log {log.index} of block {log.block} is of a block that was removed")
            if log.address != self._address or not first <= log.block <= last:
                raise MalformedLogsError(f"the log {log.index} of block {log.block} was not asked for")
            if (log.block, log.index) <= previous:
                raise MalformedLogsError(f"the log {log.index} of block {log.block} is out of order")
            previous = (log.block, log.index)
            logs.append(log)
        return logs


class MalformedLogsError(NodeAnswerError):
    """Thrown when a node tells logs that can't be the answer to the question; a smaller range would not help."""

    def __init__(self, fault: str) -> None:
        super().__init__(QUESTION, fault)
