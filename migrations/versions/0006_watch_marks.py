"""Where each watched source stood when a whole reading of it began that was applied."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def exact(length: int) -> Any:
    """A text of bounded length that compares byte by byte."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def long_text() -> Any:
    """A text without a bound that matters."""
    long = mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Text().with_variant(long, "mysql", "mariadb")


def upgrade() -> None:
    """Makes the table, empty: without a mark all is read."""
    op.create_table(
        "watch_marks",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("source", exact(100), nullable=False),
        sa.Column("mark", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("corp", "sync", "source", name="pk_watch_marks"),
    )
