"""The market contract's enumerations and structs as typed values; `Types.sol` says what each member means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final, Self

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from contribution.reward_schedule import round_reward

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
    REFUTED = 5

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


class Removal(IntEnum):
    """Why a trainer was removed from a job, as in `Types.sol`."""

    ABSENT = 0
    EXCLUDED = 1
    STRUCK_OUT = 2


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
    reward_decay: int
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

    def reward_after(self, settled: int) -> int:
        """Return what the trainers of the round share that is settled after `settled` others, in wei."""
        return round_reward(self.reward_per_round, self.reward_decay, self.rounds, settled)

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
    new_model_commitment: bytes
    aggregate_cid: bytes
    proof: bytes

    def to_abi(self) -> tuple[Any, ...]:
        """Return the struct as web3 takes it."""
        exclusions = tuple(exclusion.to_abi() for exclusion in self.exclusions)
        models = (self.model_commitment, self.new_model_commitment)
        rest = (self.commitments, self.gram, *models, self.aggregate_cid, self.proof)
        return (self.job, self.round, self.trainers, exclusions, *rest)
