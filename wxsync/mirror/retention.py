"""What is kept, and how long: a little is struck at the end of every run, so that none takes long for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, select

from wxsync.mirror.audit_chain import prune
from wxsync.mirror.erasing import forget
from wxsync.mirror.inbox import strike_old
from wxsync.mirror.people import Person
from wxsync.mirror.store import Store
from wxsync.mirror.tables import baselines, batch_jobs, member_links, runs
from wxsync.mirror.told import strike_old_told
from wxsync.model.batch_job import OPEN_STATES
from wxsync.model.message import say
from wxsync.model.run import RunState

RUNS_AT_ONCE: Final = 50
LINES_AT_ONCE: Final = 20_000
PEOPLE_AT_ONCE: Final = 200
LONG_GONE: Final = say("somebody had been gone for as long as anything is kept of anybody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how many days things are kept."""

    audit_days: int = 400
    """Lines of the audit trail, and what is known of somebody after they are gone."""
    keep_runs_days: int = 90
    """Runs, with their plans, readings, steps, outcomes and files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """What went because of its age."""

    runs: int
    lines: int
    people: int


def tidy(store: Store, corp: str, keep: Retention, now: datetime) -> Struck:
    """Strikes what is older than it is kept, some of it at most; each run in a transaction of its own.

    Of every sync the newest run that was applied stays whatever its age, and so does the one whose readings
    are the baseline. Raises MirrorError; what was struck until then stays so.
    """
    tidy_events(store, corp, now)
    return Struck(
        runs=sum(1 for _ in _strike_runs(store, corp, now - timedelta(days=keep.keep_runs_days))),
        lines=_prune(store, corp, now - timedelta(days=keep.audit_days), now),
        people=_forget_the_gone(store, corp, now - timedelta(days=keep.audit_days), now),
    )


def tidy_events(store: Store, corp: str, now: datetime) -> None:
    """Strikes events, and what they told, that are older than they are kept; some of it at most."""
    with store.transaction() as connection:
        strike_old(connection, corp, now)
        strike_old_told(connection, corp, now)


def _strike_runs(store: Store, corp: str, before: datetime) -> Iterator[int]:
    with store.reading() as connection:
        old = _old_runs(connection, corp, before)
    for run_id in old:
        with store.transaction() as connection:
            connection.execute(delete(runs).where(runs.c.id == run_id))
        yield run_id


def _old_runs(connection: Connection, corp: str, before: datetime) -> list[int]:
    c, job = runs.c, batch_jobs.c
    kept = {
        *connection.scalars(
            select(func.max(c.id))
            .where(c.corp == corp, c.verb == "apply", c.state == RunState.APPLIED.value)
            .group_by(c.sync)
        ),
        *connection.scalars(select(baselines.c.run_id).where(baselines.c.corp == corp)),
        *connection.scalars(select(job.run_id).where(job.corp == corp, job.state.in_([*OPEN_STATES]))),
    }
    old = (
        select(c.id)
        .where(
            c.corp == corp,
            c.started_at < before,
            c.state != RunState.RUNNING.value,
            c.id.not_in(sorted(kept)),
        )
        .order_by(c.id)
        .limit(RUNS_AT_ONCE)
    )
    return [*connection.scalars(old)]


def _prune(store: Store, corp: str, before: datetime, now: datetime) -> int:
    with store.transaction() as connection:
        return prune(connection, corp, before, now, LINES_AT_ONCE)


def _forget_the_gone(store: Store, corp: str, before: datetime, now: datetime) -> int:
    """Of whoever is gone for so long no run is left that names them, and hardly a line of the trail."""
    c = member_links.c
    gone = select(c.sync, c.key, c.userid_folded).where(c.corp == corp, c.gone_at < before)
    with store.reading() as connection:
        found = connection.execute(gone.limit(PEOPLE_AT_ONCE)).all()
    for row in found:
        keys, userids = frozenset({(row.sync, row.key)}), frozenset({row.userid_folded})
        with store.transaction() as connection:
            if _is_back(connection, corp, row.userid_folded):
                userids = frozenset()  # the same person, by another key or in another sync
            forget(connection, Person(corp=corp, keys=keys, userids=userids), now, LONG_GONE)
    return len(found)


def _is_back(connection: Connection, corp: str, folded: str) -> bool:
    c = member_links.c
    return (
        connection.execute(select(c.key).where(c.corp == corp, c.live_userid == folded)).first() is not None
    )
