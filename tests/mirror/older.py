"""Mirrors as former versions left them."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine, text

from wxsync.mirror import schema
from wxsync.mirror.migrating import config_of

OLD = "0007"


def make_old(url: str) -> None:
    """A mirror of schema 0007, in which corp acme has had 41 runs that wrote."""
    engine = create_engine(url)
    config = config_of(schema.migrations_directory())
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLD)
        connection.execute(
            text(
                "INSERT INTO leases (corp, token, owner, host, pid_space, pid, acquired_at, expires_at)"
                " VALUES ('acme', 41, 'run 41 (manual)', 'there', 'a/1', 7, :at, :at)"
            ),
            {"at": "2026-01-31 08:00:00.000000"},
        )
    engine.dispose()
