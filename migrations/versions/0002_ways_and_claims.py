"""How a corp's details are read, and what each of several syncs of one corp claims."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def exact(length: int) -> Any:
    """A text of bounded length that compares byte by byte."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def moment() -> Any:
    """A moment to the microsecond."""
    return sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Makes both tables, empty: the next run finds the way anew, and claims what it reads."""
    op.create_table(
        "corp_ways",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("way", exact(32), nullable=False),
        sa.Column("has_app", sa.Boolean(), nullable=False),
        sa.Column("found_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("corp", name="pk_corp_ways"),
    )
    op.create_table(
        "claims",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("field", exact(32), nullable=False),
        sa.Column("value_hash", exact(64), nullable=False),
        sa.PrimaryKeyConstraint("corp", "sync", "field", "value_hash", name="pk_claims"),
    )
