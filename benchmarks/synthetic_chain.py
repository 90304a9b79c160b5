"""A chain made up for measuring the index: jobs that run by the market's own rules, as blocks that a node would tell.

The market's twin decides what must follow, so that every sequence of events is one that the market could log. Headers
hash to their hashes and filters hold what they must; receipts, which only the last blocks are asked for, have the roots
that the headers name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

import rlp  # type: ignore[import-untyped]
from eth_abi.abi import encode
from eth_bloom.bloom import BloomFilter
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from marketplace.audit.receipts import receipts_root
from marketplace.audit.replay.money import accrued, end
from marketplace.audit.replay.run import advance, begin
from marketplace.audit.replay.state import JobTwin
from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import MARKET, Deployment
from marketplace.chain.history import Event
from marketplace.chain.structs import NATIVE_COIN, JobState, Terms

CHAIN_ID: Final = 31_337
TRAINERS: Final = 16
ROUNDS: Final = 20
# Jobs that run at the same time, each of which brings one event or one settlement to a block at most.
JOBS_AT_ONCE: Final = 12
EVENTS_PER_BLOCK: Final = 10
SECONDS_PER_BLOCK: Final = 12
_MOST_TRIES: Final = 1_000
_GENESIS_TIME: Final = 1_767_225_600
_MONTH: Final = 30 * 86_400
_ETHER: Final = 10**18
_ABIS: Final = {entry["name"]: entry for entry in load_artifact(MARKET).abi if entry["type"] == "event"}
_MARKET_ADDRESS: Final = to_checksum_address("0x" + "c0" * 20)

Values = dict[str, Any]


def deployment() -> Deployment:
    """Return where the made-up market lies; only chain, address and first block are ever looked at."""
    zero = "0x" + "00" * 32
    return Deployment(CHAIN_ID, _MARKET_ADDRESS, {}, NATIVE_COIN, zero, None, 1, zero, zero)


@dataclass(frozen=True)
class Block:
    """A block as a node tells it.

    Attributes
    ----------
    header, logs, receipts
        The answers to the questions for it; receipts are empty where the header does not name their root.
    """

    header: dict[str, Any]
    logs: list[dict[str, Any]]
    receipts: list[dict[str, Any]]


@dataclass
class Life:
    """A job under way: its twin, and what is still to happen in it."""

    number: int
    twin: JobTwin
    rng: random.Random
    done: int = 0
    trainers: tuple[ChecksumAddress, ...] = ()

    def next_step(self) -> list[tuple[str, Values]]:
        """Return what one transaction brings next, less what must follow from it; nothing if all is over."""
        self.done += 1
        step = self.done
        if step == 1:
            return [("JobAccepted", {"encryptionKey": b"\x01" * 32})]
        if step <= 1 + len(self.trainers):
            index = step - 2
            return [("TrainerJoined", {"trainer": self.trainers[index], "seat": index, "fromRound": 1})]
        if step == 2 + len(self.trainers):
            end = self.twin.now + self.twin.terms.submit_window
            opened = {"round": 1, "submitEnd": end, "encryptionKey": b"\x01" * 32, "modelHash": b"\x02" * 32}
            return [("RoundOpened", opened)]
        if not self.twin.ended and self.twin.outcome is JobState.NONE:
            return self._round_step()
        if not self.twin.ended:
            return [("JobEnded", {})]
        return self._withdrawal()

    def _round_step(self) -> list[tuple[str, Values]]:
        number = self.twin.round
        waiting = [trainer for trainer in self.trainers if trainer not in self.twin.submitted]
        if waiting:
            content = self.rng.randbytes(32)
            values = {"round": number, "trainer": waiting[0], "commitmentHash": content, "cid": binary_cid(content)}
            return [("Submitted", values)]
        if not self.twin.submissions_closed:
            return [
                ("SubmissionsClosed", {"round": number, "deliverEnd": self.twin.now + self.twin.terms.deliver_window})
            ]
        return self.settlement()

    def settlement(self) -> list[tuple[str, Values]]:
        """Return what settles the round that is open."""
        number, trainers = self.twin.round, len(self.trainers)
        reward = self.twin.terms.reward_after(self.twin.settled_rounds)
        kept = trainers - 2
        weights = [4096 // kept] * kept + [0, 0]
        payouts = [reward // kept] * kept + [0, 0]
        scores = [self.rng.randrange(-(2**40), 2**60) for _ in self.trainers]
        scored = {"trainers": self.trainers, "weights": weights, "contributions": scores, "payouts": payouts}
        settled = {
            "gram": self.rng.randbytes(trainers * (trainers + 1) * 4),
            "commitments": self.rng.randbytes(64 * trainers),
            "modelCommitment": self.rng.randbytes(64),
            "aggregateCid": binary_cid(self.rng.randbytes(32)),
            "proof": self.rng.randbytes(1_024),
        }
        return [("RoundScored", {"round": number, **scored}), ("RoundSettled", {"round": number, **settled})]

    def _withdrawal(self) -> list[tuple[str, Values]]:
        for account in (*self.trainers, self.twin.terms.aggregator, self.twin.owner):
            amount = accrued(self.twin, account, self.twin.now)
            if amount:
                return [("Withdrawn", {"account": account, "to": account, "amount": amount})]
        return []


@dataclass
class Maker:
    """Makes blocks, one after the other; a deep copy goes on from where it is copied."""

    rng: random.Random
    number: int = 0
    events: int = 0
    jobs: int = 0
    parent: bytes = bytes(32)
    lives: list[Life] = field(default_factory=list)

    def make(self, *, proven: bool, mark: bytes = b"") -> Block:
        """Return the next block; `proven` gives it receipts and their root, `mark` another hash than it would have."""
        now = _GENESIS_TIME + self.number * SECONDS_PER_BLOCK
        told: list[tuple[int, str, Values]] = []
        if self.number > 0:
            tries = 0
            # Jobs that wait for their challenge windows bring nothing into this block.
            while len(told) < EVENTS_PER_BLOCK and tries < _MOST_TRIES:
                told += self._transaction(now)
                tries += 1
        logs = [_log(name, {"jobId": job, **values}) for job, name, values in told]
        self.events += len(logs)
        block = _block(self.number, now, self.parent, logs, proven=proven, mark=mark)
        self.number += 1
        self.parent = bytes.fromhex(block.header["hash"][2:])
        return block

    @property
    def is_room(self) -> bool:
        """Whether another job is to begin."""
        return len(self.lives) < JOBS_AT_ONCE

    def offer(self, now: int) -> tuple[Terms, ChecksumAddress, bytes]:
        """Return terms, owner and binary CID of the specification of the job of number `jobs`."""
        specification = binary_cid(bytes(keccak(b"%d" % self.jobs)))
        return _terms(self.jobs, now), account_of("owner", self.jobs % 40), specification

    def life(self, twin: JobTwin) -> Life:
        """Return what is to happen in the job of number `jobs`."""
        trainers = in_order([account_of("trainer", (self.jobs * 5 + k) % 400) for k in range(TRAINERS)])
        return Life(self.jobs, twin, random.Random(self.jobs), trainers=trainers)  # noqa: S311

    def _transaction(self, now: int) -> list[tuple[int, str, Values]]:
        """Let one thing happen in some job, and all that follows from it."""
        if self.is_room:
            return self._create(now)
        if not self.lives:
            return []
        life = self.lives[self.rng.randrange(len(self.lives))]
        life.twin.now = now
        if not life.twin.ended and now <= life.twin.challenge_end:
            return []  # nothing can be settled or ended before the challenge window is over
        events = life.next_step()
        if not events:
            self.lives.remove(life)
            return []
        return self._happen(life, events, now)

    def _create(self, now: int) -> list[tuple[int, str, Values]]:
        self.jobs += 1
        terms, owner, specification = self.offer(now)
        names = next(part for part in _ABIS["JobCreated"]["inputs"] if part["name"] == "terms")["components"]
        told = {part["name"]: value for part, value in zip(names, terms.to_abi(), strict=True)}
        values = {"owner": owner, "aggregator": terms.aggregator, "terms": told, "specificationCid": specification}
        twin = begin(_event("JobCreated", {"jobId": self.jobs, **values}))
        self.lives.append(self.life(twin))
        return [(self.jobs, "JobCreated", values)]

    def _happen(self, life: Life, events: list[tuple[str, Values]], now: int) -> list[tuple[int, str, Values]]:
        told = []
        queue = list(events)
        while queue or life.twin.due:
            if queue:
                name, values = queue.pop(0)
                if name == "JobEnded":
                    values = _ending(life.twin)
            else:
                due = life.twin.due[0]
                name, values = due.name, {"modelHash": b"\x02" * 32, **due.arguments}
                values = {
                    part["name"]: values[part["name"]] for part in _ABIS[name]["inputs"] if part["name"] in values
                }
            advance(life.twin, _event(name, {"jobId": life.number, **values}), now)
            told.append((life.number, name, values))
        if life.twin.faults:
            raise AssertionError(life.twin.faults[0].words)
        return told


class SyntheticChain(JSONBaseProvider):
    """Answers the index's questions from blocks that were made before, as a node in the same process would."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        super().__init__()
        self.blocks = list(blocks)
        self._by_hash = {block.header["hash"]: block for block in blocks}

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 - as in the base class
        """Answer a question."""
        answers: dict[str, Callable[..., object]] = {
            "eth_chainId": lambda: hex(CHAIN_ID),
            "eth_getBlockByNumber": self._by_number,
            "eth_getBlockReceipts": lambda block_hash: self._by_hash[block_hash].receipts,
            "eth_getLogs": self._logs,
        }
        return {"jsonrpc": "2.0", "id": 1, "result": answers[method](*params)}

    def replace_last(self, blocks: Sequence[Block], depth: int) -> None:
        """Let other blocks take the place of the last ones."""
        self.blocks[-depth:] = blocks
        self._by_hash |= {block.header["hash"]: block for block in blocks}

    def _by_number(self, number: str, _full: bool) -> dict[str, Any] | None:
        at = len(self.blocks) - 1 if number == "latest" else int(number, 16)
        return self.blocks[at].header if at < len(self.blocks) else None

    def _logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        return [log for block in self.blocks[first : last + 1] for log in block.logs]


def make_chain(events: int, depth: int, seed: int) -> tuple[SyntheticChain, list[Block]]:
    """Return a chain with at least so many events, and blocks that can take the place of its last `depth` ones.

    Parameters
    ----------
    events
        How many.
    depth
        How many blocks are to be replaced, by as many and one.
    seed
        Where everything comes from.
    """
    maker = Maker(random.Random(seed))  # noqa: S311 - nothing is hidden
    blocks = []
    tail = (2 * depth + 2) * EVENTS_PER_BLOCK
    while maker.events < events - tail:
        blocks.append(maker.make(proven=False))
    while maker.events < events - depth * EVENTS_PER_BLOCK:
        blocks.append(maker.make(proven=True))
    other = deepcopy(maker)
    last = [maker.make(proven=True) for _ in range(depth)]
    other.rng.seed(seed + 1)
    instead = [other.make(proven=True, mark=b"other") for _ in range(depth + 1)]
    return SyntheticChain([*blocks, *last]), instead


def _terms(job: int, now: int) -> Terms:
    reward = (1 + job % 7) * _ETHER // 10
    return Terms(
        aggregator=account_of("aggregator", job % 10),
        reward_per_round=reward,
        rule=account_of("rule", 0),
        dimension=2**20,
        coordinate_bits=16,
        scale_exponent=12,
        tolerated=2,
        references=0,
        min_trainers=TRAINERS - 2,
        max_trainers=TRAINERS + 4,
        reward_decay=1,
        submit_window=_MONTH,
        deliver_window=_MONTH,
        settle_window=_MONTH,
        challenge_window=1,
        start_deadline=now + _MONTH,
        rounds=ROUNDS,
        strike_tolerance_bps=0,
        strike_limit=0,
        stake=_ETHER // 2,
        absence_penalty=_ETHER // 20,
        penalty=2 * reward,
        bond=5 * reward,
        token=NATIVE_COIN,
        aggregator_fee_per_round=reward // 10,
        referee=NATIVE_COIN,
        referee_fee_per_round=0,
        allowlist_root=bytes(32),
    )


def _ending(twin: JobTwin) -> Values:
    return {"outcome": int(twin.outcome), **end(twin)}


def _event(name: str, values: Values) -> Event:
    none = HexBytes(bytes(32))
    return Event(name, values, 0, none, 0, none)


def account_of(role: str, number: int) -> ChecksumAddress:
    """Return an account that nobody has the key of."""
    return to_checksum_address(keccak(f"{role} {number}".encode())[:20])


def in_order(accounts: Sequence[ChecksumAddress]) -> tuple[ChecksumAddress, ...]:
    """Return accounts as the market sorts them."""
    return tuple(sorted(accounts, key=lambda account: int(account, 16)))


def binary_cid(digest: bytes) -> bytes:
    """Return the binary CID of raw content by its SHA-256."""
    return b"\x01\x55\x12\x20" + digest


def _log(name: str, values: Values) -> dict[str, Any]:
    """Return what the market logs for an event, its place left out."""
    abi = _ABIS[name]
    topics = [bytes(event_abi_to_log_topic(abi))]  # type: ignore[arg-type]
    kinds, plain = [], []
    for part in abi["inputs"]:
        value = values[part["name"]]
        if part["indexed"]:
            topics.append(encode([part["type"]], [value]))
        else:
            kinds.append(collapse_if_tuple(part))
            plain.append(tuple(value.values()) if isinstance(value, dict) else value)
    data = encode(kinds, plain)
    shown = ["0x" + topic.hex() for topic in topics]
    return {"address": _MARKET_ADDRESS.lower(), "topics": shown, "data": "0x" + data.hex()}


def _block(number: int, now: int, parent: bytes, logs: list[dict[str, Any]], *, proven: bool, mark: bytes) -> Block:
    transactions = [keccak(parent + b"%d" % index) for index in range(len(logs))]
    filters = [_bloom([log]) for log in logs]
    receipts = [
        {
            "type": "0x2",
            "status": "0x1",
            "cumulativeGasUsed": hex(100_000 * (index + 1)),
            "logsBloom": "0x" + bloom.hex(),
            "logs": [log],
            "transactionHash": "0x" + transaction.hex(),
        }
        for index, (log, bloom, transaction) in enumerate(zip(logs, filters, transactions, strict=True))
    ]
    root = receipts_root([_encoded(receipt) for receipt in receipts]) if proven else bytes(32)
    fields: dict[str, bytes | int] = {
        "parentHash": parent,
        "sha3Uncles": bytes(32),
        "miner": bytes(20),
        "stateRoot": bytes(32),
        "transactionsRoot": bytes(32),
        "receiptsRoot": root,
        "logsBloom": _bloom(logs),
        "difficulty": 0,
        "number": number,
        "gasLimit": 30_000_000,
        "gasUsed": 100_000 * len(logs),
        "timestamp": now,
        "extraData": mark,
        "mixHash": bytes(32),
        "nonce": bytes(8),
        "baseFeePerGas": 7,
    }
    block_hash = "0x" + keccak(rlp.encode(list(fields.values()))).hex()
    header = {name: hex(value) if isinstance(value, int) else "0x" + value.hex() for name, value in fields.items()}
    placed = [
        {
            **log,
            "blockNumber": hex(number),
            "blockHash": block_hash,
            "logIndex": hex(index),
            "transactionHash": "0x" + transaction.hex(),
            "removed": False,
        }
        for index, (log, transaction) in enumerate(zip(logs, transactions, strict=True))
    ]
    return Block({**header, "hash": block_hash}, placed, receipts if proven else [])


def _bloom(logs: Sequence[dict[str, Any]]) -> bytes:
    bloom = BloomFilter()
    for log in logs:
        bloom.add(to_canonical_address(log["address"]))
        for topic in log["topics"]:
            bloom.add(bytes.fromhex(topic[2:]))
    return int(bloom).to_bytes(256, "big")


def _encoded(receipt: dict[str, Any]) -> bytes:
    logs = [
        [
            to_canonical_address(log["address"]),
            [bytes.fromhex(topic[2:]) for topic in log["topics"]],
            bytes.fromhex(log["data"][2:]),
        ]
        for log in receipt["logs"]
    ]
    body = [1, int(receipt["cumulativeGasUsed"], 16), bytes.fromhex(receipt["logsBloom"][2:]), logs]
    return b"\x02" + bytes(rlp.encode(body))
