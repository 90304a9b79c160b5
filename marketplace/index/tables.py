"""The tables of the index.

Every row of a market carries its market's key, so that several markets, on one chain or on many, lie side by side. What
follows from the chain carries the number of the block that brought it, by which a reorganisation takes it out again.
Amounts are stored as `marketplace.index.columns` says; hashes, keys and binary CIDs as bytes; accounts as text with
checksum.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, String, Text
from sqlalchemy import Boolean as SqlBoolean
from sqlmodel import Field, SQLModel

from marketplace.index.columns import Amount, Signed

# Characters of an account with its checksum.
_ACCOUNT: Final = 42


class Table(SQLModel):
    """What all tables share: a catalogue of their own."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        }
    )


def _market() -> Any:  # noqa: ANN401 - what a field of SQLModel is
    return Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))


def _key(kind: Any = BigInteger) -> Any:  # noqa: ANN401
    return Field(sa_column=Column(kind, primary_key=True, autoincrement=False))


def _value(kind: Any = BigInteger, **more: Any) -> Any:  # noqa: ANN401
    return Field(sa_column=Column(kind, nullable=False, **more))


def _optional(kind: Any = BigInteger) -> Any:  # noqa: ANN401
    return Field(default=None, sa_column=Column(kind, nullable=True))


class Market(Table, table=True):
    """A market, and how far its index has come.

    Attributes
    ----------
    id
        Key within this database, of no meaning elsewhere.
    chain_id, address
        Of the market.
    block, block_hash, block_time
        The last block that is indexed; everything else in the database stands as after it.
    final_block
        Up to this block nothing changes any more: the finality depth below the highest block that was ever indexed.
    alarm
        Why the index can't go on; None if it can.
    """

    __tablename__ = "markets"
    __table_args__ = (Index(None, "chain_id", "address", unique=True),)
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    chain_id: int = _value()
    address: str = _value(String(_ACCOUNT))
    block: int = _value()
    block_hash: bytes = _value(LargeBinary)
    block_time: int = _value()
    final_block: int = _value()
    alarm: str | None = _optional(Text)


class Block(Table, table=True):
    """A block that holds an event, or one of the last, by which a reorganisation is seen."""

    __tablename__ = "blocks"
    market_id: int = _market()
    number: int = _key()
    hash: bytes = _value(LargeBinary)
    parent_hash: bytes = _value(LargeBinary)
    time: int = _value()
    holds_events: bool = _value(SqlBoolean)


class Event(Table, table=True):
    """An event as the market logged it; all else follows from these.

    Attributes
    ----------
    topics
        One after the other, 32 bytes each.
    """

    __tablename__ = "events"
    __table_args__ = (Index(None, "market_id", "job", "block", "log_index"),)
    market_id: int = _market()
    block: int = _key()
    log_index: int = _key(Integer)
    job: int = _value()
    name: str = _value(String(32))
    transaction_hash: bytes = _value(LargeBinary)
    topics: bytes = _value(LargeBinary)
    data: bytes = _value(LargeBinary)


class Job(Table, table=True):
    """A job: what it was created with, and where it stands.

    Attributes
    ----------
    terms
        All of its terms as JSON; those that lists are filtered by stand in columns of their own too.
    specification_cid
        Binary CID.
    state
        `JobState`; `round` is the current or last round, 0 before the first.
    trainers
        How many take part.
    escrow, bond, burned
        Its money that belongs to nobody yet.
    paid
        What trainers were credited for settled rounds that stand.
    changed_block
        The last block that held an event of it.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "market_id", "created_block"),
        Index(None, "market_id", "state", "number"),
        Index(None, "market_id", "reward_per_round", "number"),
        Index(None, "market_id", "stake", "number"),
        Index(None, "market_id", "aggregator", "number"),
        Index(None, "market_id", "owner", "number"),
        Index(None, "specification_cid"),
    )
    market_id: int = _market()
    number: int = _key()
    created_block: int = _value()
    created_time: int = _value()
    owner: str = _value(String(_ACCOUNT))
    aggregator: str = _value(String(_ACCOUNT))
    referee: str = _value(String(_ACCOUNT))
    token: str = _value(String(_ACCOUNT))
    rule: str = _value(String(_ACCOUNT))
    specification_cid: bytes = _value(LargeBinary)
    reward_per_round: int = _value(Amount)
    stake: int = _value(Amount)
    rounds: int = _value(Integer)
    terms: str = _value(Text)
    state: int = _value(SmallInteger)
    round: int = _value(Integer)
    settled_rounds: int = _value(Integer)
    trainers: int = _value(Integer)
    escrow: int = _value(Amount)
    bond: int = _value(Amount)
    burned: int = _value(Amount)
    paid: int = _value(Amount)
    changed_block: int = _value()


class Round(Table, table=True):
    """A round: how it opened, and how it ended.

    Attributes
    ----------
    submit_end, encryption_key, model_hash
        As it opened.
    closed_block, deliver_end
        If submissions were closed before their end.
    outcome
        "settled", "void" or "expired"; None while it is under way.
    void_cause
        `VoidCause` of a void round.
    penalty, penalty_share
        What the aggregator lost by letting it expire, and what each submitter got of it.
    paid
        What it paid when it was settled.
    gram, model_commitment, aggregate_cid
        What was settled.
    overturned, overturned_block
        "refuted" or "flagged", if it was challenged with success.
    """

    __tablename__ = "rounds"
    __table_args__ = (
        Index(None, "market_id", "opened_block"),
        Index(None, "market_id", "closed_block"),
        Index(None, "market_id", "ended_block"),
        Index(None, "market_id", "overturned_block"),
        # Counts rounds by how they ended without reading their matrices.
        Index(None, "market_id", "job", "outcome", "overturned", "penalty"),
    )
    market_id: int = _market()
    job: int = _key()
    number: int = _key(Integer)
    opened_block: int = _value()
    opened_time: int = _value()
    submit_end: int = _value()
    encryption_key: bytes = _value(LargeBinary)
    model_hash: bytes = _value(LargeBinary)
    closed_block: int | None = _optional()
    deliver_end: int | None = _optional()
    ended_block: int | None = _optional()
    ended_time: int | None = _optional()
    ended_in: bytes | None = _optional(LargeBinary)
    outcome: str | None = _optional(String(8))
    void_cause: int | None = _optional(SmallInteger)
    penalty: int | None = _optional(Amount)
    penalty_share: int | None = _optional(Amount)
    paid: int | None = _optional(Amount)
    gram: bytes | None = _optional(LargeBinary)
    model_commitment: bytes | None = _optional(LargeBinary)
    aggregate_cid: bytes | None = _optional(LargeBinary)
    overturned: str | None = _optional(String(8))
    overturned_block: int | None = _optional()


class Submission(Table, table=True):
    """What a trainer, or the referee, submitted in a round."""

    __tablename__ = "submissions"
    __table_args__ = (Index(None, "market_id", "block"),)
    market_id: int = _market()
    job: int = _key()
    round: int = _key(Integer)
    account: str = _key(String(_ACCOUNT))
    is_reference: bool = _value(SqlBoolean)
    commitment_hash: bytes = _value(LargeBinary)
    cid: bytes = _value(LargeBinary)
    transaction_hash: bytes = _value(LargeBinary)
    block: int = _value()
    log_index: int = _value(Integer)


class Contribution(Table, table=True):
    """What became of a submission when its round was decided.

    Attributes
    ----------
    verdict
        "kept" in the average, "dropped" by the rule, or "excluded" before it.
    weight, contribution, payout
        What the rule decided; None if excluded.
    reason, evidence
        `ExclusionReason` and binary CID; None unless excluded.
    """

    __tablename__ = "contributions"
    __table_args__ = (Index(None, "market_id", "block"),)
    market_id: int = _market()
    job: int = _key()
    round: int = _key(Integer)
    account: str = _key(String(_ACCOUNT))
    verdict: str = _value(String(8))
    weight: int | None = _optional(Amount)
    contribution: int | None = _optional(Signed)
    payout: int | None = _optional(Amount)
    reason: int | None = _optional(SmallInteger)
    evidence: bytes | None = _optional(LargeBinary)
    block: int = _value()


class Notice(Table, table=True):
    """A notice that an account's envelope can't be fetched; it may be given again."""

    __tablename__ = "notices"
    __table_args__ = (Index(None, "market_id", "job", "round"),)
    market_id: int = _market()
    block: int = _key()
    log_index: int = _key(Integer)
    job: int = _value()
    round: int = _value(Integer)
    account: str = _value(String(_ACCOUNT))


class Challenge(Table, table=True):
    """A flag against a settled round, or its refutation.

    Attributes
    ----------
    kind
        "flag" or "refutation".
    reward
        What the challenger got; None for a flag.
    """

    __tablename__ = "challenges"
    __table_args__ = (Index(None, "market_id", "block"),)
    market_id: int = _market()
    job: int = _key()
    round: int = _key(Integer)
    account: str = _key(String(_ACCOUNT))
    kind: str = _key(String(10))
    reward: int | None = _optional(Amount)
    block: int = _value()


class Seat(Table, table=True):
    """A trainer's part in a job, as it stands.

    Attributes
    ----------
    joined_block, joined_time, from_round
        When it joined last.
    seat, status, strikes
        As in the market; `status` is a `TrainerStatus`.
    left_round, removed
        In which round it left or was removed, and the `Removal`; None where it did not.
    submitted, kept, dropped, excluded
        Rounds in which it submitted, and what became of them.
    earned
        What it was credited for its work, shares of penalties included, less what was taken back.
    burned
        What it lost of its stake.
    """

    __tablename__ = "seats"
    __table_args__ = (Index(None, "market_id", "account", "job"),)
    market_id: int = _market()
    job: int = _key()
    account: str = _key(String(_ACCOUNT))
    joined_block: int = _value()
    joined_time: int = _value()
    from_round: int = _value(Integer)
    seat: int = _value(SmallInteger)
    status: int = _value(SmallInteger)
    strikes: int = _value(Integer)
    left_round: int | None = _optional(Integer)
    removed: int | None = _optional(SmallInteger)
    submitted: int = _value(Integer)
    kept: int = _value(Integer)
    dropped: int = _value(Integer)
    excluded: int = _value(Integer)
    earned: int = _value(Amount)
    burned: int = _value(Amount)


class Entry(Table, table=True):
    """One side of a movement of money; those of one event add up to nothing.

    Attributes
    ----------
    place
        Which of the event's entries it is.
    event, round
        The event that moved it, and the round that was the current one.
    pot
        "outside" the market, "escrow", "bond", "burned", or an account's "credit" or "stake".
    account
        Whose; None for a pot of the job and for money that is burned.
    sign, amount
        Whether the pot got (1) or lost (-1) it, and how much.
    """

    __tablename__ = "entries"
    __table_args__ = (
        Index(None, "market_id", "job", "block", "log_index", "place"),
        Index(None, "market_id", "account", "block", "log_index", "place"),
    )
    market_id: int = _market()
    block: int = _key()
    log_index: int = _key(Integer)
    place: int = _key(Integer)
    job: int = _value()
    round: int = _value(Integer)
    event: str = _value(String(32))
    pot: str = _value(String(8))
    account: str | None = _optional(String(_ACCOUNT))
    sign: int = _value(SmallInteger)
    amount: int = _value(Amount)


class Snapshot(Table, table=True):
    """A job's whole state after a block, from which its later events are followed again; no part of the dump."""

    __tablename__ = "snapshots"
    __table_args__ = (Index(None, "market_id", "block"),)
    market_id: int = _market()
    job: int = _key()
    block: int = _key()
    state: str = _value(Text)


class Specification(Table, table=True):
    """What a job's specification says, an owner's words; no part of the dump, and of no market.

    Attributes
    ----------
    cid
        Binary CID, by which jobs name it.
    state, fault
        "usable", "missing" or "refused", and why not usable.
    tried_at, missing_since, next_try
        When it was looked for last, since when in vain, and when it is due again; seconds since the Unix epoch.
    words
        What is searched: title, description, model and licence in the form of `text_forms.search_form`.
    """

    __tablename__ = "specifications"
    __table_args__ = (Index(None, "next_try"),)
    cid: bytes = _key(LargeBinary)
    state: str = _value(String(8))
    fault: str | None = _optional(Text)
    tried_at: int = _value()
    missing_since: int | None = _optional()
    next_try: int | None = _optional()
    title: str | None = _optional(Text)
    description: str | None = _optional(Text)
    licence: str | None = _optional(Text)
    datasheet: str | None = _optional(Text)
    model: str | None = _optional(Text)
    words: str | None = _optional(Text)
