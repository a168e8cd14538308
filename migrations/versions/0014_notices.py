"""Notices to people: what waits, what was sent, what nobody knows of; and what was told of each sync last."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0014"
down_revision = "0013"
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


def moment() -> Any:
    """A moment to the microsecond."""
    return sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Makes the tables, empty: of what happened before nobody is told."""
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("channel", exact(100), nullable=False),
        sa.Column("kind", exact(32), nullable=False),
        sa.Column("document", long_text(), nullable=False),
        sa.Column("made_at", moment(), nullable=False),
        sa.Column("state", exact(32), nullable=False),
        sa.Column("not_before", moment(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("begun_at", moment(), nullable=True),
        sa.Column("problem", long_text(), nullable=True),
        sa.Column("task_id", exact(128), nullable=True),
        sa.Column("digest", exact(255), nullable=True),
        sa.Column("verdict", exact(32), nullable=True),
        sa.Column("decided_by", exact(255), nullable=True),
        sa.Column("decided_at", moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("task_id", name="uq_notices_task_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_corp_state", "notices", ["corp", "state"])
    op.create_index("ix_notices_channel_begun_at", "notices", ["channel", "begun_at"])
    op.create_table(
        "notice_marks",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("known_since", moment(), nullable=False),
        sa.Column("trouble", exact(64), nullable=True),
        sa.Column("told_at", moment(), nullable=True),
        sa.Column("silent_since", moment(), nullable=True),
        sa.PrimaryKeyConstraint("corp", "sync", name="pk_notice_marks"),
    )
