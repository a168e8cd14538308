"""What processes on one mirror share of WeCom: access tokens, and the counts of its limits."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def exact(length: int) -> Any:
    """A text of bounded length that compares byte by byte."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def long_text() -> Any:
    """A text without a bound that matters."""
    binary = mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin")
    return sa.Text().with_variant(binary, "mysql", "mariadb")


def moment() -> Any:
    """A moment to the microsecond."""
    return sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Makes the tables, empty: the next call fetches a token, and counting begins anew."""
    op.create_table(
        "access_tokens",
        sa.Column("name", exact(64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("token", long_text(), nullable=True),
        sa.Column("fetches", sa.BigInteger(), nullable=False),
        sa.Column("fetched_at", moment(), nullable=False),
        sa.Column("renew_at", moment(), nullable=True),
        sa.Column("ends_at", moment(), nullable=False),
        sa.Column("is_refused", sa.Boolean(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("renewed_by", exact(255), nullable=True),
        sa.Column("renewal_ends_at", moment(), nullable=False),
        sa.Column("refusal_errcode", sa.Integer(), nullable=True),
        sa.Column("refusal_errmsg", long_text(), nullable=True),
        sa.Column("refusal_until", moment(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_access_tokens"),
    )
    op.create_table(
        "quota_holds",
        sa.Column("name", exact(255), nullable=False),
        sa.Column("held_until", moment(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_quota_holds"),
    )
    op.create_table(
        "quota_uses",
        sa.Column("name", exact(255), nullable=False),
        sa.Column("span", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grain", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "span", "grain", name="pk_quota_uses"),
    )
