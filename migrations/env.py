"""How alembic reaches the mirror: over the connection that `wxsync.mirror.schema` hands in."""

from __future__ import annotations

from alembic import context

from wxsync.mirror.schema import VERSION_TABLE
from wxsync.mirror.tables import metadata

# The transaction is the caller's: on SQLite and PostgreSQL a migration happens whole or not at all.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
