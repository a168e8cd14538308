"""How each sync stands by its last runs: what metrics ask for, without opening a plan or counting outcomes.

All functions take a connection and only read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import Connection, exists, func, select

from wxsync.mirror.tables import batch_jobs, readings, runs
from wxsync.model.batch_job import OPEN_STATES
from wxsync.model.run import RunState

LOOKED_AT: Final = 100
"""Runs of a sync, whatever their verb."""
FAILURES: Final = frozenset({RunState.FAILED.value, RunState.STOPPED.value})
SUCCESSES: Final = {"apply": RunState.APPLIED.value, "plan": RunState.PLANNED.value}
"""Verb -> how a run of it ends well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that is over."""

    state: RunState
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one query of a source gave."""

    source: str
    query: str
    rows: int
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The last runs of one sync."""

    last: Ended | None
    succeeded_at: datetime | None
    """When the last one ended that went to its end with everything read whole."""
    failures: int
    """So many of the last ones in a row ended by an error or were broken off."""
    at_work_since: datetime | None
    readings: tuple[Read, ...]
    """Of the last run that read."""


def latest(connection: Connection, corp: str, sync: str, verbs: Collection[str]) -> Latest:
    """How `sync` stands by its runs with one of these verbs, as far as they are among its last ones."""
    c = runs.c
    # Their numbers first, which are in the index: the rows of 90 days are not looked at.
    newest = select(c.id).where(c.corp == corp, c.sync == sync).order_by(c.id.desc()).limit(LOOKED_AT)
    numbers = [*connection.scalars(newest)]
    by_these = select(c.state, c.started_at, c.finished_at).where(c.id.in_(numbers), c.verb.in_([*verbs]))
    found = connection.execute(by_these.order_by(c.id.desc())).all()
    successes = (_succeeded(connection, corp, sync, verb) for verb in verbs)
    over = [row for row in found if row.state != RunState.RUNNING.value]
    at_work = [row.started_at for row in found if row.state == RunState.RUNNING.value]
    return Latest(
        last=_ended(over[0]) if over else None,
        succeeded_at=max(filter(None, successes), default=None),
        failures=len([*takewhile(lambda row: row.state in FAILURES, over)]),
        at_work_since=at_work[0] if at_work else None,
        readings=_readings(connection, numbers),
    )


def open_jobs(connection: Connection) -> dict[str, tuple[int, datetime]]:
    """Corp -> how many imports by file are under way, and since when the oldest of them."""
    c = batch_jobs.c
    query = select(c.corp, func.count().label("number"), func.min(c.prepared_at).label("oldest"))
    rows = connection.execute(query.where(c.state.in_([*OPEN_STATES])).group_by(c.corp))
    return {row.corp: (row.number, row.oldest) for row in rows}


def _ended(row: Any) -> Ended:
    return Ended(state=RunState(row.state), started_at=row.started_at, finished_at=row.finished_at)


def _succeeded(connection: Connection, corp: str, sync: str, verb: str) -> datetime | None:
    c, read = runs.c, readings.c
    was_partial = exists().where(read.run_id == c.id, read.is_complete.is_(False))
    query = (
        select(c.finished_at)
        .where(c.corp == corp, c.sync == sync, c.verb == verb, c.state == SUCCESSES[verb], ~was_partial)
        .order_by(c.id.desc())
        .limit(1)
    )
    found: Any = connection.scalar(query)
    return None if found is None else found


def _readings(connection: Connection, numbers: Sequence[int]) -> tuple[Read, ...]:
    read = readings.c
    last = connection.scalar(select(func.max(read.run_id)).where(read.run_id.in_(numbers)))
    rows = connection.execute(
        select(read.source, read.query, read.row_count, read.is_complete)
        .where(read.run_id == last)
        .order_by(read.source, read.query)
    )
    return tuple(
        Read(source=row.source, query=row.query, rows=row.row_count, is_complete=row.is_complete)
        for row in rows
    )
