"""What the app itself remembers between requests, in a database of its own: the index is never written.

Nothing in it is worth a backup. All processes that serve one site share it, so that a limit or a session holds in each.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Engine, Float, Integer, MetaData, String, Table, Text

from marketplace.index.database import open_database, writing

METADATA: Final = MetaData()

RATE_LIMITS: Final = Table(
    "rate_limits",
    METADATA,
    Column("key", String(255), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("expires_at", Float, nullable=False, index=True),
)

# Who is signed in. Only digests of the secrets in cookies are kept, so that a copy of the database opens no session.
SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("session", String(64), primary_key=True),
    Column("account", String(42), nullable=False),
    Column("expires_at", Float, nullable=False, index=True),
)

# The one message that a visitor was given to sign, until it comes back.
SIGN_IN_NONCES: Final = Table(
    "sign_in_nonces",
    METADATA,
    Column("visitor", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("expires_at", Float, nullable=False, index=True),
)

# What a wallet was or is to be asked to sign, exactly; amounts as decimal texts, which no database rounds.
PREPARED: Final = Table(
    "prepared_transactions",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("account", String(42), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("job", String(20)),
    Column("target", String(42), nullable=False),
    Column("calldata", Text, nullable=False),
    Column("value", String(78), nullable=False),
    Column("chain_id", String(20), nullable=False),
    Column("gas", String(20), nullable=False),
    Column("fee_per_gas", String(78), nullable=False),
    Column("created_at", Float, nullable=False, index=True),
    Column("hash", String(66)),
    Column("nonce", String(20)),
    Column("sent_block", String(20)),
)

# The form of the job that an account is describing, as it was typed.
DRAFTS: Final = Table(
    "drafts",
    METADATA,
    Column("account", String(42), primary_key=True),
    Column("typed", Text, nullable=False),
    Column("changed_at", Float, nullable=False),
)

# How well jobs' models do on held-out samples of whoever serves the pages, see `webapp.accuracy`.
ACCURACIES: Final = Table(
    "accuracies",
    METADATA,
    Column("chain_id", String(20), primary_key=True),
    Column("market", String(42), primary_key=True),
    Column("job", String(20), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("model_commitment", String(128), nullable=False),
    Column("accuracy", Float, nullable=False),
    Column("loss", Float, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("samples_digest", String(64), nullable=False),
)


def open_state(url: str) -> Engine:
    """Open the app's own database, and make those of its tables that it lacks.

    Raises
    ------
    MarketIndexError
        If it can't be opened or written.
    """
    engine = open_database(url)
    with writing(engine) as connection:
        METADATA.create_all(connection)
    return engine
