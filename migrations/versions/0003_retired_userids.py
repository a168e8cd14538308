"""Userids whose owners are gone, and of members of ours: seen missing, seen activated."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
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
    """Those who are gone by the links have their userids retired; nobody is missing or activated yet."""
    op.add_column("member_links", sa.Column("missing_since", moment(), nullable=True))
    op.add_column(
        "member_links", sa.Column("has_activated", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    retired = op.create_table(
        "retired_userids",
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("userid_folded", exact(64), nullable=False),
        sa.Column("key", exact(255), nullable=False),
        sa.PrimaryKeyConstraint("corp", "userid_folded", name="pk_retired_userids"),
    )
    links = sa.table(
        "member_links", sa.column("corp"), sa.column("userid_folded"), sa.column("key"), sa.column("state")
    )
    gone = (
        sa.select(links.c.corp, links.c.userid_folded, sa.func.min(links.c.key))
        .where(links.c.state == "gone")
        .group_by(links.c.corp, links.c.userid_folded)
    )
    op.execute(sa.insert(retired).from_select(["corp", "userid_folded", "key"], gone))
