"""What runs came to in numbers, for metrics: what the last one did, and all of them together."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def exact(length: int) -> Any:
    """A text of bounded length that compares byte by byte."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Makes the table, empty: the next run of each sync says how it stands, and counting begins now."""
    op.create_table(
        "measurements",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("measure", exact(32), nullable=False),
        sa.Column("what", exact(32), nullable=False),
        sa.Column("how", exact(32), nullable=False),
        sa.Column("detail", exact(255), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("corp", "sync", "measure", "what", "how", "detail", name="pk_measurements"),
    )
