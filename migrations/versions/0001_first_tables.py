"""The first tables: links, journal, lease.

Says again what `wxsync.mirror.tables` says, on purpose: that module moves on, a migration does not.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
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


def key(name: str, type_: Any) -> sa.Column[Any]:
    """A column of a primary key that is never made up by the database."""
    return sa.Column(name, type_, nullable=False, autoincrement=False)


def run_id(table: str) -> tuple[sa.Column[Any], sa.ForeignKeyConstraint]:
    """The run that a row belongs to, and with which it goes."""
    return key("run_id", sa.Integer()), sa.ForeignKeyConstraint(
        ["run_id"], ["runs.id"], name=f"fk_{table}_runs", ondelete="CASCADE"
    )


def upgrade() -> None:
    """Makes every table of the first version."""
    make_links()
    make_tags()
    make_runs()
    make_readings()
    make_steps()
    make_leases()


def make_links() -> None:
    op.create_table(
        "department_links",
        key("corp", exact(100)),
        key("sync", exact(100)),
        key("key", exact(255)),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("live_department_id", sa.BigInteger()),
        sa.Column("state", exact(32), nullable=False),
        sa.Column("parent_id", sa.BigInteger()),
        sa.Column("name", long_text()),
        sa.Column("sort_order", sa.BigInteger()),
        sa.Column("doubted_names", long_text()),
        sa.PrimaryKeyConstraint("corp", "sync", "key", name="pk_department_links"),
        sa.UniqueConstraint("corp", "live_department_id", name="uq_department_links_corp_live_department_id"),
    )
    op.create_table(
        "member_links",
        key("corp", exact(100)),
        key("sync", exact(100)),
        key("key", exact(255)),
        sa.Column("userid", exact(64), nullable=False),
        sa.Column("userid_folded", exact(64), nullable=False),
        sa.Column("live_userid", exact(64)),
        sa.Column("state", exact(32), nullable=False),
        sa.Column("known_values", long_text(), nullable=False),
        sa.Column("unproven", long_text()),
        sa.Column("disabled_at", moment()),
        sa.Column("left_at", moment()),
        sa.Column("recreated_at", moment()),
        sa.Column("doubts", long_text()),
        sa.Column("announced_department_ids", long_text()),
        sa.PrimaryKeyConstraint("corp", "sync", "key", name="pk_member_links"),
        sa.UniqueConstraint("corp", "live_userid", name="uq_member_links_corp_live_userid"),
    )


def make_tags() -> None:
    op.create_table(
        "tag_links",
        key("corp", exact(100)),
        key("sync", exact(100)),
        key("name", exact(255)),
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        sa.Column("live_tag_id", sa.BigInteger()),
        sa.Column("state", exact(32), nullable=False),
        sa.PrimaryKeyConstraint("corp", "sync", "name", name="pk_tag_links"),
        sa.UniqueConstraint("corp", "live_tag_id", name="uq_tag_links_corp_live_tag_id"),
    )
    op.create_table(
        "tag_members",
        key("corp", exact(100)),
        key("sync", exact(100)),
        key("name", exact(255)),
        key("userid_folded", exact(64)),
        sa.PrimaryKeyConstraint("corp", "sync", "name", "userid_folded", name="pk_tag_members"),
        sa.ForeignKeyConstraint(
            ["corp", "sync", "name"],
            ["tag_links.corp", "tag_links.sync", "tag_links.name"],
            name="fk_tag_members_tag_links",
            ondelete="CASCADE",
        ),
    )


def make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("verb", exact(32), nullable=False),
        sa.Column("trigger", exact(100), nullable=False),
        sa.Column("state", exact(32), nullable=False),
        sa.Column("started_at", moment(), nullable=False),
        sa.Column("finished_at", moment()),
        sa.Column("approved_by", exact(255)),
        sa.Column("error", long_text()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_corp_sync_state", "runs", ["corp", "sync", "state"])
    op.create_table(
        "plans",
        *run_id("plans"),
        sa.Column("digest", exact(255), nullable=False),
        sa.Column("document", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_plans"),
    )
    op.create_index("ix_plans_digest", "plans", ["digest"])


def make_readings() -> None:
    op.create_table(
        "readings",
        *run_id("readings"),
        key("source", exact(100)),
        key("query", exact(32)),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("problem", long_text()),
        sa.Column("unreadable_keys", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "source", "query", name="pk_readings"),
    )
    op.create_table(
        "baselines",
        key("corp", exact(100)),
        key("sync", exact(100)),
        key("source", exact(100)),
        key("query", exact(32)),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("corp", "sync", "source", "query", name="pk_baselines"),
    )


def make_steps() -> None:
    op.create_table(
        "steps",
        *run_id("steps"),
        key("n", sa.Integer()),
        key("step", sa.Integer()),
        sa.Column("call", exact(255), nullable=False),
        sa.Column("detail", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "n", "step", name="pk_steps"),
    )
    op.create_table(
        "outcomes",
        *run_id("outcomes"),
        key("n", sa.Integer()),
        sa.Column("state", exact(32), nullable=False),
        sa.Column("errcode", sa.Integer()),
        sa.Column("hint", long_text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "n", name="pk_outcomes"),
    )


def make_leases() -> None:
    op.create_table(
        "leases",
        key("corp", exact(100)),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("owner", exact(255)),
        sa.Column("host", exact(255), nullable=False),
        sa.Column("pid_space", exact(255), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("acquired_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("corp", name="pk_leases"),
    )
