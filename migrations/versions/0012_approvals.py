"""Approvals of plans, what waits for one, the windows of limits, and the config that was last applied."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0012"
down_revision = "0011"
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
    """Makes the tables, empty: what runs did before counts in no window, and no plan was approved in them."""
    op.add_column("runs", sa.Column("asked_digest", exact(255), nullable=True))
    op.create_table(
        "limit_uses",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", exact(32), nullable=False),
        sa.Column("detail", exact(255), nullable=False),
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("used_at", moment(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "name", "detail", name="pk_limit_uses"),
    )
    op.create_index("ix_limit_uses_corp_sync_used_at", "limit_uses", ["corp", "sync", "used_at"])
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("digest", exact(255), nullable=False),
        sa.Column("plan_run", sa.Integer(), nullable=False),
        sa.Column("made_at", moment(), nullable=False),
        sa.Column("verdict", exact(32), nullable=False),
        sa.Column("decided_by", exact(255), nullable=False),
        sa.Column("decided_at", moment(), nullable=False),
        sa.Column("parts", long_text(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sa.UniqueConstraint(
            "corp",
            "sync",
            "digest",
            "plan_run",
            "verdict",
            name="uq_approvals_corp_sync_digest_plan_run_verdict",
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "approval_demands",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("why", long_text(), nullable=False),
        sa.Column("demanded_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("corp", "sync", name="pk_approval_demands"),
    )
    op.create_table(
        "applied_configs",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("document", long_text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("corp", "sync", name="pk_applied_configs"),
    )
