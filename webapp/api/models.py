"""What answers look like; attributes are those of `marketplace.index.queries`, strangers' words as they wrote them."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from webapp.api.values import Account, Amount, ContentId, Hex, Moment, Name, Signed

JobStateName = Annotated[Literal["open", "running", "completed", "aborted"], BeforeValidator(lambda v: _lower(v))]
T = TypeVar("T")


def _lower(value: object) -> object:
    return value.name.lower() if hasattr(value, "name") else value


class Model(BaseModel):
    """Reads the index's values by attribute."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")


class Standing(Model):
    """When an answer holds."""

    block: int = Field(description="It is what the market's events up to this block say.")
    block_hash: Hex
    block_time: Moment
    final_block: int = Field(description="What happened up to this block is not undone by a reorganisation.")
    alarm: str | None = Field(description="Why the index can't go on; null if it can.")


class Answered(Model, Generic[T]):
    """An answer: the value, when it holds, and whether it can still change."""

    chain_id: int
    market: Account
    standing: Standing
    final: bool = Field(description="Whether everything in the value follows from final blocks.")
    value: T


class Listed(Model, Generic[T]):
    """Some of a list."""

    items: tuple[T, ...]
    next: str | None = Field(description="The argument `after` of the next page; null if this is the last.")


class JobLine(Model):
    """A job in a list."""

    number: int
    state: JobStateName
    title: str | None = Field(description="The owner's words; null until they were fetched.")
    model: str | None
    owner: Account
    aggregator: Account
    token: Account = Field(description="The zero address for the chain's native coin.")
    reward_per_round: Amount
    stake: Amount
    rounds: int
    round: int = Field(description="The current or last round; 0 before the first.")
    settled_rounds: int
    trainers: int
    created_time: Moment
    is_final: bool


class Terms(Model):
    """What the owner fixed when the job was created."""

    aggregator: Account
    reward_per_round: Amount
    rule: Account
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
    start_deadline: Moment
    rounds: int
    strike_tolerance_bps: int
    strike_limit: int
    stake: Amount
    absence_penalty: Amount
    penalty: Amount
    bond: Amount
    token: Account
    aggregator_fee_per_round: Amount
    referee: Account = Field(description="The zero address if there is none.")
    referee_fee_per_round: Amount
    allowlist_root: Hex


class Seat(Model):
    """A trainer's part in a job."""

    account: Account
    status: Name
    seat: int
    from_round: int
    left_round: int | None
    removed: Name | None
    strikes: int
    submitted: int
    kept: int
    dropped: int
    excluded: int
    earned: Amount
    burned: Amount


class Job(Model):
    """Everything about a job but its rounds."""

    line: JobLine
    terms: Terms
    specification_cid: ContentId
    description: str | None
    licence: str | None
    datasheet: str | None
    model: str | None
    text_fault: str | None
    escrow: Amount
    bond: Amount
    burned: Amount
    paid: Amount
    seats: tuple[Seat, ...]


class RoundLine(Model):
    """A round in a list."""

    number: int
    opened_time: Moment
    submit_end: Moment
    ended_time: Moment | None
    outcome: Literal["settled", "void", "expired"] | None = Field(description="Null while it is under way.")
    void_cause: Name | None
    paid: Amount | None
    penalty: Amount | None
    penalty_share: Amount | None
    overturned: Literal["refuted", "flagged"] | None
    is_final: bool


class Submitted(Model):
    """What an account handed in."""

    account: Account
    is_reference: bool
    commitment_hash: Hex
    cid: ContentId
    transaction_hash: Hex


class Decided(Model):
    """What became of it."""

    account: Account
    verdict: Literal["kept", "dropped", "excluded"]
    weight: Amount | None = Field(description="In units of 2^-16 of the aggregate.")
    contribution: Signed | None = Field(description="Exact Shapley value, in units of 2^-32.")
    payout: Amount | None
    reason: Name | None
    evidence: ContentId | None


class Challenged(Model):
    """A flag or a refutation."""

    account: Account
    kind: Literal["flag", "refutation"]
    reward: Amount | None


class Round(Model):
    """A round with every number in it."""

    line: RoundLine
    encryption_key: Hex
    model_hash: Hex
    deliver_end: Moment | None
    gram: Hex | None = Field(description="Upper triangle of the matrix, row by row, 64-bit big-endian integers.")
    model_commitment: Hex | None
    aggregate_cid: ContentId | None
    ended_in: Hex | None
    ended_block: int | None
    settled_before: int
    submissions: tuple[Submitted, ...]
    decided: tuple[Decided, ...]
    missing: tuple[Account, ...]
    challenges: tuple[Challenged, ...]


class Part(Model):
    """A job, and a trainer's part in it."""

    job: int
    seat: Seat


class Trainer(Model):
    """A trainer's record over all jobs."""

    account: Account
    jobs: int
    removed: int
    submitted: int
    kept: int
    dropped: int
    excluded: int
    strikes: int
    earned: dict[Account, Amount] = Field(description="By token.")
    burned: dict[Account, Amount] = Field(description="By token.")
    parts: Listed[Part]


class Aggregator(Model):
    """An aggregator's record over all jobs."""

    account: Account
    states: dict[str, int] = Field(description="How many of its jobs are in each state.")
    outcomes: dict[str, int]
    overturned: dict[str, int]
    penalties: dict[Account, Amount] = Field(description="By token.")
    jobs: Listed[JobLine]


class Movement(Model):
    """One side of a movement of money; those of one event add up to nothing."""

    block: int
    log_index: int
    place: int
    job: int
    round: int
    event: str
    pot: Literal["outside", "escrow", "bond", "burned", "credit", "stake"]
    account: Account | None
    amount: Signed
    is_final: bool


class Fault(Model):
    """What is wrong with a question, or with the server."""

    status: int
    title: str
    message: str
    advice: str
    code: str | None


class Failed(Model):
    """A failure."""

    error: Fault
