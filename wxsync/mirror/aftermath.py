"""What runs that are over left behind: what failed, and calls of whose end nobody knows.

All functions take a connection and only read.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection, exists, func, or_, select

from wxsync.mirror import tables
from wxsync.mirror.documents import unpacked
from wxsync.mirror.journal import BY_THE_SOURCES, PUT_INTO_TAG, Intent, to_intent
from wxsync.model.member import fold
from wxsync.model.run import OutcomeState, RunState

OVER = (RunState.APPLIED.value, RunState.STOPPED.value)
FAILURES = (OutcomeState.FAILED.value, OutcomeState.UNKNOWN.value)


def failed_records(
    connection: Connection, corp: str, sync: str, *, before: int
) -> frozenset[tuple[str, str, int | None]]:
    """Kind, key and errcode of whatever failed in the last run before run `before` that went to WeCom."""
    ended, plans = tables.outcomes.c, tables.plans.c
    last = _last_by_the_sources(connection, corp, sync, before=before)
    query = select(ended.n, ended.errcode).where(ended.run_id == last, ended.state.in_(FAILURES))
    failed = connection.execute(query).all()
    document = connection.scalar(select(plans.document).where(plans.run_id == last)) if failed else None
    if document is None:
        return frozenset()
    changes = json.loads(unpacked(document))["changes"]
    return frozenset(
        (changes[n - 1]["kind"], str(changes[n - 1]["key"]), errcode)
        for n, errcode in failed
        if n <= len(changes)
    )


def failed_userids(connection: Connection, corp: str, sync: str) -> frozenset[str]:
    """Folded userids of members of whom something failed in the last run that went to WeCom.

    By its calls and rows, and not by its plan, which may be very long.
    """
    step, ended, row, job = (
        each.c for each in (tables.steps, tables.outcomes, tables.batch_job_rows, tables.batch_jobs)
    )
    last = _last_by_the_sources(connection, corp, sync)
    failed = select(ended.n).where(ended.run_id == last, ended.state.in_(FAILURES))
    called = select(step.detail).where(step.run_id == last, step.n.in_(failed))
    rows = (
        select(row.userid)
        .select_from(tables.batch_job_rows.join(tables.batch_jobs))
        .where(job.run_id == last, row.n.in_(failed))
    )
    said = (json.loads(detail).get("userid") for detail in connection.scalars(called))
    return frozenset(fold(userid) for userid in (*said, *connection.scalars(rows)) if userid)


def last_runs(connection: Connection, corp: str, sync: str, most: int) -> tuple[int, ...]:
    """The newest runs that called WeCom or came to their end, at most so many, the newest first."""
    run = tables.runs.c
    called = exists().where(tables.steps.c.run_id == run.id)
    query = select(run.id).where(
        run.corp == corp,
        run.sync == sync,
        run.verb != "plan",
        or_(called, run.state == RunState.APPLIED.value),
    )
    return tuple(connection.scalars(query.order_by(run.id.desc()).limit(most)))


def tags_in_doubt(connection: Connection, corp: str, sync: str) -> frozenset[int]:
    """The ids of tags into which the last run that wrote may have put people, or may not have.

    A run that came to its end since has seen who is in them, whether it had anything to write or not.
    """
    step, ended = tables.steps.c, tables.outcomes.c
    last = next(iter(last_runs(connection, corp, sync, 1)), None)
    is_known = exists().where(
        ended.run_id == step.run_id, ended.n == step.n, ended.state != OutcomeState.UNKNOWN.value
    )
    open_ones = select(step.detail).where(step.run_id == last, step.call == PUT_INTO_TAG, ~is_known)
    return frozenset(int(json.loads(detail)["id"]) for detail in connection.scalars(open_ones))


def broken_off(connection: Connection, corp: str, *, after: int, before: int) -> tuple[tuple[int, str], ...]:
    """(number, sync) of the runs between these two that may have begun calls whose end is not on record."""
    c = tables.runs.c
    states = [RunState.STOPPED.value, RunState.FAILED.value]
    found = select(c.id, c.sync).where(
        c.corp == corp, c.verb != "plan", c.state.in_(states), c.id > after, c.id < before
    )
    return tuple((row.id, row.sync) for row in connection.execute(found.order_by(c.id)))


def open_intents(connection: Connection, run_id: int) -> tuple[Intent, ...]:
    """The calls of a run that belong to a change of which no outcome is on record."""
    step, ended = tables.steps.c, tables.outcomes.c
    is_over = exists().where(ended.run_id == step.run_id, ended.n == step.n)
    found = select(tables.steps).where(step.run_id == run_id, ~is_over).order_by(step.n, step.step)
    return tuple(to_intent(row) for row in connection.execute(found))


def states_of(connection: Connection, run_id: int) -> dict[int, OutcomeState]:
    """n -> what became of the change; UNKNOWN also where it was announced, and no outcome is on record."""
    announced = connection.scalars(select(tables.steps.c.n).where(tables.steps.c.run_id == run_id).distinct())
    ended = tables.outcomes.c
    outcomes = connection.execute(select(ended.n, ended.state).where(ended.run_id == run_id))
    ends = {n: OutcomeState(state) for n, state in outcomes}
    return dict.fromkeys(announced, OutcomeState.UNKNOWN) | ends


def _last_by_the_sources(
    connection: Connection, corp: str, sync: str, *, before: int | None = None
) -> int | None:
    run = tables.runs.c
    query = select(func.max(run.id)).where(
        run.corp == corp, run.sync == sync, run.verb == BY_THE_SOURCES, run.state.in_(OVER)
    )
    found: int | None = connection.scalar(query if before is None else query.where(run.id < before))
    return found
