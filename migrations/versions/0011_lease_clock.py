"""A lease lasts by the clock since boot, and its holder lives by a lock: no pid says anything any more."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def exact(length: int) -> Any:
    """A text of bounded length that compares byte by byte."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Keeps every token: they count up for ever."""
    op.add_column("leases", sa.Column("clock", exact(255), nullable=True))
    op.add_column("leases", sa.Column("clock_ends", sa.BigInteger(), nullable=True))
    op.drop_column("leases", "pid_space")
