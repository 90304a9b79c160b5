"""What alembic runs: the steps, in the connection and the transaction that the caller has open."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    version_table="index_schema",
)
context.run_migrations()
