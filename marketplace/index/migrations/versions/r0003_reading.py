"""Indexes in the order in which lists are read, and one that counts an aggregator's rounds without their matrices."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let the indexes of entries hold the whole order of their lists, and add that of rounds."""
    for column in ("job", "account"):
        op.drop_index(f"ix_entries_market_id_{column}_block_log_index", "entries")
        op.create_index(
            f"ix_entries_market_id_{column}_block_log_index_place",
            "entries",
            ["market_id", column, "block", "log_index", "place"],
        )
    op.create_index(
        "ix_rounds_market_id_job_outcome_overturned_penalty",
        "rounds",
        ["market_id", "job", "outcome", "overturned", "penalty"],
    )
