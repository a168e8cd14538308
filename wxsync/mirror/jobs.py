"""Imports on record: a job before it is submitted, its rows, and what became of each of them.

All functions take a connection and never commit: what belongs together goes into one transaction.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection, Row, Select, case, delete, func, insert, select, update

from wxsync.errors import MirrorError
from wxsync.mirror import tables
from wxsync.mirror.values import fields_text, message_text, to_fields, to_message
from wxsync.model.batch_job import OPEN_STATES, BatchJob, JobRow, JobState, RowResult, RowTally
from wxsync.model.change import Verb
from wxsync.model.job import JobKind
from wxsync.model.run import OutcomeState

R = TypeVar("R", bound=RowResult)

SLICE: Final = 1000
"""So many rows go in or out at a time: memory stays small however long the file is."""

_PLACES: Final = {
    OutcomeState.FAILED: 0,
    OutcomeState.UNKNOWN: 1,
    OutcomeState.SKIPPED: 2,
    OutcomeState.DONE: 4,
}
_PLACE_OF_PENDING: Final = 3


def prepare(
    connection: Connection, *, run_id: int, corp: str, sync: str, kind: JobKind, prepared_at: datetime
) -> int:
    """A new job in state PREPARED, without rows; gives its number, which no other job ever gets."""
    row = {
        "run_id": run_id,
        "corp": corp,
        "sync": sync,
        "kind": kind.value,
        "state": JobState.PREPARED.value,
        "row_count": 0,
        "prepared_at": prepared_at,
        "submissions": 0,
        "percentage": 0,
    }
    prepared = connection.execute(insert(tables.batch_jobs).values(row))
    return cast("tuple[int]", prepared.inserted_primary_key)[0]


def put_rows(connection: Connection, job: int, rows: Sequence[JobRow]) -> None:
    """Adds rows to a job, with their results where they have any.

    Raises MirrorError where there is no such job, or where a row of the same change is there already.
    """
    c = tables.batch_jobs.c
    counted = update(tables.batch_jobs).where(c.id == job).values(row_count=c.row_count + len(rows))
    _must_be_there(connection.execute(counted).rowcount, job)
    for some in _slices(rows):
        written = [
            {
                "job": job,
                "n": row.n,
                "key": row.key,
                "userid": row.userid,
                "verb": row.verb.value,
                "fields": fields_text(row.fields),
            }
            for row in some
        ]
        connection.execute(insert(tables.batch_job_rows), written)
        _insert_results(connection, job, some)


def put_file(connection: Connection, job: int, content: bytes) -> None:
    """Keeps the file of a job, until the job is no longer open."""
    values = {"job": job, "content": zlib.compress(content)}
    connection.execute(insert(tables.batch_job_files), values)


def file_of(connection: Connection, job: int) -> bytes | None:
    """The file of an open job; None where it was never put, or the job is over."""
    c = tables.batch_job_files.c
    content: bytes | None = connection.scalar(select(c.content).where(c.job == job))
    return None if content is None else zlib.decompress(content)


def put(connection: Connection, job: BatchJob) -> None:
    """Writes down how far the job is: everything but what it is, which `prepare` said once for all.

    The file of one that is no longer open is dropped.
    Its run, corp, sync, kind, time of preparation and number of rows stay as they are on record.
    Raises MirrorError where there is no such job.
    """
    values = {
        "state": job.state.value,
        "job_id": job.job_id,
        "media_id": job.media_id,
        "uploaded_at": job.uploaded_at,
        "submitted_at": job.submitted_at,
        "finished_at": job.finished_at,
        "submissions": job.submissions,
        "percentage": job.percentage,
        "errcode": job.errcode,
        "hint": message_text(job.hint),
    }
    written = update(tables.batch_jobs).where(tables.batch_jobs.c.id == job.id).values(values)
    _must_be_there(connection.execute(written).rowcount, job.id)
    if not job.state.is_open:
        connection.execute(delete(tables.batch_job_files).where(tables.batch_job_files.c.job == job.id))


def conclude_rows(connection: Connection, job: int, rows: Sequence[RowResult]) -> None:
    """Puts on record what became of rows; a later result of the same row replaces the former.

    A row whose state is None loses its result. What the rows say stays as it was put.
    """
    c = tables.batch_job_results.c
    for some in _slices(list({row.n: row for row in rows}.values())):
        same = delete(tables.batch_job_results).where(c.job == job, c.n.in_([row.n for row in some]))
        connection.execute(same)
        _insert_results(connection, job, some)


def open_jobs(connection: Connection, corp: str) -> tuple[BatchJob, ...]:
    """The jobs of `corp` that somebody has yet to see to, the oldest first."""
    c = tables.batch_jobs.c
    open_ = select(tables.batch_jobs).where(c.corp == corp, c.state.in_([*OPEN_STATES])).order_by(c.id)
    return tuple(_to_job(row) for row in connection.execute(open_))


def jobs(connection: Connection, limit: int) -> tuple[BatchJob, ...]:
    """The last `limit` jobs, the newest first."""
    newest = select(tables.batch_jobs).order_by(tables.batch_jobs.c.id.desc()).limit(limit)
    return tuple(_to_job(row) for row in connection.execute(newest))


def job(connection: Connection, id: int) -> BatchJob | None:
    """One job; None where there is no such."""
    found = connection.execute(select(tables.batch_jobs).where(tables.batch_jobs.c.id == id)).one_or_none()
    return None if found is None else _to_job(found)


def rows(connection: Connection, job: int) -> tuple[JobRow, ...]:
    """Every row of a job, by the number of its change. `each_row` takes less memory."""
    return tuple(each_row(connection, job))


def each_row(connection: Connection, job: int) -> Iterator[JobRow]:
    """The rows of a job one by one, by the number of their change, a slice of them in memory."""
    said, ended = tables.batch_job_rows, tables.batch_job_results.c
    joined = said.outerjoin(tables.batch_job_results, (ended.job == said.c.job) & (ended.n == said.c.n))
    query = select(said, ended.state, ended.errcode, ended.hint).select_from(joined).order_by(said.c.n)
    last: int | None = None
    while True:
        after = said.c.job == job if last is None else (said.c.job == job) & (said.c.n > last)
        found = connection.execute(query.where(after).limit(SLICE)).all()
        yield from (JobRow(**_result_of(row), fields=to_fields(row.fields)) for row in found)
        if len(found) < SLICE:
            return
        last = found[-1].n


def results(connection: Connection, job: int, limit: int | None = None) -> tuple[RowResult, ...]:
    """The rows of a job without what they say: the failed first, those that were done last.

    Between them whose fate is unknown, who was skipped, and who has no result yet; within each by
    the number of the change.
    """
    said, ended = tables.batch_job_rows.c, tables.batch_job_results.c
    joined = tables.batch_job_rows.outerjoin(
        tables.batch_job_results, (ended.job == said.job) & (ended.n == said.n)
    )
    places = ((ended.state == state.value, place) for state, place in _PLACES.items())
    query: Select[Any] = (
        select(said.n, said.key, said.userid, said.verb, ended.state, ended.errcode, ended.hint)
        .select_from(joined)
        .where(said.job == job)
        .order_by(case(*places, else_=_PLACE_OF_PENDING), said.n)
        .limit(limit)
    )
    return tuple(RowResult(**_result_of(row)) for row in connection.execute(query))


def counts(connection: Connection, job_ids: Sequence[int]) -> dict[int, dict[OutcomeState, int]]:
    """How many rows of each job ended how; jobs and states without any are left out."""
    c = tables.batch_job_results.c
    query = select(c.job, c.state, func.count()).where(c.job.in_(job_ids)).group_by(c.job, c.state)
    counted: dict[int, dict[OutcomeState, int]] = {}
    for id, state, number in connection.execute(query):
        counted.setdefault(id, {})[OutcomeState(state)] = number
    return counted


def tallies(connection: Connection, job: int) -> tuple[RowTally, ...]:
    """The rows that were not done, counted by state and errcode, the most frequent first."""
    c = tables.batch_job_results.c
    grouped = (
        select(c.state, c.errcode, func.count().label("number"), func.min(c.n).label("first"))
        .where(c.job == job, c.state != OutcomeState.DONE.value)
        .group_by(c.state, c.errcode)
    )
    found = sorted(connection.execute(grouped), key=lambda row: (-row.number, row.first))
    firsts = select(c.n, c.hint).where(c.job == job, c.n.in_([row.first for row in found]))
    hints: dict[int, str | None] = {row.n: row.hint for row in connection.execute(firsts)}
    return tuple(
        RowTally(
            state=OutcomeState(row.state),
            errcode=row.errcode,
            count=row.number,
            hint=to_message(hints[row.first]),
        )
        for row in found
    )


def _must_be_there(found: int, job: int) -> None:
    if found == 0:
        raise MirrorError(f"the mirror has no job {job}")


def _slices(rows: Sequence[R]) -> Iterator[Sequence[R]]:
    return (rows[start : start + SLICE] for start in range(0, len(rows), SLICE))


def _insert_results(connection: Connection, job: int, rows: Sequence[RowResult]) -> None:
    ended = [
        {
            "job": job,
            "n": row.n,
            "state": row.state.value,
            "errcode": row.errcode,
            "hint": message_text(row.hint),
        }
        for row in rows
        if row.state is not None
    ]
    if ended:
        connection.execute(insert(tables.batch_job_results), ended)


def _result_of(row: Row[Any]) -> dict[str, Any]:
    return {
        "n": row.n,
        "key": row.key,
        "userid": row.userid,
        "verb": Verb(row.verb),
        "state": None if row.state is None else OutcomeState(row.state),
        "errcode": row.errcode,
        "hint": to_message(row.hint),
    }


def _to_job(row: Row[Any]) -> BatchJob:
    return BatchJob(
        id=row.id,
        run_id=row.run_id,
        corp=row.corp,
        sync=row.sync,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        rows=row.row_count,
        prepared_at=row.prepared_at,
        job_id=row.job_id,
        media_id=row.media_id,
        uploaded_at=row.uploaded_at,
        submitted_at=row.submitted_at,
        finished_at=row.finished_at,
        submissions=row.submissions,
        percentage=row.percentage,
        errcode=row.errcode,
        hint=to_message(row.hint),
    )
