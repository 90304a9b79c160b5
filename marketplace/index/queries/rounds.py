"""A job's rounds: their list, and a round's page with every number in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_typing import ChecksumAddress
from sqlalchemy import Connection, func, select

from marketplace.chain.structs import ExclusionReason, VoidCause
from marketplace.index.queries.answers import (
    NUMBER_LIMIT,
    PLACE_LIMIT,
    Answer,
    Page,
    Reader,
    check_number,
    check_size,
    mark_of,
    page_of,
    parse_mark,
)
from marketplace.index.rows import table_named

_ROUNDS: Final = table_named("rounds")
# Of a round in a list; its matrix takes 66 kB with 128 trainers.
_LISTED: Final = (
    *("number", "opened_time", "opened_block", "closed_block", "submit_end", "ended_time", "ended_block", "outcome"),
    *("void_cause", "paid", "penalty", "penalty_share", "overturned", "overturned_block"),
)


@dataclass(frozen=True)
class RoundLine:
    """A round in a list; amounts in wei, times in seconds since the Unix epoch.

    `outcome` is "settled", "void", "expired", or None while it is under way; `overturned` is "refuted" or "flagged" if
    it was challenged with success. `is_final` tells whether the last event that is shown of it is.
    """

    number: int
    opened_time: int
    submit_end: int
    ended_time: int | None
    outcome: str | None
    void_cause: VoidCause | None
    paid: int | None
    penalty: int | None
    penalty_share: int | None
    overturned: str | None
    is_final: bool


@dataclass(frozen=True)
class Submitted:
    """What an account submitted: commitment hash, binary CID of the envelope, and the transaction's hash."""

    account: ChecksumAddress
    is_reference: bool
    commitment_hash: bytes
    cid: bytes
    transaction_hash: bytes


@dataclass(frozen=True)
class Decided:
    """What became of a submission, as in `tables.Contribution`; the payout in wei."""

    account: ChecksumAddress
    verdict: str
    weight: int | None
    contribution: int | None
    payout: int | None
    reason: ExclusionReason | None
    evidence: bytes | None


@dataclass(frozen=True)
class Challenged:
    """A flag or a refutation, and what the challenger got for it in wei."""

    account: ChecksumAddress
    kind: str
    reward: int | None


@dataclass(frozen=True)
class RoundPage:
    """A round with every number in it.

    Attributes
    ----------
    line
        As in lists.
    encryption_key, model_hash
        As it opened.
    deliver_end
        If submissions were closed before their end.
    gram, model_commitment, aggregate_cid
        What was settled.
    ended_in, ended_block
        The transaction that ended it, and its block.
    settled_before
        How many earlier rounds were settled and not refuted, by which its reward goes.
    submissions, decided, missing, challenges
        By account.
    """

    line: RoundLine
    encryption_key: bytes
    model_hash: bytes
    deliver_end: int | None
    gram: bytes | None
    model_commitment: bytes | None
    aggregate_cid: bytes | None
    ended_in: bytes | None
    ended_block: int | None
    settled_before: int
    submissions: tuple[Submitted, ...]
    decided: tuple[Decided, ...]
    missing: tuple[ChecksumAddress, ...]
    challenges: tuple[Challenged, ...]


def list_rounds(reader: Reader, job: int, *, size: int = 50, after: str | None = None) -> Answer[Page[RoundLine]]:
    """Return a page of a job's rounds, the newest first; raises `QueryError` as `list_jobs` does."""
    query = (
        select(*(_ROUNDS.c[name] for name in _LISTED))
        .where(_ROUNDS.c.job == check_number(job))
        .order_by(_ROUNDS.c.number.desc())
        .limit(check_size(size) + 1)
    )
    if after is not None:
        query = query.where(_ROUNDS.c.number < parse_mark(after, [PLACE_LIMIT])[0])
    with reader.asking() as (connection, market_id, standing):
        rows = connection.execute(query.where(_ROUNDS.c.market_id == market_id)).all()
    lines = [_line(row, standing.final_block) for row in rows]
    return Answer(page_of(lines, size, [mark_of(row.number) for row in rows]), standing)


def round_page(reader: Reader, job: int, number: int) -> Answer[RoundPage | None]:
    """Return a round's page; None if there is no such round."""
    with reader.asking() as (connection, market_id, standing):
        where = _ROUNDS.c.market_id == market_id, _ROUNDS.c.job == job, _ROUNDS.c.number == number
        known = 0 < job < NUMBER_LIMIT and 0 < number < PLACE_LIMIT
        row = connection.execute(select(_ROUNDS).where(*where)).one_or_none() if known else None
        if row is None:
            return Answer(None, standing)
        earlier = (_ROUNDS.c.market_id == market_id, _ROUNDS.c.job == job, _ROUNDS.c.number < number)
        stands = _ROUNDS.c.outcome == "settled", func.coalesce(_ROUNDS.c.overturned, "") != "refuted"
        settled_before = int(connection.execute(select(func.count()).where(*earlier, *stands)).scalar_one())
        parts = {
            name: _rows(connection, name, market_id, job, number)
            for name in ("submissions", "contributions", "notices", "challenges")
        }
    page = RoundPage(
        _line(row, standing.final_block),
        bytes(row.encryption_key),
        bytes(row.model_hash),
        row.deliver_end,
        _bytes(row.gram),
        _bytes(row.model_commitment),
        _bytes(row.aggregate_cid),
        _bytes(row.ended_in),
        row.ended_block,
        settled_before,
        tuple(map(_submitted, parts["submissions"])),
        tuple(map(_decided, parts["contributions"])),
        tuple(dict.fromkeys(notice.account for notice in parts["notices"])),
        tuple(Challenged(each.account, each.kind, each.reward) for each in parts["challenges"]),
    )
    return Answer(page, standing)


def _rows(connection: Connection, name: str, market_id: int, job: int, number: int) -> list[Any]:
    table = table_named(name)
    query = select(table).where(table.c.market_id == market_id, table.c.job == job, table.c.round == number)
    return sorted(connection.execute(query).all(), key=lambda row: row.account)


def _line(row: Any, final_block: int) -> RoundLine:  # noqa: ANN401 - a row of rounds
    last = max(block or 0 for block in (row.opened_block, row.closed_block, row.ended_block, row.overturned_block))
    return RoundLine(
        row.number,
        row.opened_time,
        row.submit_end,
        row.ended_time,
        row.outcome,
        None if row.void_cause is None else VoidCause(row.void_cause),
        row.paid,
        row.penalty,
        row.penalty_share,
        row.overturned,
        last <= final_block,
    )


def _submitted(row: Any) -> Submitted:  # noqa: ANN401
    return Submitted(
        row.account, row.is_reference, bytes(row.commitment_hash), bytes(row.cid), bytes(row.transaction_hash)
    )


def _decided(row: Any) -> Decided:  # noqa: ANN401
    reason = None if row.reason is None else ExclusionReason(row.reason)
    scores = (row.weight, row.contribution, row.payout)
    return Decided(row.account, row.verdict, *scores, reason, _bytes(row.evidence))


def _bytes(value: bytes | None) -> bytes | None:
    return None if value is None else bytes(value)
