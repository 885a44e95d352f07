"""Run by Alembic, with the connection that station.store.database gives it."""

from __future__ import annotations

from alembic import context

from station.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # A step that breaks off leaves nothing: SQLite too can take back a `create table`.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
