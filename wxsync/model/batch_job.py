"""An import as the mirror keeps it on record: what it is, how far it came, what became of each row.

`wxsync.model.job` is WeCom's side of it, which forgets: the results of five jobs are all that it keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wxsync.model.change import Verb
from wxsync.model.job import JobKind
from wxsync.model.message import Message
from wxsync.model.run import OutcomeState
from wxsync.model.unknown import Value


class JobState(StrEnum):
    """Where a job stands, as far as the mirror knows."""

    PREPARED = "prepared"
    """It is on record, and WeCom has not been asked for it."""
    SUBMITTING = "submitting"
    """The call was begun: WeCom may be carrying it out under an id that nobody knows."""
    RUNNING = "running"
    """WeCom has it, under an id that is known."""
    FINISHED = "finished"
    """What became of each row is on record."""
    FAILED = "failed"
    """WeCom refused or broke it off, or nobody can tell any more what became of it."""
    ABANDONED = "abandoned"
    """It was given up before WeCom was asked for it."""

    @property
    def is_open(self) -> bool:
        """Somebody has yet to see to it."""
        return self in OPEN_STATES


OPEN_STATES = frozenset({JobState.PREPARED, JobState.SUBMITTING, JobState.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """One file that is to be, or was, carried out by WeCom."""

    id: int
    """Our own number of it, which no other job ever gets."""
    run_id: int
    corp: str
    sync: str
    kind: JobKind
    state: JobState
    rows: int
    """How many are on record for it."""
    prepared_at: datetime
    job_id: str | None = None
    """WeCom's id of it."""
    media_id: str | None = field(default=None, repr=False)
    """WeCom's id of the file, which opens it to whoever has a token: good for three days."""
    uploaded_at: datetime | None = None
    submitted_at: datetime | None = None
    finished_at: datetime | None = None
    """When it ceased to be open, however it ended."""
    submissions: int = 0
    percentage: int = 0
    errcode: int | None = None
    """WeCom's refusal of the whole job."""
    hint: Message | None = None
    """Why it failed or was abandoned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What became of one row of a job."""

    n: int
    """The plan's change that it carries out."""
    key: str
    userid: str
    """In a job of departments the department's id, in digits."""
    verb: Verb
    state: OutcomeState | None = None
    """None while nobody knows."""
    errcode: int | None = None
    hint: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow(RowResult):
    """One row of a job with what it says: enough to tell, after a crash, what WeCom was asked for."""

    fields: Mapping[str, Value] = field(repr=False)
    """What each field shall hold, as in a Change: phone numbers among them, and references as keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTally:
    """How many rows of a job ended in the same way, other than well."""

    state: OutcomeState
    errcode: int | None
    count: int
    hint: Message | None
    """What was said of the first of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOverview:
    """A job, as a list of jobs shows it."""

    job: BatchJob
    counts: Mapping[OutcomeState, int] = field(default_factory=dict)
    """How many of its rows ended how."""
    worker: str | None = None
    """The run that holds its corp now, in words; None where nobody does."""

    @property
    def failures(self) -> int:
        """The rows that ended other than done."""
        return sum(number for state, number in self.counts.items() if state is not OutcomeState.DONE)

    @property
    def is_left(self) -> bool:
        """It is open, and nobody sees to it: whoever did has died."""
        return self.job.state.is_open and self.worker is None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """A job with what became of its rows."""

    overview: JobOverview
    tallies: tuple[RowTally, ...]
    results: tuple[RowResult, ...]
    """The failed first; perhaps not all."""
