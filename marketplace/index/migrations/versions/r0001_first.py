"""The first schema: markets and blocks, events, and what follows from them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "blocks",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("holds_events", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "number", name="pk_blocks"),
    )
    op.create_table(
        "challenges",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reward", sa.String(length=78), nullable=True),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "job", "round", "account", "kind", name="pk_challenges"),
    )
    op.create_index("ix_challenges_market_id_block", "challenges", ["market_id", "block"])
    op.create_table(
        "contributions",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("weight", sa.String(length=78), nullable=True),
        sa.Column("contribution", sa.String(length=78), nullable=True),
        sa.Column("payout", sa.String(length=78), nullable=True),
        sa.Column("reason", sa.SmallInteger(), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "job", "round", "account", name="pk_contributions"),
    )
    op.create_index("ix_contributions_market_id_block", "contributions", ["market_id", "block"])
    op.create_table(
        "entries",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("pot", sa.String(length=8), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=True),
        sa.Column("sign", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.String(length=78), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "block", "log_index", "place", name="pk_entries"),
    )
    op.create_index(
        "ix_entries_market_id_account_block_log_index", "entries", ["market_id", "account", "block", "log_index"]
    )
    op.create_index("ix_entries_market_id_job_block_log_index", "entries", ["market_id", "job", "block", "log_index"])
    op.create_table(
        "events",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "block", "log_index", name="pk_events"),
    )
    op.create_index("ix_events_market_id_job_block_log_index", "events", ["market_id", "job", "block", "log_index"])
    op.create_table(
        "jobs",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("created_block", sa.BigInteger(), nullable=False),
        sa.Column("created_time", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=42), nullable=False),
        sa.Column("aggregator", sa.String(length=42), nullable=False),
        sa.Column("referee", sa.String(length=42), nullable=False),
        sa.Column("token", sa.String(length=42), nullable=False),
        sa.Column("rule", sa.String(length=42), nullable=False),
        sa.Column("specification_cid", sa.LargeBinary(), nullable=False),
        sa.Column("reward_per_round", sa.String(length=78), nullable=False),
        sa.Column("stake", sa.String(length=78), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("settled_rounds", sa.Integer(), nullable=False),
        sa.Column("trainers", sa.Integer(), nullable=False),
        sa.Column("escrow", sa.String(length=78), nullable=False),
        sa.Column("bond", sa.String(length=78), nullable=False),
        sa.Column("burned", sa.String(length=78), nullable=False),
        sa.Column("paid", sa.String(length=78), nullable=False),
        sa.Column("changed_block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "number", name="pk_jobs"),
    )
    op.create_index("ix_jobs_market_id_aggregator_number", "jobs", ["market_id", "aggregator", "number"])
    op.create_index("ix_jobs_market_id_created_block", "jobs", ["market_id", "created_block"])
    op.create_index("ix_jobs_market_id_owner_number", "jobs", ["market_id", "owner", "number"])
    op.create_index("ix_jobs_market_id_reward_per_round_number", "jobs", ["market_id", "reward_per_round", "number"])
    op.create_index("ix_jobs_market_id_stake_number", "jobs", ["market_id", "stake", "number"])
    op.create_index("ix_jobs_market_id_state_number", "jobs", ["market_id", "state", "number"])
    op.create_index("ix_jobs_specification_cid", "jobs", ["specification_cid"])
    op.create_table(
        "markets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("block_time", sa.BigInteger(), nullable=False),
        sa.Column("final_block", sa.BigInteger(), nullable=False),
        sa.Column("alarm", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_markets"),
    )
    op.create_index("ix_markets_chain_id_address", "markets", ["chain_id", "address"], unique=True)
    op.create_table(
        "notices",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "block", "log_index", name="pk_notices"),
    )
    op.create_index("ix_notices_market_id_job_round", "notices", ["market_id", "job", "round"])
    op.create_table(
        "rounds",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("opened_block", sa.BigInteger(), nullable=False),
        sa.Column("opened_time", sa.BigInteger(), nullable=False),
        sa.Column("submit_end", sa.BigInteger(), nullable=False),
        sa.Column("encryption_key", sa.LargeBinary(), nullable=False),
        sa.Column("model_hash", sa.LargeBinary(), nullable=False),
        sa.Column("closed_block", sa.BigInteger(), nullable=True),
        sa.Column("deliver_end", sa.BigInteger(), nullable=True),
        sa.Column("ended_block", sa.BigInteger(), nullable=True),
        sa.Column("ended_time", sa.BigInteger(), nullable=True),
        sa.Column("ended_in", sa.LargeBinary(), nullable=True),
        sa.Column("outcome", sa.String(length=8), nullable=True),
        sa.Column("void_cause", sa.SmallInteger(), nullable=True),
        sa.Column("penalty", sa.String(length=78), nullable=True),
        sa.Column("penalty_share", sa.String(length=78), nullable=True),
        sa.Column("paid", sa.String(length=78), nullable=True),
        sa.Column("gram", sa.LargeBinary(), nullable=True),
        sa.Column("model_commitment", sa.LargeBinary(), nullable=True),
        sa.Column("aggregate_cid", sa.LargeBinary(), nullable=True),
        sa.Column("overturned", sa.String(length=8), nullable=True),
        sa.Column("overturned_block", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("market_id", "job", "number", name="pk_rounds"),
    )
    op.create_index("ix_rounds_market_id_closed_block", "rounds", ["market_id", "closed_block"])
    op.create_index("ix_rounds_market_id_ended_block", "rounds", ["market_id", "ended_block"])
    op.create_index("ix_rounds_market_id_opened_block", "rounds", ["market_id", "opened_block"])
    op.create_index("ix_rounds_market_id_overturned_block", "rounds", ["market_id", "overturned_block"])
    op.create_table(
        "seats",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("joined_block", sa.BigInteger(), nullable=False),
        sa.Column("joined_time", sa.BigInteger(), nullable=False),
        sa.Column("from_round", sa.Integer(), nullable=False),
        sa.Column("seat", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("left_round", sa.Integer(), nullable=True),
        sa.Column("removed", sa.SmallInteger(), nullable=True),
        sa.Column("submitted", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("dropped", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.Integer(), nullable=False),
        sa.Column("earned", sa.String(length=78), nullable=False),
        sa.Column("burned", sa.String(length=78), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "job", "account", name="pk_seats"),
    )
    op.create_index("ix_seats_market_id_account_job", "seats", ["market_id", "account", "job"])
    op.create_table(
        "snapshots",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "job", "block", name="pk_snapshots"),
    )
    op.create_index("ix_snapshots_market_id_block", "snapshots", ["market_id", "block"])
    op.create_table(
        "submissions",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("is_reference", sa.Boolean(), nullable=False),
        sa.Column("commitment_hash", sa.LargeBinary(), nullable=False),
        sa.Column("cid", sa.LargeBinary(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "job", "round", "account", name="pk_submissions"),
    )
    op.create_index("ix_submissions_market_id_block", "submissions", ["market_id", "block"])
