"""Events from WeCom: those that came in, and what they told of members of ours."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0013"
down_revision = "0012"
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


def long_bytes() -> Any:
    """Bytes without a bound that matters."""
    return sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")


def moment() -> Any:
    """A moment to the microsecond."""
    return sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Makes the tables, empty."""
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("digest", exact(64), nullable=False),
        sa.Column("receiver", exact(32), nullable=False),
        sa.Column("received_at", moment(), nullable=False),
        sa.Column("worked_at", moment(), nullable=True),
        sa.Column("message", long_bytes(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("corp", "digest", name="uq_inbox_corp_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbox_corp_worked_at_id", "inbox", ["corp", "worked_at", "id"])
    op.create_index("ix_inbox_corp_received_at", "inbox", ["corp", "received_at"])
    op.create_table(
        "told_values",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("userid_folded", exact(64), nullable=False),
        sa.Column("field", exact(255), nullable=False),
        sa.Column("value", long_text(), nullable=True),
        sa.Column("told_at", moment(), nullable=False),
        sa.Column("noted_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("corp", "userid_folded", "field", name="pk_told_values"),
    )
