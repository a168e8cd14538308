"""Imports by file: each job, its rows, and what became of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"
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


def long_bytes() -> Any:
    """Bytes without a bound that matters."""
    return sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")


def moment() -> Any:
    """A moment to the microsecond."""
    return sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Makes the tables, empty: what was written before went by single calls."""
    op.create_table(
        "batch_jobs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("corp", exact(100), nullable=False),
        sa.Column("sync", exact(100), nullable=False),
        sa.Column("kind", exact(32), nullable=False),
        sa.Column("state", exact(32), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("job_id", exact(255), nullable=True),
        sa.Column("media_id", long_text(), nullable=True),
        sa.Column("prepared_at", moment(), nullable=False),
        sa.Column("uploaded_at", moment(), nullable=True),
        sa.Column("submitted_at", moment(), nullable=True),
        sa.Column("finished_at", moment(), nullable=True),
        sa.Column("submissions", sa.Integer(), nullable=False),
        sa.Column("percentage", sa.Integer(), nullable=False),
        sa.Column("errcode", sa.Integer(), nullable=True),
        sa.Column("hint", long_text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_batch_jobs"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_batch_jobs_runs", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_batch_jobs_run_id", "batch_jobs", ["run_id"])
    op.create_index("ix_batch_jobs_corp_state", "batch_jobs", ["corp", "state"])
    op.create_table(
        "batch_job_rows",
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", exact(255), nullable=False),
        sa.Column("userid", exact(64), nullable=False),
        sa.Column("verb", exact(32), nullable=False),
        sa.Column("fields", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("job", "n", name="pk_batch_job_rows"),
        sa.ForeignKeyConstraint(
            ["job"], ["batch_jobs.id"], name="fk_batch_job_rows_batch_jobs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "batch_job_files",
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("content", long_bytes(), nullable=False),
        sa.PrimaryKeyConstraint("job", name="pk_batch_job_files"),
        sa.ForeignKeyConstraint(
            ["job"], ["batch_jobs.id"], name="fk_batch_job_files_batch_jobs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "batch_job_results",
        sa.Column("job", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", exact(32), nullable=False),
        sa.Column("errcode", sa.Integer(), nullable=True),
        sa.Column("hint", long_text(), nullable=True),
        sa.PrimaryKeyConstraint("job", "n", name="pk_batch_job_results"),
        sa.ForeignKeyConstraint(
            ["job", "n"],
            ["batch_job_rows.job", "batch_job_rows.n"],
            name="fk_batch_job_results_batch_job_rows",
            ondelete="CASCADE",
        ),
    )
