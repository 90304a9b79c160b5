"""A job's state as its events build it up, and what they call for next."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from eth_typing import ChecksumAddress

from marketplace.chain.structs import JobState, Terms, TrainerStatus


class Matter(StrEnum):
    """What a fault in a sequence of events is about."""

    ORDER = "order"
    TIME = "time"
    MONEY = "money"


@dataclass(frozen=True)
class Fault:
    """An event that does not follow from those before it.

    Attributes
    ----------
    matter
        What it is about.
    round
        The round in which it happened; 0 before the first.
    words
        A clause with both values.
    """

    matter: Matter
    round: int
    words: str


@dataclass(frozen=True)
class Due:
    """An event that must come next, because the one before calls for it.

    Attributes
    ----------
    name, arguments
        As in `Event`, the job's number left out.
    """

    name: str
    arguments: dict[str, Any]


@dataclass
class Account:
    """One trainer, as in `Trainer` of `Types.sol`; amounts in wei."""

    seat: int = 0
    credit: int = 0
    pending: int = 0
    pending_round: int = 0
    release_round: int = 0
    strikes: int = 0
    status: TrainerStatus = TrainerStatus.NONE


@dataclass
class Totals:
    """What went in and out of a job, in wei."""

    deposited: int = 0
    bonded: int = 0
    staked: int = 0
    withdrawn: int = 0
    burned: int = 0


@dataclass
class JobTwin:
    """A job as its events say it stands; the attributes are those of `Types.sol` with accounts for seats.

    Attributes
    ----------
    terms, owner
        As created.
    excluded, struck_out
        Who was left out of the settlement that is being told, and who lost its seat by it.
    model_hash, previous_model_hash
        keccak256 of the model commitment, and of the one that the last settled round began with; None until then.
    overturned
        Settled rounds that were challenged with success, and how: "flagged" or "refuted".
    due
        Events that must come next.
    faults
        What did not follow.
    """

    terms: Terms
    owner: ChecksumAddress
    now: int = 0
    state: JobState = JobState.OPEN
    outcome: JobState = JobState.NONE
    abort_requested: bool = False
    round_open: bool = False
    submissions_closed: bool = False
    reference_submitted: bool = False
    reference_missing: bool = False
    failures_in_a_row: int = 0
    voids: int = 0
    round: int = 0
    last_settled_round: int = 0
    settled_rounds: int = 0
    reference_rounds: int = 0
    submit_end: int = 0
    challenge_end: int = 0
    encryption_key: bytes = bytes(32)
    next_encryption_key: bytes = bytes(32)
    model_hash: bytes | None = None
    previous_model_hash: bytes | None = None
    active: set[ChecksumAddress] = field(default_factory=set)
    joining: set[ChecksumAddress] = field(default_factory=set)
    leaving: set[ChecksumAddress] = field(default_factory=set)
    submitted: set[ChecksumAddress] = field(default_factory=set)
    missing: set[ChecksumAddress] = field(default_factory=set)
    absent_last: set[ChecksumAddress] = field(default_factory=set)
    excluded_last: set[ChecksumAddress] = field(default_factory=set)
    settled_submitters: set[ChecksumAddress] = field(default_factory=set)
    flags: set[ChecksumAddress] = field(default_factory=set)
    excluded: dict[ChecksumAddress, int] = field(default_factory=dict)
    struck_out: set[ChecksumAddress] = field(default_factory=set)
    escrow: int = 0
    bond: int = 0
    burned: int = 0
    credits: Counter[ChecksumAddress] = field(default_factory=Counter)
    accounts: dict[ChecksumAddress, Account] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    overturned: dict[int, str] = field(default_factory=dict)
    due: deque[Due] = field(default_factory=deque)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, matter: Matter, words: str) -> None:
        """Note something that does not follow."""
        self.faults.append(Fault(matter, self.round, words))

    def expect(self, matter: Matter, holds: bool, words: str) -> None:
        """Note a fault unless something holds."""
        if not holds:
            self.fault(matter, words)

    def expect_open(self, number: int, what: str) -> None:
        """Note a fault unless a round is the open one."""
        self.expect(
            Matter.ORDER,
            self.round_open and number == self.round,
            f"{what} round {number}, while round {self.round} was {'open' if self.round_open else 'the last and over'}",
        )

    def call_for(self, name: str, **arguments: Any) -> None:  # noqa: ANN401 - any value of an event
        """Let an event be due."""
        self.due.append(Due(name, arguments))

    def account(self, address: ChecksumAddress) -> Account:
        """Return a trainer's record, a new one for an account without."""
        return self.accounts.setdefault(address, Account())

    def by_seat(self, addresses: set[ChecksumAddress]) -> list[ChecksumAddress]:
        """Return accounts in the order of their seats."""
        return sorted(addresses, key=lambda address: self.account(address).seat)

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return self.state.ended

    @property
    def deliver_end(self) -> int:
        """When the current round's delivery ends."""
        return self.submit_end + self.terms.deliver_window

    @property
    def settle_end(self) -> int:
        """The last moment at which the current round can be settled."""
        return max(self.deliver_end, self.challenge_end) + self.terms.settle_window
