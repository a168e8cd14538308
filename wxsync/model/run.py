"""One attempt to plan and, unless it is a dry run, apply; and what became of each change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wxsync.model.message import Message
from wxsync.model.plan import Plan


class OutcomeState(StrEnum):
    """What became of a change."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not tried, because something that it depends on failed or the run was stopped."""
    UNKNOWN = "unknown"
    """It was sent and its fate is not known."""


class RunState(StrEnum):
    """Where a run stands."""

    PLANNED = "planned"
    """A dry run: it has read and planned."""
    RUNNING = "running"
    APPLIED = "applied"
    """It went to its end, whatever became of single records."""
    REFUSED = "refused"
    STOPPED = "stopped"
    """It broke off: what was left is as it was."""
    FAILED = "failed"
    """An error ended it before anything was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of change `n`."""

    n: int
    state: OutcomeState
    errcode: int | None = None
    hint: Message | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run with its plan and outcomes (`wxsync-run/1`)."""

    id: int
    sync: str
    trigger: str
    """"manual", "schedule", …: what set it off."""
    started_at: datetime
    finished_at: datetime | None
    state: RunState
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    error: str | None = None
    """What broke the run off."""
    is_stale: bool = False
    """It was refused because its plan is not the one that was approved, or that approval holds no more."""
    left: int = 0
    """So many changes of the whole plan nobody said yes to: this run carried out a part of it."""
    differences: tuple[Message, ...] = ()
    """Where the plan is not the one that was approved: what is otherwise."""

    def count(self, state: OutcomeState) -> int:
        return sum(outcome.state is state for outcome in self.outcomes)
