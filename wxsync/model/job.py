"""An import that WeCom carries out by itself: what kind it is, how far it is, what became of each row."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag, StrEnum


class JobKind(StrEnum):
    """What a file does to the corp (WeCom pages 90980 to 90982)."""

    SYNC_MEMBERS = "sync_members"
    """Its members are created or updated; others stay."""
    REPLACE_MEMBERS = "replace_members"
    """As above, and whoever is not in it is DELETED."""
    REPLACE_DEPARTMENTS = "replace_departments"
    """Its departments are created or updated; others are deleted as soon as they are empty."""


class JobStatus(StrEnum):
    """How far a job is."""

    STARTED = "started"
    RUNNING = "running"
    FINISHED = "finished"
    """Over, with a result for each row: single rows may have failed."""
    FAILED = "failed"
    """Over, and refused as a whole: `JobResult.errcode` says why."""


class DepartmentAction(IntFlag):
    """What a job did to a department. WeCom has no bit for a deletion, and may set others."""

    CREATED = 1
    RENAMED = 2
    MOVED = 4
    REORDERED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCallback:
    """Where WeCom tells of the end of a job, signed and encrypted with these."""

    url: str
    token: str = field(repr=False)
    encoding_aes_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """What became of one member of a file, or of one whom the file deleted; errcode 0 is success."""

    userid: str
    errcode: int
    errmsg: str = field(default="", repr=False)
    """Without phone numbers and e-mail addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentRow:
    """What became of one department; errcode 0 is success."""

    department_id: int
    errcode: int
    errmsg: str = field(default="", repr=False)
    action: DepartmentAction


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """A job as it stands. WeCom keeps it for the last five jobs only: write it down at once."""

    status: JobStatus
    kind: JobKind | None = None
    """None where WeCom does not say it, as of a job that failed."""
    percentage: int = 0
    total: int = 0
    """Rows by WeCom's count, which may differ from the rows that are here."""
    members: tuple[MemberRow, ...] = ()
    departments: tuple[DepartmentRow, ...] = ()
    errcode: int = 0
    """Other than 0 where the job FAILED: the file, a limit (45026), or WeCom itself (302005)."""
    hint: str | None = None

    @property
    def is_over(self) -> bool:
        return self.status in (JobStatus.FINISHED, JobStatus.FAILED)
