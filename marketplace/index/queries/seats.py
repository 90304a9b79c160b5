"""A trainer's part in a job, round by round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress
from sqlalchemy import and_, select

from marketplace.chain.structs import ExclusionReason
from marketplace.index.queries.answers import Answer, Reader, check_number, check_size
from marketplace.index.rows import table_named

_SUBMISSIONS: Final = table_named("submissions")
_CONTRIBUTIONS: Final = table_named("contributions")


@dataclass(frozen=True)
class RoundPart:
    """What a trainer did in a round, and what became of it.

    Attributes
    ----------
    round
        Its number.
    cid, transaction_hash
        Binary CID of the envelope, and the transaction that committed to it.
    verdict
        "kept", "dropped", "excluded", or None while the round is under way or if it ended without a result.
    weight, contribution, payout
        What the rule decided; None if it decided nothing. The payout is in the token's smallest unit.
    reason
        Why it was excluded; None if it was not.
    is_final
        Whether a reorganisation can't undo it.
    """

    round: int
    cid: bytes
    transaction_hash: bytes
    verdict: str | None
    weight: int | None
    contribution: int | None
    payout: int | None
    reason: ExclusionReason | None
    is_final: bool


def parts_of(reader: Reader, job: int, account: ChecksumAddress, *, size: int = 50) -> Answer[tuple[RoundPart, ...]]:
    """Return a trainer's last submissions in a job, at most `size`, the newest first."""
    decided = _CONTRIBUTIONS.c
    same = [getattr(decided, name) == _SUBMISSIONS.c[name] for name in ("market_id", "job", "round", "account")]
    query = (
        select(
            _SUBMISSIONS.c.round,
            _SUBMISSIONS.c.cid,
            _SUBMISSIONS.c.transaction_hash,
            _SUBMISSIONS.c.block,
            decided.verdict,
            decided.weight,
            decided.contribution,
            decided.payout,
            decided.reason,
            decided.block.label("decided_block"),
        )
        .outerjoin(_CONTRIBUTIONS, and_(*same))
        .where(_SUBMISSIONS.c.job == check_number(job), _SUBMISSIONS.c.account == account)
        .order_by(_SUBMISSIONS.c.round.desc())
        .limit(check_size(size))
    )
    with reader.asking() as (connection, market_id, standing):
        rows = connection.execute(query.where(_SUBMISSIONS.c.market_id == market_id)).all()
    parts = [
        RoundPart(
            row.round,
            bytes(row.cid),
            bytes(row.transaction_hash),
            row.verdict,
            row.weight,
            row.contribution,
            row.payout,
            None if row.reason is None else ExclusionReason(row.reason),
            standing.is_final(row.decided_block or row.block),
        )
        for row in rows
    ]
    return Answer(tuple(parts), standing)
