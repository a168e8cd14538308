"""What hands changed in WeCom; and where departments are, no longer by their creation alone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def exact(length: int) -> Any:
    """A text of bounded length that compares byte by byte."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def long_text() -> Any:
    """A text without a bound that matters."""
    return sa.Text().with_variant(
        mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
    )


def upgrade() -> None:
    """Makes the table, empty.

    Parents and orders of departments were written down once, at their creation: what stands there may be
    long out of date, and would be taken for a hand's work. The next run fills in what WeCom shows.
    """
    op.create_table(
        "drifts",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("kind", exact(32), nullable=False),
        sa.Column("key", exact(255), nullable=False),
        sa.Column("field", exact(255), nullable=False),
        sa.Column("base", long_text(), nullable=False),
        sa.Column("put_back_at", long_text(), nullable=False),
        sa.Column("is_counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("corp", "sync", "kind", "key", "field", name="pk_drifts"),
    )
    op.execute("UPDATE department_links SET parent_id = NULL, sort_order = NULL WHERE state = 'ours'")
