"""The market contract as typed calls: what a party asks of it and what it sends to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final, Self

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from web3 import Web3
from web3.contract.contract import ContractFunction
from web3.types import TxReceipt

from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import MARKET, Deployment
from marketplace.chain.transact import call_view, transact

NATIVE_COIN: Final = to_checksum_address("0x" + "00" * 20)


class JobState(IntEnum):
    """The life of a job, as in `Types.sol`."""

    NONE = 0
    OPEN = 1
    RUNNING = 2
    COMPLETED = 3
    ABORTED = 4

    @property
    def ended(self) -> bool:
        """Whether nothing can change any more but withdrawals."""
        return self in (JobState.COMPLETED, JobState.ABORTED)


class Phase(IntEnum):
    """Where the current round stands, as in `Types.sol`."""

    NONE = 0
    SUBMITTING = 1
    DELIVERING = 2
    SETTLING = 3
    OVERDUE = 4


class ExclusionReason(IntEnum):
    """Why a submitted update was left out of a round, as in `Types.sol`."""

    UNAVAILABLE = 1
    UNDECRYPTABLE = 2
    MISMATCH = 3
    OUT_OF_RANGE = 4

    @property
    def words(self) -> str:
        """The reason as it is shown."""
        return self.name.lower().replace("_", " ")


class VoidCause(IntEnum):
    """Why a round ended without a result, as in `Types.sol`."""

    TOO_FEW_SUBMITTED = 0
    TOO_FEW_ACCEPTED = 1
    TOO_MANY_FAULTY = 2
    TOO_FEW_KEPT = 3
    FLAGGED = 4

    @property
    def words(self) -> str:
        """The cause as it is shown."""
        return self.name.lower().replace("_", " ")


class TrainerStatus(IntEnum):
    """What holds a trainer's stake, as in `Types.sol`."""

    NONE = 0
    STAKED = 1
    LEAVING = 2
    ABSENT = 3
    OUT = 4


class _Struct:
    """A struct of the contract: attributes in the order of its members, named as Python names."""

    @classmethod
    def from_abi(cls, values: Sequence[Any]) -> Self:
        """Read the struct as web3 returns it."""
        return cls(*values)

    def to_abi(self) -> tuple[Any, ...]:
        """Return the struct as web3 takes it."""
        return tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Terms(_Struct):
    """What the owner fixes when a job is created; see `Terms` in `Types.sol`. Amounts in wei, times in seconds."""

    aggregator: ChecksumAddress
    reward_per_round: int
    rule: ChecksumAddress
    dimension: int
    coordinate_bits: int
    scale_exponent: int
    tolerated: int
    references: int
    min_trainers: int
    max_trainers: int
    submit_window: int
    deliver_window: int
    settle_window: int
    challenge_window: int
    start_deadline: int
    rounds: int
    strike_tolerance_bps: int
    strike_limit: int
    stake: int
    absence_penalty: int
    penalty: int
    bond: int
    token: ChecksumAddress
    aggregator_fee_per_round: int
    referee: ChecksumAddress
    referee_fee_per_round: int
    allowlist_root: bytes

    @property
    def deposit(self) -> int:
        """What the owner escrows, in wei."""
        return self.rounds * (self.reward_per_round + self.aggregator_fee_per_round + self.referee_fee_per_round)

    @property
    def has_referee(self) -> bool:
        """Whether a referee posts reference vectors."""
        return self.referee != NATIVE_COIN

    @property
    def quorum(self) -> int:
        """Submissions without which a round is void, 2f + 3."""
        return 2 * self.tolerated + 3


@dataclass(frozen=True)
class Progress(_Struct):
    """How far a job has come; see `Progress` in `Types.sol`."""

    state: int
    outcome: int
    abort_requested: bool
    round_open: bool
    submissions_closed: bool
    reference_submitted: bool
    reference_missing: bool
    failures_in_a_row: int
    voids: int
    round: int
    last_settled_round: int
    settled_rounds: int
    reference_rounds: int
    submit_end: int
    challenge_end: int

    @property
    def job_state(self) -> JobState:
        """The state as an enumeration."""
        return JobState(self.state)

    @property
    def ending(self) -> bool:
        """Whether no further round will open."""
        return self.outcome != JobState.NONE


@dataclass(frozen=True)
class Seats(_Struct):
    """Sets of seats, a bit each; see `Seats` in `Types.sol`."""

    active: int
    joining: int
    leaving: int
    submitted: int
    missing: int
    absent_last: int
    excluded_last: int
    settled_submitters: int
    flags: int


@dataclass(frozen=True)
class TrainerRecord(_Struct):
    """One trainer in one job; see `Trainer` in `Types.sol`. Amounts in wei."""

    credit: int
    pending: int
    pending_round: int
    release_round: int
    seat: int
    strikes: int
    status: int

    def is_in(self, seats: int) -> bool:
        """Whether the trainer's seat is in a set."""
        return bool(seats >> self.seat & 1)


@dataclass(frozen=True)
class LedgerRecord(_Struct):
    """The money of a job that belongs to nobody yet, in wei; see `Ledger` in `Types.sol`."""

    escrow: int
    bond: int
    burned: int


@dataclass(frozen=True)
class Identity:
    """Who owns a job, and the hashes and keys it stands under.

    `encryption_key` is the current round's, `next_encryption_key` the one that the next round opens with; 32 zero
    bytes until the aggregator accepts.
    """

    owner: ChecksumAddress
    specification_hash: bytes
    encryption_key: bytes
    next_encryption_key: bytes
    model_hash: bytes


@dataclass(frozen=True)
class Windows:
    """The current round's phase and the ends of its windows, in seconds since the Unix epoch."""

    phase: Phase
    submit_end: int
    deliver_end: int
    settle_end: int


@dataclass(frozen=True)
class Exclusion(_Struct):
    """One update that is left out of a settlement; see `Exclusion` in `Types.sol`."""

    account: ChecksumAddress
    reason: int
    evidence: bytes


@dataclass(frozen=True)
class Settlement:
    """A settlement as the aggregator hands it in; see `Settlement` in `Types.sol`."""

    job: int
    round: int
    trainers: tuple[ChecksumAddress, ...]
    exclusions: tuple[Exclusion, ...]
    commitments: bytes
    gram: bytes
    model_commitment: bytes
    aggregate_cid: bytes
    proof: bytes

    def to_abi(self) -> tuple[Any, ...]:
        """Return the struct as web3 takes it."""
        exclusions = tuple(exclusion.to_abi() for exclusion in self.exclusions)
        rest = (self.commitments, self.gram, self.model_commitment, self.aggregate_cid, self.proof)
        return (self.job, self.round, self.trainers, exclusions, *rest)


class Market:
    """A market on a chain.

    Parameters
    ----------
    w3 : Web3
        The chain.
    deployment : Deployment
        Where the market lies.
    """

    def __init__(self, w3: Web3, deployment: Deployment) -> None:
        self.w3 = w3
        self.deployment = deployment
        self.contract = w3.eth.contract(deployment.market, abi=load_artifact(MARKET).abi)

    # Views. Each raises `ContractRevertedError` for a job that does not exist.

    def job_count(self) -> int:
        """Return the number of jobs, which is the last one's number."""
        return int(self._ask("jobCount"))

    def terms(self, job: int) -> Terms:
        """Return a job's terms."""
        return Terms.from_abi(self._ask("termsOf", job))

    def identity(self, job: int) -> Identity:
        """Return a job's owner, specification hash, keys and model hash."""
        return Identity(*self._ask("identityOf", job))

    def progress(self, job: int) -> Progress:
        """Return how far a job has come."""
        return Progress.from_abi(self._ask("progressOf", job))

    def seats(self, job: int) -> Seats:
        """Return a job's sets of seats."""
        return Seats.from_abi(self._ask("seatsOf", job))

    def ledger(self, job: int) -> LedgerRecord:
        """Return the money of a job that belongs to nobody yet."""
        return LedgerRecord.from_abi(self._ask("ledgerOf", job))

    def trainer(self, job: int, account: ChecksumAddress) -> TrainerRecord:
        """Return a trainer's record; one of status NONE for an account that never joined."""
        return TrainerRecord.from_abi(self._ask("trainerOf", job, account))

    def windows(self, job: int) -> Windows:
        """Return the current round's phase and windows, by the time of the latest block."""
        phase, submit_end, deliver_end, settle_end = self._ask("phaseOf", job)
        return Windows(Phase(phase), submit_end, deliver_end, settle_end)

    def holders(self, job: int, seats: int) -> list[ChecksumAddress]:
        """Return the holders of a set of seats in ascending order of address."""
        held = [self._ask("seatHolder", job, seat) for seat in range(seats.bit_length()) if seats >> seat & 1]
        return sorted(held, key=lambda account: int(account, 16))

    def join_digest(self, job: int) -> bytes:
        """Return what a trainer agrees to by joining."""
        return bytes(self._ask("joinDigest", job))

    def withdrawable(self, job: int, account: ChecksumAddress) -> int:
        """Return what an account could withdraw from a job now, in wei."""
        return int(self._ask("withdrawable", job, account))

    def now(self) -> int:
        """Return the time of the latest block, by which deadlines are judged."""
        return int(self.w3.eth.get_block("latest")["timestamp"])

    # Transactions. Each raises what `transact` raises.

    def create(self, owner: LocalAccount, terms: Terms, specification_cid: bytes) -> int:
        """Create and fund a job; return its number."""
        value = terms.deposit if terms.token == NATIVE_COIN else 0
        receipt = self._send(owner, "create", terms.to_abi(), specification_cid, value=value)
        created = self.contract.events.JobCreated().process_log(
            next(log for log in receipt["logs"] if log["topics"][0] == _topic(self, "JobCreated"))
        )
        return int(created["args"]["jobId"])

    def accept(self, aggregator: LocalAccount, job: int, encryption_key: bytes) -> TxReceipt:
        """Accept a job with its bond."""
        terms = self.terms(job)
        value = terms.bond if terms.token == NATIVE_COIN else 0
        return self._send(aggregator, "accept", job, encryption_key, value=value)

    def join(self, trainer: LocalAccount, job: int, digest: bytes, proof: Sequence[bytes] = ()) -> TxReceipt:
        """Join a job with the stake, agreeing to `digest`."""
        terms = self.terms(job)
        value = terms.stake if terms.token == NATIVE_COIN else 0
        return self._send(trainer, "join", job, digest, list(proof), value=value)

    def submit(self, trainer: LocalAccount, job: int, number: int, commitment_hash: bytes, cid: bytes) -> TxReceipt:
        """Commit to an update."""
        return self._send(trainer, "submit", job, number, commitment_hash, cid)

    def submit_reference(
        self, referee: LocalAccount, job: int, number: int, commitment_hash: bytes, cid: bytes
    ) -> TxReceipt:
        """Commit to the round's reference vectors."""
        return self._send(referee, "submitReference", job, number, commitment_hash, cid)

    def missing(
        self, aggregator: LocalAccount, job: int, number: int, accounts: Sequence[ChecksumAddress]
    ) -> TxReceipt:
        """Give notice that envelopes can't be fetched."""
        return self._send(aggregator, "missing", job, number, list(accounts))

    def settle(self, aggregator: LocalAccount, settlement: Settlement) -> TxReceipt:
        """Settle the current round."""
        return self._send(aggregator, "settle", settlement.to_abi())

    def rotate_key(self, aggregator: LocalAccount, job: int, encryption_key: bytes) -> TxReceipt:
        """Replace the encryption key from the next round on."""
        return self._send(aggregator, "rotateKey", job, encryption_key)

    def flag(self, trainer: LocalAccount, job: int, number: int) -> TxReceipt:
        """Flag the last settled round."""
        return self._send(trainer, "flag", job, number)

    def start(self, account: LocalAccount, job: int) -> TxReceipt:
        """Start a job that has its trainers."""
        return self._send(account, "start", job)

    def close_submissions(self, account: LocalAccount, job: int, number: int) -> TxReceipt:
        """End the submission phase early."""
        return self._send(account, "closeSubmissions", job, number)

    def void_round(self, account: LocalAccount, job: int, number: int) -> TxReceipt:
        """Void a round in which too few submitted."""
        return self._send(account, "voidRound", job, number)

    def expire(self, account: LocalAccount, job: int, number: int) -> TxReceipt:
        """End a round that was not settled in time."""
        return self._send(account, "expire", job, number)

    def complete(self, account: LocalAccount, job: int) -> TxReceipt:
        """End a job after its last challenge window."""
        return self._send(account, "complete", job)

    def abort(self, account: LocalAccount, job: int) -> TxReceipt:
        """Abort a job, at once while it is open and after the current round while it is running."""
        return self._send(account, "abort", job)

    def leave(self, trainer: LocalAccount, job: int) -> TxReceipt:
        """Leave a job."""
        return self._send(trainer, "leaveJob", job)

    def withdraw(self, account: LocalAccount, job: int, to: ChecksumAddress) -> TxReceipt:
        """Send everything that the account can withdraw from a job to `to`."""
        return self._send(account, "withdraw", job, to)

    def _ask(self, name: str, *arguments: object) -> Any:  # noqa: ANN401 - any ABI value
        return call_view(self._function(name, *arguments))

    def _send(self, account: LocalAccount, name: str, *arguments: object, value: int = 0) -> TxReceipt:
        return transact(self.w3, account, self._function(name, *arguments), value=value)

    def _function(self, name: str, *arguments: object) -> ContractFunction:
        function: ContractFunction = self.contract.get_function_by_name(name)(*arguments)
        return function


def _topic(market: Market, event: str) -> bytes:
    return bytes.fromhex(market.contract.get_event_by_name(event)().topic[2:])
