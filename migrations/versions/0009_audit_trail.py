"""The audit trail, where a run left it, and since when a member is gone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0009"
down_revision = "0008"
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
    """Makes the tables, empty: of what was written before there are no lines. Who is gone is so from now."""
    op.add_column("runs", sa.Column("audit_seq", sa.BigInteger()))
    op.add_column("runs", sa.Column("audit_hash", exact(64)))
    op.add_column("member_links", sa.Column("gone_at", moment()))
    op.create_index("ix_member_links_corp_gone_at", "member_links", ["corp", "gone_at"])
    op.execute("UPDATE member_links SET gone_at = CURRENT_TIMESTAMP WHERE state = 'gone'")
    op.create_table(
        "audit_lines",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.Integer()),
        sa.Column("document", long_text(), nullable=False),
        sa.Column("hash", exact(64), nullable=False),
        sa.PrimaryKeyConstraint("corp", "seq", name="pk_audit_lines"),
    )
    op.create_index("ix_audit_lines_corp_run_id", "audit_lines", ["corp", "run_id"])
    op.create_table(
        "audit_shares",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sync", exact(100)),
        sa.Column("key", exact(255)),
        sa.Column("userid_folded", exact(64)),
        sa.Column("salt", exact(64), nullable=False),
        sa.Column("content", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("corp", "seq", "place", name="pk_audit_shares"),
    )
    op.create_index("ix_audit_shares_corp_key", "audit_shares", ["corp", "key"])
    op.create_index("ix_audit_shares_corp_userid_folded", "audit_shares", ["corp", "userid_folded"])
    op.create_table(
        "audit_heads",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", exact(64), nullable=False),
        sa.Column("pruned_seq", sa.BigInteger(), nullable=False),
        sa.Column("pruned_hash", exact(64), nullable=False),
        sa.Column("settled_run", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("corp", name="pk_audit_heads"),
    )
