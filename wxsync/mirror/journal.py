"""Every run, step by step: what was read, planned, announced, and what became of it.

All functions take a connection and never commit: what belongs together goes into one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast

from sqlalchemy import Connection, Row, Select, exists, func, insert, select, update

from wxsync.errors import MirrorError
from wxsync.mirror import tables
from wxsync.mirror.documents import unpacked
from wxsync.mirror.store import replace_rows
from wxsync.mirror.values import as_text, message_text, to_message
from wxsync.model.desired import ReadingProof
from wxsync.model.run import Outcome, OutcomeState, RunState

RunVerb = Literal["plan", "apply", "repair", "undo"]
"""A repair is an apply of one person's changes alone, an undo takes a run back without asking a source:
neither ends a first load or moves a baseline."""
BY_THE_SOURCES: Final = "apply"
"""The verb of runs that follow the sources whole: what they read is what there is."""

PUT_INTO_TAG: Final = "tag/addtagusers"
"""The call of an intent to put members of ours into a tag."""
CREATION: Final = "user/create"
"""The call of an intent to create one member."""
SYNC_ROW: Final = "batch/syncuser"
"""The call of an intent that a row of a file carries out on somebody who is there already."""
SYNC_CREATION: Final = f"{SYNC_ROW} create"
"""The same of somebody who is not there yet."""
REPLACE_ROW: Final = "batch/replaceuser"
REPLACE_CREATION: Final = f"{REPLACE_ROW} create"
REPLACE_DEPARTMENT: Final = "batch/replaceparty"
"""The call of an intent that a row of a file of departments carries out."""

ROW_CALLS: Final = frozenset({SYNC_ROW, SYNC_CREATION, REPLACE_ROW, REPLACE_CREATION, REPLACE_DEPARTMENT})
"""The calls of intents that are rows of files."""

CREATIONS: Final = (CREATION, SYNC_CREATION, REPLACE_CREATION)
"""Every call by which a member comes to be; WeCom counts them all against the month's quota."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One call to WeCom that is about to be made for change `n`."""

    n: int
    step: int
    """Calls of one change count from 1."""
    call: str
    detail: Mapping[str, Any]
    """What the call says, as JSON would; never a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run, as the list of runs shows it."""

    id: int
    corp: str
    sync: str
    verb: RunVerb
    trigger: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    approved_by: str | None
    error: str | None
    digest: str | None
    """The plan's; None where the run did not come to one."""
    counts: Mapping[OutcomeState, int]
    """How many changes ended how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    """A run with everything that is on record of it."""

    run: RunRecord
    document: str | None
    """The plan as JSON text, as `save_plan` was given it."""
    readings: tuple[ReadingProof, ...]
    intents: tuple[Intent, ...]
    outcomes: tuple[Outcome, ...]


def start_run(
    connection: Connection,
    *,
    sync: str,
    corp: str,
    trigger: str,
    started_at: datetime,
    verb: RunVerb = "apply",
    asked_digest: str | None = None,
) -> int:
    """A new run in state RUNNING; gives its number, which no other run ever gets.

    `asked_digest` is that of the plan to which whoever began it has said yes.
    """
    row = {
        "corp": corp,
        "sync": sync,
        "verb": verb,
        "trigger": trigger,
        "state": RunState.RUNNING.value,
        "started_at": started_at,
        "asked_digest": asked_digest,
    }
    started = connection.execute(insert(tables.runs).values(row))
    return cast("tuple[int]", started.inserted_primary_key)[0]


def approve_run(connection: Connection, run_id: int, approved_by: str) -> None:
    """Notes that somebody said yes to this run's plan: over its limits, and to its readings as baseline."""
    _update_run(connection, run_id, approved_by=approved_by)


def save_readings(connection: Connection, run_id: int, sync: str, readings: Sequence[ReadingProof]) -> None:
    """Keeps what the run's queries gave; moves no baseline, which is `finish_run`'s to do."""
    rows = [
        {
            "run_id": run_id,
            "source": reading.source,
            "query": reading.query,
            "sync": sync,
            "row_count": reading.rows,
            "is_complete": reading.is_complete,
            "problem": message_text(reading.problem),
            "unreadable_keys": reading.unreadable_keys,
        }
        for reading in readings
    ]
    replace_rows(connection, tables.readings, rows)


def save_plan(connection: Connection, run_id: int, *, digest: str, document: str) -> None:
    """Keeps the run's plan, as JSON text that `documents.packed` made of it, findable by its digest."""
    row = {"run_id": run_id, "digest": digest, "document": document}
    replace_rows(connection, tables.plans, [row])


def announce(connection: Connection, run_id: int, steps: Sequence[Intent]) -> None:
    """Puts the calls on record that are made once this is committed, and not before."""
    rows = {
        (step.n, step.step): {
            "run_id": run_id,
            "n": step.n,
            "step": step.step,
            "call": step.call,
            "detail": as_text(dict(step.detail)),
        }
        for step in steps
    }
    replace_rows(connection, tables.steps, list(rows.values()))


def conclude(connection: Connection, run_id: int, outcomes: Sequence[Outcome]) -> None:
    """Puts on record what became of changes; a later outcome of the same change replaces the former."""
    rows = {
        outcome.n: {
            "run_id": run_id,
            "n": outcome.n,
            "state": outcome.state.value,
            "errcode": outcome.errcode,
            "hint": message_text(outcome.hint),
            "attempts": outcome.attempts,
        }
        for outcome in outcomes
    }
    replace_rows(connection, tables.outcomes, list(rows.values()))


def finish_run(
    connection: Connection, run_id: int, state: RunState, finished_at: datetime, error: str | None = None
) -> None:
    """Closes the run, and makes its complete readings the baseline if it was applied or approved.

    A plan, a repair, an undo, a refused run and an incomplete reading never move one (contract §2, limits).
    Where the corp's audit trail ends by then is noted: one that is cut short later on has lost that place.
    """
    _update_run(connection, run_id, state=state.value, finished_at=finished_at, error=error)
    c = tables.runs.c
    corp, sync, verb, approved_by = connection.execute(
        select(c.corp, c.sync, c.verb, c.approved_by).where(c.id == run_id)
    ).one()
    is_approved = approved_by is not None and state not in (RunState.REFUSED, RunState.PLANNED)
    if verb == BY_THE_SOURCES and (state is RunState.APPLIED or is_approved):
        _move_baselines(connection, run_id, corp, sync)
    head = tables.audit_heads.c
    ended = connection.execute(select(head.seq, head.hash).where(head.corp == corp)).one_or_none()
    if ended is not None and verb != "plan":
        _update_run(connection, run_id, audit_seq=ended.seq, audit_hash=ended.hash)


def runs(connection: Connection, limit: int) -> tuple[RunRecord, ...]:
    """The last `limit` runs, the newest first."""
    found = connection.execute(_records().order_by(tables.runs.c.id.desc()).limit(limit)).all()
    return _to_records(connection, found)


def runs_by_trigger(
    connection: Connection, corp: str, sync: str, triggers: Collection[str], limit: int
) -> tuple[RunRecord, ...]:
    """The last `limit` runs of a sync that were set off so, the newest first."""
    c = tables.runs.c
    chosen = _records().where(c.corp == corp, c.sync == sync, c.trigger.in_(sorted(triggers)))
    return _to_records(connection, connection.execute(chosen.order_by(c.id.desc()).limit(limit)).all())


def record(connection: Connection, run_id: int) -> RunRecord | None:
    """One run as the list shows it; None where there is no such run."""
    found = connection.execute(_records().where(tables.runs.c.id == run_id)).all()
    return _to_records(connection, found)[0] if found else None


def run(connection: Connection, run_id: int) -> RunHistory | None:
    """Everything on record of one run; None where there is no such run."""
    found = record(connection, run_id)
    if found is None:
        return None
    plans = tables.plans.c
    document = connection.scalar(select(plans.document).where(plans.run_id == run_id))
    return RunHistory(
        run=found,
        document=None if document is None else unpacked(document),
        readings=_readings(connection, run_id),
        intents=_intents(connection, run_id),
        outcomes=_outcomes(connection, run_id),
    )


def creations_since(connection: Connection, corp: str, moment: datetime) -> int:
    """How many members the runs of `corp` that started since `moment` created, or may have created.

    One whose creation was announced counts unless its outcome says that WeCom refused it; so does
    one that failed in a later call. Who was asked for twice, in a file and by a call, counts once.
    """
    step, later, ended = tables.steps.c, tables.steps.alias("later").c, tables.outcomes.c
    has_later = exists().where(
        later.run_id == step.run_id,
        later.n == step.n,
        later.step > step.step,
        later.call.not_in(CREATIONS),
    )
    was_refused = exists().where(
        ended.run_id == step.run_id,
        ended.n == step.n,
        ended.state.in_([OutcomeState.FAILED.value, OutcomeState.SKIPPED.value]),
    )
    created = (
        select(step.run_id, step.n)
        .distinct()
        .select_from(tables.steps.join(tables.runs))
        .where(
            tables.runs.c.corp == corp,
            tables.runs.c.started_at >= moment,
            step.call.in_(CREATIONS),
            has_later | ~was_refused,
        )
        .subquery()
    )
    return connection.execute(select(func.count()).select_from(created)).scalar_one()


def last_written(connection: Connection, corp: str) -> RunHistory | None:
    """The newest run of `corp` of whose calls WeCom carried one out, or refused it; None before any."""
    ended = tables.outcomes.c
    states = [OutcomeState.DONE.value, OutcomeState.FAILED.value]
    number = connection.scalar(
        select(func.max(ended.run_id))
        .select_from(tables.outcomes.join(tables.runs))
        .where(tables.runs.c.corp == corp, ended.attempts > 0, ended.state.in_(states))
    )
    return None if number is None else run(connection, number)


def document_of(connection: Connection, run_id: int) -> str | None:
    """The run's plan as JSON text; None where there is none, or none any more."""
    plans = tables.plans.c
    document = connection.scalar(select(plans.document).where(plans.run_id == run_id))
    return None if document is None else unpacked(document)


def interrupted(connection: Connection, corp: str, *, before: int) -> tuple[RunRecord, ...]:
    """The runs before run `before` that applied to `corp` and never came to an end.

    Whoever holds the corp's lease knows them to be dead.
    """
    c = tables.runs.c
    alive = _records().where(
        c.corp == corp, c.verb != "plan", c.state == RunState.RUNNING.value, c.id < before
    )
    return _to_records(connection, connection.execute(alive.order_by(c.id)).all())


def _update_run(connection: Connection, run_id: int, **values: Any) -> None:
    found = connection.execute(update(tables.runs).where(tables.runs.c.id == run_id).values(values))
    if found.rowcount == 0:
        raise MirrorError(f"the mirror has no run {run_id}")


def _move_baselines(connection: Connection, run_id: int, corp: str, sync: str) -> None:
    rows = [
        {
            "corp": corp,
            "sync": sync,
            "source": reading.source,
            "query": reading.query,
            "row_count": reading.rows,
            "run_id": run_id,
        }
        for reading in _readings(connection, run_id)
        if reading.is_complete
    ]
    replace_rows(connection, tables.baselines, rows)


def _records() -> Select[Any]:
    return select(tables.runs, tables.plans.c.digest).outerjoin(tables.plans)


def _to_records(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[RunRecord, ...]:
    counts = _counts(connection, [row.id for row in rows])
    return tuple(
        RunRecord(
            id=row.id,
            corp=row.corp,
            sync=row.sync,
            verb=row.verb,
            trigger=row.trigger,
            state=RunState(row.state),
            started_at=row.started_at,
            finished_at=row.finished_at,
            approved_by=row.approved_by,
            error=row.error,
            digest=row.digest,
            counts=counts.get(row.id, {}),
        )
        for row in rows
    )


def _counts(connection: Connection, run_ids: Sequence[int]) -> dict[int, dict[OutcomeState, int]]:
    c = tables.outcomes.c
    counts: dict[int, dict[OutcomeState, int]] = {}
    query = select(c.run_id, c.state, func.count()).where(c.run_id.in_(run_ids)).group_by(c.run_id, c.state)
    for run_id, state, number in connection.execute(query):
        counts.setdefault(run_id, {})[OutcomeState(state)] = number
    return counts


def _readings(connection: Connection, run_id: int) -> tuple[ReadingProof, ...]:
    c = tables.readings.c
    rows = connection.execute(select(tables.readings).where(c.run_id == run_id).order_by(c.source, c.query))
    return tuple(
        ReadingProof(
            source=row.source,
            query=row.query,
            rows=row.row_count,
            is_complete=row.is_complete,
            problem=to_message(row.problem),
            unreadable_keys=row.unreadable_keys,
        )
        for row in rows
    )


def _intents(connection: Connection, run_id: int) -> tuple[Intent, ...]:
    c = tables.steps.c
    rows = connection.execute(select(tables.steps).where(c.run_id == run_id).order_by(c.n, c.step))
    return tuple(to_intent(row) for row in rows)


def to_intent(row: Row[Any]) -> Intent:
    """A row of `steps`."""
    return Intent(n=row.n, step=row.step, call=row.call, detail=json.loads(row.detail))


def _outcomes(connection: Connection, run_id: int) -> tuple[Outcome, ...]:
    c = tables.outcomes.c
    rows = connection.execute(select(tables.outcomes).where(c.run_id == run_id).order_by(c.n))
    return tuple(
        Outcome(
            n=row.n,
            state=OutcomeState(row.state),
            errcode=row.errcode,
            hint=to_message(row.hint),
            attempts=row.attempts,
        )
        for row in rows
    )
