"""The mirror's tables, the same on SQLite, PostgreSQL and MariaDB/MySQL.

Nothing here leans on a collation. Texts compare byte by byte everywhere (MySQL is told so), and a
userid, whose case WeCom ignores, has a folded twin in a column of its own. "Unique among those that
are not gone" is a nullable `live_*` column, since no two databases agree on partial indexes, and
all of them let NULLs be many.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, TypeEngine

NAME_LENGTH: Final = 100
"""Names of corps, syncs, sources and hosts."""
KEY_LENGTH: Final = 255
"""Keys of the source: with the two names before it still within MySQL's 3072 bytes for an index."""
USERID_LENGTH: Final = 64
"""WeCom page 90195."""
HASH_LENGTH: Final = 64
"""A SHA-256 in hexadecimal."""
WORD_LENGTH: Final = 32
"""States and verbs, which we make up ourselves."""


class Moment(TypeDecorator[datetime]):
    """An aware moment in UTC, to the microsecond, also where the database knows no time zones."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone is no moment")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect  # what has no zone is UTC, on every one
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def exact(length: int) -> TypeEngine[str]:
    """A text of bounded length that compares byte by byte."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return String(length).with_variant(binary, "mysql", "mariadb")


def long_text() -> TypeEngine[str]:
    """A text without a bound that matters: MySQL's TEXT ends at 64 KiB."""
    return Text().with_variant(mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")


def long_bytes() -> TypeEngine[bytes]:
    """Bytes without a bound that matters: MySQL's BLOB ends at 64 KiB."""
    return LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")


metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

department_links: Final = Table(
    "department_links",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("key", exact(KEY_LENGTH), primary_key=True),
    Column("department_id", BigInteger, nullable=False),
    Column("live_department_id", BigInteger),  # the same, NULL once gone
    Column("state", exact(WORD_LENGTH), nullable=False),
    Column("parent_id", BigInteger),
    Column("name", long_text()),  # NULL: unknown, as a department always has a name
    Column("sort_order", BigInteger),  # NULL: unknown
    Column("doubted_names", long_text()),  # JSON list: what an unknown name may be
    UniqueConstraint("corp", "live_department_id"),
)

member_links: Final = Table(
    "member_links",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("key", exact(KEY_LENGTH), primary_key=True),
    Column("userid", exact(USERID_LENGTH), nullable=False),
    Column("userid_folded", exact(USERID_LENGTH), nullable=False),
    Column("live_userid", exact(USERID_LENGTH)),  # the folded one, NULL once gone
    Column("state", exact(WORD_LENGTH), nullable=False),
    Column("known_values", long_text(), nullable=False),  # JSON, see wxsync.mirror.values
    Column("unproven", long_text()),  # JSON list of field names
    Column("disabled_at", Moment),
    Column("left_at", Moment),
    Column("recreated_at", Moment),
    Column("doubts", long_text()),  # JSON: unknown field -> list of what it may hold
    Column("announced_department_ids", long_text()),  # JSON list
    Column("missing_since", Moment),
    Column("has_activated", Boolean, nullable=False, server_default=false()),
    Column("gone_at", Moment),
    UniqueConstraint("corp", "live_userid"),
    Index(None, "corp", "gone_at"),
)

retired_userids: Final = Table(
    "retired_userids",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("userid_folded", exact(USERID_LENGTH), primary_key=True),
    Column("key", exact(KEY_LENGTH), nullable=False),  # of whoever had it last
)

missed_reads: Final = Table(
    "missed_reads",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("key", exact(KEY_LENGTH), primary_key=True),  # of a member of ours
    Column("reads", Integer, nullable=False),  # complete ones in a row that lacked it
)

tag_links: Final = Table(
    "tag_links",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("name", exact(KEY_LENGTH), primary_key=True),
    Column("tag_id", BigInteger, nullable=False),
    Column("live_tag_id", BigInteger),  # the same, NULL once gone
    Column("state", exact(WORD_LENGTH), nullable=False),
    UniqueConstraint("corp", "live_tag_id"),
)

tag_members: Final = Table(
    "tag_members",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("name", exact(KEY_LENGTH), primary_key=True),
    Column("userid_folded", exact(USERID_LENGTH), primary_key=True),
    ForeignKeyConstraint(
        ["corp", "sync", "name"], ["tag_links.corp", "tag_links.sync", "tag_links.name"], ondelete="CASCADE"
    ),
)

runs: Final = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("corp", exact(NAME_LENGTH), nullable=False),
    Column("sync", exact(NAME_LENGTH), nullable=False),
    Column("verb", exact(WORD_LENGTH), nullable=False),
    Column("trigger", exact(NAME_LENGTH), nullable=False),
    Column("state", exact(WORD_LENGTH), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("approved_by", exact(KEY_LENGTH)),
    Column("asked_digest", exact(KEY_LENGTH)),  # of the plan that whoever began the run said yes to
    Column("error", long_text()),
    Column("audit_seq", BigInteger),  # where the corp's audit trail ended when the run did
    Column("audit_hash", exact(HASH_LENGTH)),
    Index(None, "corp", "sync", "state"),
    sqlite_autoincrement=True,  # a number that a report once named is never given again
)

plans: Final = Table(
    "plans",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", exact(KEY_LENGTH), nullable=False, index=True),
    Column("document", long_text(), nullable=False),
)

readings: Final = Table(
    "readings",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("source", exact(NAME_LENGTH), primary_key=True),
    Column("query", exact(WORD_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("is_complete", Boolean, nullable=False),
    Column("problem", long_text()),  # JSON, see wxsync.mirror.values
    Column("unreadable_keys", BigInteger, nullable=False),
)

baselines: Final = Table(
    "baselines",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("source", exact(NAME_LENGTH), primary_key=True),
    Column("query", exact(WORD_LENGTH), primary_key=True),
    Column("row_count", BigInteger, nullable=False),
    Column("run_id", Integer, nullable=False),  # no foreign key: a baseline outlives its run
)

watch_marks: Final = Table(
    "watch_marks",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("source", exact(NAME_LENGTH), primary_key=True),
    Column("mark", long_text(), nullable=False),  # in the words of the source's kind
)

steps: Final = Table(
    "steps",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("call", exact(KEY_LENGTH), nullable=False),
    Column("detail", long_text(), nullable=False),  # JSON
)

outcomes: Final = Table(
    "outcomes",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("state", exact(WORD_LENGTH), nullable=False),
    Column("errcode", Integer),
    Column("hint", long_text()),  # JSON, see wxsync.mirror.values
    Column("attempts", Integer, nullable=False),
)

batch_jobs: Final = Table(
    "batch_jobs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("corp", exact(NAME_LENGTH), nullable=False),
    Column("sync", exact(NAME_LENGTH), nullable=False),
    Column("kind", exact(WORD_LENGTH), nullable=False),
    Column("state", exact(WORD_LENGTH), nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("job_id", exact(KEY_LENGTH)),  # WeCom's, at most 64 bytes so far
    Column("media_id", long_text()),
    Column("prepared_at", Moment, nullable=False),
    Column("uploaded_at", Moment),
    Column("submitted_at", Moment),
    Column("finished_at", Moment),
    Column("submissions", Integer, nullable=False),
    Column("percentage", Integer, nullable=False),
    Column("errcode", Integer),
    Column("hint", long_text()),  # JSON, see wxsync.mirror.values
    Index(None, "corp", "state"),
    sqlite_autoincrement=True,  # as of runs
)

batch_job_rows: Final = Table(
    "batch_job_rows",
    metadata,
    Column("job", Integer, ForeignKey("batch_jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("key", exact(KEY_LENGTH), nullable=False),
    Column("userid", exact(USERID_LENGTH), nullable=False),
    Column("verb", exact(WORD_LENGTH), nullable=False),
    Column("fields", long_text(), nullable=False),  # JSON, see wxsync.mirror.values
)

# The file itself, while the job is open: after a crash it may have to be submitted once more.
batch_job_files: Final = Table(
    "batch_job_files",
    metadata,
    Column("job", Integer, ForeignKey("batch_jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("content", long_bytes(), nullable=False),  # compressed by zlib
)

# Apart from the rows, so that results come in by plain insertions, thousands in one statement.
batch_job_results: Final = Table(
    "batch_job_results",
    metadata,
    Column("job", Integer, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("state", exact(WORD_LENGTH), nullable=False),
    Column("errcode", Integer),
    Column("hint", long_text()),  # JSON, see wxsync.mirror.values
    ForeignKeyConstraint(["job", "n"], ["batch_job_rows.job", "batch_job_rows.n"], ondelete="CASCADE"),
)

corp_ways: Final = Table(
    "corp_ways",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("way", exact(WORD_LENGTH), nullable=False),
    Column("has_app", Boolean, nullable=False),
    Column("found_at", Moment, nullable=False),
)

claims: Final = Table(
    "claims",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("field", exact(WORD_LENGTH), primary_key=True),
    Column("value_hash", exact(HASH_LENGTH), primary_key=True),  # never the value itself
)

leases: Final = Table(
    "leases",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("token", BigInteger, nullable=False),  # counts up for ever, one a holder
    Column("owner", exact(KEY_LENGTH)),  # NULL: free
    Column("host", exact(KEY_LENGTH), nullable=False),
    Column("pid", BigInteger, nullable=False),  # for people alone
    Column("acquired_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),  # by the mirror's clock
    Column("clock", exact(KEY_LENGTH)),  # the clock since boot of a machine; NULL: it has none with a name
    Column("clock_ends", BigInteger),  # the same moment by that clock, in milliseconds
)

access_tokens: Final = Table(
    "access_tokens",
    metadata,
    Column("name", exact(HASH_LENGTH), primary_key=True),  # a keyed hash of the secret, never a plain one
    Column("version", BigInteger, nullable=False),  # counts up with every change
    Column("token", long_text()),  # encrypted with a key that is derived from the secret
    Column("fetches", BigInteger, nullable=False),
    Column("fetched_at", Moment, nullable=False),
    Column("renew_at", Moment),  # NULL: not before a call refuses it
    Column("ends_at", Moment, nullable=False),
    Column("is_refused", Boolean, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("renewed_by", exact(KEY_LENGTH)),  # NULL: nobody is fetching another one
    Column("renewal_ends_at", Moment, nullable=False),
    Column("refusal_errcode", Integer),  # NULL: WeCom has not refused the secret
    Column("refusal_errmsg", long_text()),
    Column("refusal_until", Moment),  # NULL: for good
)

quota_holds: Final = Table(
    "quota_holds",
    metadata,
    Column("name", exact(KEY_LENGTH), primary_key=True),  # also what whoever counts under it locks
    Column("held_until", Moment),
    Column("step", Integer, nullable=False),
)

quota_uses: Final = Table(
    "quota_uses",
    metadata,
    Column("name", exact(KEY_LENGTH), primary_key=True),
    Column("span", Integer, primary_key=True, autoincrement=False),  # seconds of the window
    Column("grain", BigInteger, primary_key=True, autoincrement=False),  # seconds since the epoch
    Column("used", BigInteger, nullable=False),
)

# What a mirror is beside a mirror: a backup, one that was moved away, a copy that is not whole yet.
mirror_marks: Final = Table(
    "mirror_marks",
    metadata,
    Column("mark", exact(WORD_LENGTH), primary_key=True),
    Column("made_at", Moment, nullable=False),
    Column("place", long_text(), nullable=False),  # of the other mirror; never a password
)

# One line a write to WeCom. No person is named in it: see wxsync.mirror.audit.
audit_lines: Final = Table(
    "audit_lines",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # so that a trail never forks
    Column("run_id", Integer),  # no foreign key: a line outlives its run
    Column("document", long_text(), nullable=False),  # JSON, see wxsync.mirror.audit_text
    Column("hash", exact(HASH_LENGTH), nullable=False),
    Index(None, "corp", "run_id"),
)

# What of a line is about one person, with the salt of its digest: both go when the person is erased.
audit_shares: Final = Table(
    "audit_shares",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("sync", exact(NAME_LENGTH)),
    Column("key", exact(KEY_LENGTH)),
    Column("userid_folded", exact(USERID_LENGTH)),
    Column("salt", exact(HASH_LENGTH), nullable=False),
    Column("content", long_text(), nullable=False),  # JSON
    Index(None, "corp", "key"),
    Index(None, "corp", "userid_folded"),
)

audit_heads: Final = Table(
    "audit_heads",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", exact(HASH_LENGTH), nullable=False),
    Column("pruned_seq", BigInteger, nullable=False),  # the last line that was struck because of its age
    Column("pruned_hash", exact(HASH_LENGTH), nullable=False),
    Column("settled_run", Integer, nullable=False),  # of every call up to this run there is a line
)

drifts: Final = Table(
    "drifts",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("kind", exact(WORD_LENGTH), primary_key=True),
    Column("key", exact(KEY_LENGTH), primary_key=True),
    Column("field", exact(KEY_LENGTH), primary_key=True),
    Column("base", long_text(), nullable=False),  # JSON, see wxsync.mirror.values
    Column("put_back_at", long_text(), nullable=False),  # JSON list of moments in UTC
    Column("is_counted", Boolean, nullable=False),
)

# What runs did unasked, for the windows of limits. No foreign key: a window outlives its runs' own record.
limit_uses: Final = Table(
    "limit_uses",
    metadata,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("name", exact(WORD_LENGTH), primary_key=True),
    Column("detail", exact(KEY_LENGTH), primary_key=True),  # the field of field_change, else empty
    Column("corp", exact(NAME_LENGTH), nullable=False),
    Column("sync", exact(NAME_LENGTH), nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("used_at", Moment, nullable=False),
    Column("is_settled", Boolean, nullable=False),  # what became of each change is known
    Index(None, "corp", "sync", "used_at"),
)

approvals: Final = Table(
    "approvals",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("corp", exact(NAME_LENGTH), nullable=False),
    Column("sync", exact(NAME_LENGTH), nullable=False),
    Column("digest", exact(KEY_LENGTH), nullable=False),
    Column("plan_run", Integer, nullable=False),  # the run that made the plan
    Column("made_at", Moment, nullable=False),  # when it was made
    Column("verdict", exact(WORD_LENGTH), nullable=False),
    Column("decided_by", exact(KEY_LENGTH), nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("parts", long_text()),  # JSON list; NULL: the whole plan
    Column("run_id", Integer),  # the last run that went by it; NULL: none yet
    UniqueConstraint("corp", "sync", "digest", "plan_run", "verdict"),  # each plan once
    sqlite_autoincrement=True,
)

approval_demands: Final = Table(
    "approval_demands",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("why", long_text(), nullable=False),  # JSON, see wxsync.mirror.values
    Column("demanded_at", Moment, nullable=False),
)

applied_configs: Final = Table(
    "applied_configs",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("document", long_text(), nullable=False),  # JSON: path -> what it held, never a secret
    Column("run_id", Integer, nullable=False),
)

# What WeCom sent, each once. The message may hold personal data: it goes when it is worked off.
inbox: Final = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("corp", exact(NAME_LENGTH), nullable=False),
    Column("digest", exact(HASH_LENGTH), nullable=False),
    Column("receiver", exact(WORD_LENGTH), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("worked_at", Moment),  # NULL: not yet
    Column("message", long_bytes()),  # decrypted; NULL once worked off
    UniqueConstraint("corp", "digest"),
    Index(None, "corp", "worked_at", "id"),
    Index(None, "corp", "received_at"),
    sqlite_autoincrement=True,
)

# What events told of members of ours, until a run that was applied has taken it in.
told_values: Final = Table(
    "told_values",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("userid_folded", exact(USERID_LENGTH), primary_key=True),
    Column("field", exact(KEY_LENGTH), primary_key=True),  # empty: the account was made anew
    Column("value", long_text()),  # NULL: two events of one second contradict each other
    Column("told_at", Moment, nullable=False),  # by WeCom's clock
    Column("noted_at", Moment, nullable=False),
)

# What runs came to in numbers. No run is named in it: what they did together outlives them all.
measurements: Final = Table(
    "measurements",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("measure", exact(WORD_LENGTH), primary_key=True),
    Column("what", exact(WORD_LENGTH), primary_key=True),
    Column("how", exact(WORD_LENGTH), primary_key=True),
    Column("detail", exact(KEY_LENGTH), primary_key=True),
    Column("number", BigInteger, nullable=False),
)

# One row a notice and channel. No foreign key: a notice may outlive its run's own record.
notices: Final = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("corp", exact(NAME_LENGTH), nullable=False),
    Column("sync", exact(NAME_LENGTH), nullable=False),
    Column("channel", exact(NAME_LENGTH), nullable=False),
    Column("kind", exact(WORD_LENGTH), nullable=False),
    Column("document", long_text(), nullable=False),  # JSON, personal values masked
    Column("made_at", Moment, nullable=False),
    Column("state", exact(WORD_LENGTH), nullable=False),
    Column("not_before", Moment, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("begun_at", Moment),  # when the last try to send it began
    Column("problem", long_text()),
    Column("task_id", exact(128)),  # of the card that asks; WeCom page 90236
    Column("digest", exact(KEY_LENGTH)),  # of the plan that it asks about
    Column("verdict", exact(WORD_LENGTH)),
    Column("decided_by", exact(KEY_LENGTH)),
    Column("decided_at", Moment),
    UniqueConstraint("task_id"),
    Index(None, "corp", "state"),
    Index(None, "channel", "begun_at"),
    sqlite_autoincrement=True,
)

# What people were told of each sync last.
notice_marks: Final = Table(
    "notice_marks",
    metadata,
    Column("corp", exact(NAME_LENGTH), primary_key=True),
    Column("sync", exact(NAME_LENGTH), primary_key=True),
    Column("known_since", Moment, nullable=False),
    Column("trouble", exact(HASH_LENGTH)),  # what is wrong, in short; NULL: nothing
    Column("told_at", Moment),  # when that was told
    Column("silent_since", Moment),  # the end of the last complete run, where its age was told; else NULL
)
