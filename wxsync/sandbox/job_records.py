"""What an asynchronous job is while it is under way, and what is left of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wxsync.sandbox.receivers import Receiver


class ImportType(StrEnum):
    """The kinds of import, by the word that getresult has for them (WeCom page 90983)."""

    REPLACE_PARTY = "replace_party"
    REPLACE_USER = "replace_user"
    SYNC_USER = "sync_user"


class ExportType(StrEnum):
    """The kinds of export, by the word that their events have for them (WeCom page 94956)."""

    SIMPLE_USER = "export_simple_user"
    USER = "export_user"
    DEPARTMENT = "export_department"
    TAGUSER = "export_taguser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The errcode and text with which a whole job ends."""

    errcode: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What became of one row: of a member (`userid`), or of a department (`partyid`, `action`)."""

    errcode: int = 0
    text: str = ""
    userid: str | None = None
    partyid: int | None = None
    action: int = 0
    """1 created, 2 renamed, 4 moved, 8 reordered, or a sum of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A piece of a job's work."""

    row: RowResult | None
    """Whose result it gives; None for work that no result tells of."""
    carry_out: Callable[[], int]
    """Gives the row's action, or raises `Refusal`."""


Prepare = Callable[[], tuple[Step, ...]]
"""Gives a job's steps when it begins, or raises `Refusal`, with which the whole job then fails."""


@dataclass(kw_only=True, eq=False, slots=True)
class JobFate:
    """What was ordered to happen to a job: nothing, unless somebody ordered a fault."""

    hangs_at: float | None = None
    """The share of its work (0 to 1) after which it makes no progress any more."""
    fails_at: float | None = None
    """The share of its work after which it fails as a whole, with `errcode`."""
    errcode: int = 302005
    bad_row: Callable[[int], int] = field(default=lambda _: 0)
    """The errcode that a row (counted from 0) gets instead of being carried out; 0 for none."""


@dataclass(kw_only=True, eq=False, slots=True)
class Job:
    """The part that imports and exports have in common."""

    jobid: str
    kind: str
    """The word that results and events have for it."""
    owner: str
    """The name of the identity that asked for it; nobody else may fetch its result."""
    started_at: float
    fate: JobFate
    receiver: Receiver | None
    """Where its end is told."""
    agent_id: str = ""
    polls: int = 0
    """How often its result was asked for."""
    progress: float = 0.0
    """The share of its work that is behind it."""
    is_over: bool = False
    failure: Failure | None = None


@dataclass(kw_only=True, eq=False, slots=True)
class ImportJob(Job):
    """One import (WeCom page 90979)."""

    total: int
    prepare: Prepare = field(repr=False)
    steps: tuple[Step, ...] | None = field(default=None, repr=False)
    """None until it has begun."""
    done: int = 0
    """How many of the steps were taken."""
    results: list[RowResult] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """One encrypted file of an export, and until when it can be fetched."""

    name: str
    content: bytes = field(repr=False)
    ends_at: float


@dataclass(kw_only=True, eq=False, slots=True)
class ExportJob(Job):
    """One export (WeCom page 94849)."""

    gather: Callable[[], tuple[ExportFile, ...]] = field(repr=False)
    """Its files, with the corp as it is at this moment."""
    files: tuple[ExportFile, ...] = ()


@dataclass(kw_only=True, eq=False)
class Jobs:
    """All jobs of a corp."""

    imports: dict[str, ImportJob] = field(default_factory=dict)
    """Those whose result is still kept, the oldest first."""
    purged: set[str] = field(default_factory=set)
    exports: dict[str, ExportJob] = field(default_factory=dict)
    doomed: set[int] = field(default_factory=set)
    """Departments that a replaceparty lacked and that were not empty: gone when an import empties it."""

    @property
    def running(self) -> ImportJob | None:
        """The one import that is not over."""
        return next((job for job in self.imports.values() if not job.is_over), None)

    def unfinished(self) -> tuple[Job, ...]:
        together: Mapping[str, Job] = {**self.imports, **self.exports}
        return tuple(job for job in together.values() if not job.is_over)
