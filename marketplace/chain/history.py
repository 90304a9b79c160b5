"""What happened in a job, read from the market's events: each party finds its work in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3.types import LogReceipt

from marketplace.chain.deployment import MARKET
from marketplace.chain.events import decoder_of
from marketplace.chain.market import Market
from marketplace.chain.structs import ExclusionReason, VoidCause

# Public nodes refuse wider queries.
BLOCKS_PER_QUERY: Final = 5_000


@dataclass(frozen=True)
class Event:
    """One event of a job.

    Attributes
    ----------
    name
        As in `ITrainingMarket.sol`.
    arguments
        Its arguments by their Solidity names.
    block, block_hash, index, transaction
        Where it lies on the chain.
    """

    name: str
    arguments: dict[str, Any]
    block: int
    block_hash: HexBytes
    index: int
    transaction: HexBytes


@dataclass(frozen=True)
class Submission:
    """What an account submitted in a round: the hash of its commitment and the binary CID of its envelope."""

    commitment_hash: bytes
    cid: bytes


@dataclass
class RoundRecord:
    """Everything that the chain says about one round; None and empty for what has not happened.

    Attributes
    ----------
    number, submit_end, encryption_key, model_hash
        As the round opened.
    submissions
        By trainer.
    reference
        The referee's.
    missing
        Accounts for which a missing notice was given.
    exclusions, evidence
        Reason and binary CID of the evidence by account; empty for unavailable.
    trainers, weights, contributions, payouts
        What the rule decided, parallel; payouts in wei.
    gram, commitments, model_commitment, aggregate_cid, proof
        What was settled; None until then.
    void
        Why the round was void.
    refuted
        Whether its matrix was refuted after it was settled: its pay is void, and its model none.
    penalty, penalty_share
        What the aggregator lost by letting the round expire and what each submitter got of it, in wei.
    ended_in
        Hash of the transaction that ended the round.
    """

    number: int
    submit_end: int
    encryption_key: bytes
    model_hash: bytes
    submissions: dict[ChecksumAddress, Submission] = field(default_factory=dict)
    reference: Submission | None = None
    missing: set[ChecksumAddress] = field(default_factory=set)
    exclusions: dict[ChecksumAddress, ExclusionReason] = field(default_factory=dict)
    evidence: dict[ChecksumAddress, bytes] = field(default_factory=dict)
    trainers: tuple[ChecksumAddress, ...] = ()
    weights: tuple[int, ...] = ()
    contributions: tuple[int, ...] = ()
    payouts: tuple[int, ...] = ()
    gram: bytes | None = None
    commitments: bytes | None = None
    model_commitment: bytes | None = None
    aggregate_cid: bytes | None = None
    proof: bytes | None = None
    void: VoidCause | None = None
    refuted: bool = False
    penalty: int | None = None
    penalty_share: int | None = None
    ended_in: HexBytes | None = None

    @property
    def settled(self) -> bool:
        """Whether the round was settled."""
        return self.aggregate_cid is not None


@dataclass
class JobHistory:
    """A job's events in order and what they add up to.

    Attributes
    ----------
    specification_cid
        Binary CID of the job's specification; empty before the creation is read.
    rounds
        Records by round number.
    events
        All of them.
    """

    specification_cid: bytes = b""
    rounds: dict[int, RoundRecord] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def standing(self, before: int | None = None) -> list[RoundRecord]:
        """Return the settled rounds that make up the model, or those before round `before`, in order.

        A round that was refuted does not count: the model is again the one before it.
        """
        settled = [r for r in self.rounds.values() if r.settled and not r.refuted]
        return sorted((r for r in settled if before is None or r.number < before), key=lambda record: record.number)

    def settled_before(self, number: int) -> int:
        """Return how many settled rounds came before round `number`, by which its reward goes."""
        return len(self.standing(number))

    def last_settled(self, before: int | None = None) -> RoundRecord | None:
        """Return the last of the rounds that `standing` returns; None if there is none."""
        return max(self.standing(before), key=lambda record: record.number, default=None)

    def named(self, name: str) -> list[Event]:
        """Return the events of one name."""
        return [event for event in self.events if event.name == name]


class HistoryReader:
    """Follows one job on the chain; reads each block once unless the chain is reorganised.

    Parameters
    ----------
    market : Market
        The market.
    job : int
        The job's number.
    """

    def __init__(self, market: Market, job: int) -> None:
        self._market = market
        self._job = job
        self._history = JobHistory()
        self._next = market.deployment.block
        self._last_hash: HexBytes | None = None

    def read(self) -> JobHistory:
        """Return the job's history up to the latest block.

        Raises
        ------
        ChainError
            If the node fails.
        """
        eth = self._market.w3.eth
        latest = eth.get_block("latest")
        if self._last_hash is not None and latest.get("hash") == self._last_hash:
            return self._history
        if self._last_hash is not None and eth.get_block(self._next - 1).get("hash") != self._last_hash:
            # Another chain became the longest; what was read may not have happened.
            self._restart()
        while self._next <= latest["number"]:
            end = min(self._next + BLOCKS_PER_QUERY - 1, latest["number"])
            for event in read_events(self._market, self._next, end, self._job):
                apply_event(self._history, event)
            self._next = end + 1
        self._last_hash = latest.get("hash")
        return self._history

    def _restart(self) -> None:
        self._history = JobHistory()
        self._next = self._market.deployment.block
        self._last_hash = None


def read_events(market: Market, first: int, last: int, job: int | None = None) -> list[Event]:
    """Return the market's events in a range of blocks, ends included, of one job or of all."""
    topics: list[Any] = [] if job is None else [None, "0x" + job.to_bytes(32, "big").hex()]
    logs = market.w3.eth.get_logs(
        {"address": market.deployment.market, "fromBlock": first, "toBlock": last, "topics": topics}
    )
    return [decode_log(log) for log in logs]


def apply_event(history: JobHistory, event: Event) -> None:
    """Add one event to a history; events come in the order of the chain."""
    history.events.append(event)
    values = event.arguments
    if event.name == "JobCreated":
        history.specification_cid = values["specificationCid"]
    elif event.name == "RoundOpened":
        number = values["round"]
        history.rounds[number] = RoundRecord(number, values["submitEnd"], values["encryptionKey"], values["modelHash"])
    elif event.name in _ROUND_EVENTS:
        _ROUND_EVENTS[event.name](history.rounds[values["round"]], event)


def _submitted(record: RoundRecord, event: Event) -> None:
    values = event.arguments
    record.submissions[values["trainer"]] = Submission(values["commitmentHash"], values["cid"])


def _reference_submitted(record: RoundRecord, event: Event) -> None:
    record.reference = Submission(event.arguments["commitmentHash"], event.arguments["cid"])


def _missing(record: RoundRecord, event: Event) -> None:
    record.missing.add(event.arguments["account"])


def _excluded(record: RoundRecord, event: Event) -> None:
    values = event.arguments
    record.exclusions[values["account"]] = ExclusionReason(values["reason"])
    record.evidence[values["account"]] = values["evidence"]


def _scored(record: RoundRecord, event: Event) -> None:
    values = event.arguments
    record.trainers, record.weights = tuple(values["trainers"]), tuple(values["weights"])
    record.contributions, record.payouts = tuple(values["contributions"]), tuple(values["payouts"])


def _settled(record: RoundRecord, event: Event) -> None:
    values = event.arguments
    record.gram, record.commitments = values["gram"], values["commitments"]
    record.model_commitment, record.aggregate_cid = values["modelCommitment"], values["aggregateCid"]
    record.proof = values["proof"]
    record.ended_in = event.transaction


def _voided(record: RoundRecord, event: Event) -> None:
    record.void = VoidCause(event.arguments["cause"])
    record.ended_in = event.transaction


def _refuted(record: RoundRecord, _event: Event) -> None:
    record.refuted = True


def _expired(record: RoundRecord, event: Event) -> None:
    record.penalty, record.penalty_share = event.arguments["penalty"], event.arguments["share"]
    record.ended_in = event.transaction


_ROUND_EVENTS: Final = {
    "Submitted": _submitted,
    "ReferenceSubmitted": _reference_submitted,
    "Missing": _missing,
    "Excluded": _excluded,
    "RoundScored": _scored,
    "RoundSettled": _settled,
    "RoundVoided": _voided,
    "RoundExpired": _expired,
    "GramRefuted": _refuted,
}


def decode_log(log: LogReceipt) -> Event:
    """Return one of a market's logs as an event; raises what `EventDecoder.decode` raises if a market has no such."""
    name, arguments = decoder_of(MARKET).decode(log["topics"], log["data"])
    return Event(name, arguments, log["blockNumber"], log["blockHash"], log["logIndex"], log["transactionHash"])
