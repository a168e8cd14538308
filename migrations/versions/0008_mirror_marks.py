"""What a mirror is beside a mirror: a backup, one that was moved away, a copy that is not whole yet."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0008"
down_revision = "0007"
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
    """Makes the table, empty; it is there already in a backup that was made of an older schema."""
    if sa.inspect(op.get_bind()).has_table("mirror_marks"):
        return
    op.create_table(
        "mirror_marks",
        sa.Column("mark", exact(32), nullable=False),
        sa.Column("made_at", moment(), nullable=False),
        sa.Column("place", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name="pk_mirror_marks"),
    )
