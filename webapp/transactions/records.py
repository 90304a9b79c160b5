"""What was prepared for an account to sign, and the hash it was sent with; nobody else is told of it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from sqlalchemy import Engine, delete, select, update

from marketplace.index.database import reading, writing
from webapp.state import PREPARED
from webapp.transactions.decoder import Call
from webapp.transactions.trial import Trial
from webapp.transactions.unsigned import Kind, Unsigned

# Older ones are forgotten; the chain keeps what came of them.
KEPT_SECONDS: Final = 90 * 86_400
MOST_SHOWN: Final = 10


@dataclass(frozen=True)
class Prepared:
    """A transaction that a wallet was or is to be asked to sign.

    Attributes
    ----------
    id
        Names it on this site; cannot be guessed.
    unsigned, trial
        What it is, and what it was found to need.
    created_at
        When, in seconds since the Unix epoch.
    hash
        With which the wallet says to have sent it; None if it has not said.
    nonce, sent_block
        The nonce that the node saw it with, and the node's block when the wallet said so; None if unknown.
    """

    id: str
    unsigned: Unsigned
    trial: Trial
    created_at: float
    hash: str | None
    nonce: int | None
    sent_block: int | None

    @property
    def call(self) -> Call:
        """What is decoded."""
        return Call(self.unsigned.target, self.unsigned.data, self.unsigned.value, self.unsigned.chain_id)


def keep(state: Engine, unsigned: Unsigned, trial: Trial) -> Prepared:
    """Keep a transaction for its account."""
    prepared = Prepared(secrets.token_hex(16), unsigned, trial, time.time(), None, None, None)
    row = {
        "id": prepared.id,
        "account": unsigned.account,
        "kind": unsigned.kind.value,
        "job": None if unsigned.job is None else str(unsigned.job),
        "target": unsigned.target,
        "calldata": unsigned.data.hex(),
        "value": str(unsigned.value),
        "chain_id": str(unsigned.chain_id),
        "gas": str(trial.gas),
        "fee_per_gas": str(trial.fee_per_gas),
        "created_at": prepared.created_at,
    }
    with writing(state) as connection:
        connection.execute(delete(PREPARED).where(PREPARED.c.created_at < time.time() - KEPT_SECONDS))
        connection.execute(PREPARED.insert().values(row))
    return prepared


def find(state: Engine, account: ChecksumAddress, identifier: str) -> Prepared | None:
    """Return a transaction of an account; None if it has none of that name."""
    query = select(PREPARED).where(PREPARED.c.id == identifier, PREPARED.c.account == account)
    with reading(state) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _prepared(row)


def sent_by(state: Engine, account: ChecksumAddress) -> list[Prepared]:
    """Return the last transactions that an account has sent, the newest first."""
    mine = PREPARED.c.account == account, PREPARED.c.hash.is_not(None)
    query = select(PREPARED).where(*mine).order_by(PREPARED.c.created_at.desc()).limit(MOST_SHOWN)
    with reading(state) as connection:
        return [_prepared(row) for row in connection.execute(query)]


def note_sent(state: Engine, prepared: Prepared, transaction_hash: str, block: int | None) -> None:
    """Note the hash that the wallet told; a later one takes its place, as a wallet may speed it up."""
    values = {"hash": transaction_hash, "nonce": None, "sent_block": None if block is None else str(block)}
    _change(state, prepared, values)


def note_nonce(state: Engine, prepared: Prepared, nonce: int) -> None:
    """Note the nonce that the node has seen it with, by which it is known when another takes its place."""
    _change(state, prepared, {"nonce": str(nonce)})


def _change(state: Engine, prepared: Prepared, values: dict[str, Any]) -> None:
    mine = PREPARED.c.id == prepared.id, PREPARED.c.account == prepared.unsigned.account
    with writing(state) as connection:
        connection.execute(update(PREPARED).where(*mine).values(**values))


def _prepared(row: Any) -> Prepared:  # noqa: ANN401 - a row of the table
    unsigned = Unsigned(
        Kind(row.kind),
        None if row.job is None else int(row.job),
        to_checksum_address(row.account),
        to_checksum_address(row.target),
        bytes.fromhex(row.calldata),
        int(row.value),
        int(row.chain_id),
    )
    numbers = (None if text is None else int(text) for text in (row.nonce, row.sent_block))
    return Prepared(row.id, unsigned, Trial(int(row.gas), int(row.fee_per_gas)), row.created_at, row.hash, *numbers)
