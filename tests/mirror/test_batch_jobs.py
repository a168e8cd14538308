"""Imports on record, on every database."""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from wxsync.errors import MirrorError
from wxsync.mirror import jobs, journal, tables
from wxsync.mirror.store import Store
from wxsync.mirror.values import fields_text, to_fields
from wxsync.model.batch_job import BatchJob, JobRow, JobState, RowResult, RowTally
from wxsync.model.change import Verb
from wxsync.model.job import JobKind
from wxsync.model.message import say
from wxsync.model.run import OutcomeState
from wxsync.model.unknown import UNKNOWN, Value

START = datetime(2026, 1, 31, 8, 0, 0, 5, tzinfo=UTC)
FIELDS: dict[str, Value] = {
    "name": '林, "梅"\n=1',
    "mobile": "+8613800000001",
    "departments": ("D1", 7),
    "order": (("D1", 3), (7, 0)),
    "is_leader": (),
    "enable": True,
    "gender": None,
    "alias": UNKNOWN,
}


def start(store: Store, corp: str = "acme") -> int:
    with store.transaction() as connection:
        return journal.start_run(connection, sync=corp, corp=corp, trigger="manual", started_at=START)


def prepared(store: Store, *rows: JobRow, corp: str = "acme") -> int:
    run_id = start(store, corp)
    with store.transaction() as connection:
        job = jobs.prepare(
            connection, run_id=run_id, corp=corp, sync=corp, kind=JobKind.SYNC_MEMBERS, prepared_at=START
        )
        jobs.put_rows(connection, job, rows)
    return job


def row(n: int, **more: Any) -> JobRow:
    made = JobRow(n=n, key=f"E{n}", userid=f"e{n}", verb=Verb.UPDATE, fields={"name": f"林{n}"})
    return replace(made, **more)


def ended(n: int, state: OutcomeState | None, errcode: int | None = None, hint: str | None = None) -> JobRow:
    return row(n, state=state, errcode=errcode, hint=None if hint is None else say("{problem}", problem=hint))


def found(store: Store, job: int) -> BatchJob:
    with store.reading() as connection:
        read = jobs.job(connection, job)
    assert read is not None
    return read


def test_a_job_is_on_record_before_anything_is_sent(store: Store):
    """It is PREPARED, nothing is known of it, and its rows are counted."""
    run_id = start(store)
    with store.transaction() as connection:
        id = jobs.prepare(
            connection,
            run_id=run_id,
            corp="acme",
            sync="hq",
            kind=JobKind.REPLACE_MEMBERS,
            prepared_at=START,
        )
        jobs.put_rows(connection, id, [row(3), row(1)])
        jobs.put_rows(connection, id, [row(2)])

    assert found(store, id) == BatchJob(
        id=id,
        run_id=run_id,
        corp="acme",
        sync="hq",
        kind=JobKind.REPLACE_MEMBERS,
        state=JobState.PREPARED,
        rows=3,
        prepared_at=START,
    )
    with store.reading() as connection:
        assert [each.n for each in jobs.rows(connection, id)] == [1, 2, 3]


def test_all_that_is_known_of_a_job_comes_back(store: Store):
    """How far it is, whenever it was; what it is stays as it was prepared."""
    id = prepared(store, row(1))
    known = replace(
        found(store, id),
        state=JobState.FAILED,
        job_id="3_1559620211_296300",
        media_id="3a8" + "x" * 200,
        uploaded_at=START + timedelta(seconds=1),
        submitted_at=START + timedelta(seconds=2),
        finished_at=START + timedelta(minutes=3),
        submissions=3,
        percentage=71,
        errcode=302005,
        hint=say("{problem}", problem="企业微信 could not"),
    )
    with store.transaction() as connection:
        jobs.put(
            connection,
            replace(known, rows=99, run_id=99, corp="x", sync="x", prepared_at=START + timedelta(hours=1)),
        )

    assert found(store, id) == known
    with store.transaction() as connection:
        jobs.put(connection, replace(known, media_id=None, job_id=None, hint=None, errcode=None))
    assert found(store, id) == replace(known, media_id=None, job_id=None, hint=None, errcode=None)


def test_what_a_row_says_comes_back_and_is_in_no_repr(store: Store):
    """Every kind of value, unknown and empty ones told apart; nothing of it can end up in a log."""
    said = JobRow(n=7, key="E7", userid="E7", verb=Verb.CREATE, fields=FIELDS)
    id = prepared(store, said)
    with store.reading() as connection:
        [read] = jobs.rows(connection, id)
    assert read == said
    assert "13800000001" not in repr(read)
    assert "梅" not in repr(read)
    assert "3a8" not in repr(replace(found(store, id), media_id="3a8"))


refs = st.one_of(st.text(max_size=5), st.integers())
scalars = st.one_of(st.none(), st.booleans(), st.text(max_size=8), st.integers())
values = st.one_of(
    scalars,
    st.just(UNKNOWN),
    st.lists(scalars, max_size=3).map(tuple),
    st.lists(st.tuples(refs, st.integers()), max_size=3).map(tuple),
)


@given(st.dictionaries(st.text(max_size=8), values, max_size=5))
def test_fields_are_written_down_without_loss(fields: dict[str, Value]):
    """Whatever a change may hold."""
    read = to_fields(fields_text(fields))
    assert read == fields
    assert [type(value) for value in read.values()] == [type(value) for value in fields.values()]


def test_results_are_put_beside_the_rows(store: Store):
    """What a row says stays; a later result replaces the former, None takes it away."""
    id = prepared(store, *(row(n) for n in range(1, 5)))
    results = [
        ended(1, OutcomeState.DONE, 0),
        ended(2, OutcomeState.FAILED, 60104, "somebody has it"),
        ended(3, OutcomeState.UNKNOWN),
    ]
    with store.transaction() as connection:
        jobs.conclude_rows(connection, id, results)
    with store.reading() as connection:
        assert jobs.rows(connection, id) == (*results, row(4))
        assert jobs.counts(connection, [id, 99]) == {
            id: {OutcomeState.DONE: 1, OutcomeState.FAILED: 1, OutcomeState.UNKNOWN: 1}
        }
    with store.transaction() as connection:
        jobs.conclude_rows(connection, id, [ended(3, OutcomeState.FAILED), ended(3, OutcomeState.DONE)])
        jobs.conclude_rows(connection, id, [row(2, fields={})])
        jobs.conclude_rows(connection, id, [])
    with store.reading() as connection:
        assert jobs.rows(connection, id) == (results[0], row(2), ended(3, OutcomeState.DONE), row(4))


def test_results_of_one_job_are_not_those_of_another(store: Store):
    """Each run counts its changes from 1, so the rows of its jobs have the same numbers."""
    first = prepared(store, row(1, state=OutcomeState.DONE), row(2))
    second = prepared(store, row(1), row(2, state=OutcomeState.FAILED, errcode=60104))
    with store.reading() as connection:
        assert [each.state for each in jobs.rows(connection, first)] == [OutcomeState.DONE, None]
        assert [(each.n, each.state) for each in jobs.results(connection, second)] == [
            (2, OutcomeState.FAILED),
            (1, None),
        ]
        assert jobs.counts(connection, [first, second]) == {
            first: {OutcomeState.DONE: 1},
            second: {OutcomeState.FAILED: 1},
        }


def test_a_row_that_is_over_already_may_come_with_its_result(store: Store):
    """Both are on record at once."""
    id = prepared(store, row(1), row(2, state=OutcomeState.SKIPPED, hint=say("too late")))
    with store.reading() as connection:
        assert [each.state for each in jobs.rows(connection, id)] == [None, OutcomeState.SKIPPED]


def test_the_failed_come_first(store: Store):
    """Then those of unknown fate, the skipped, those without a result, and last those that were done."""
    states = [
        OutcomeState.DONE,
        None,
        OutcomeState.SKIPPED,
        OutcomeState.UNKNOWN,
        OutcomeState.FAILED,
        OutcomeState.FAILED,
    ]
    id = prepared(store, *(row(n, state=state) for n, state in enumerate(states, 1)))
    with store.reading() as connection:
        assert [each.n for each in jobs.results(connection, id)] == [5, 6, 4, 3, 2, 1]
        [worst, second] = jobs.results(connection, id, 2)
    assert (worst, second) == (
        RowResult(n=5, key="E5", userid="e5", verb=Verb.UPDATE, state=OutcomeState.FAILED),
        RowResult(n=6, key="E6", userid="e6", verb=Verb.UPDATE, state=OutcomeState.FAILED),
    )


def test_what_went_wrong_is_counted_by_errcode(store: Store):
    """The most frequent first, each with the hint of its first row; what was done is not counted."""
    results = [
        ended(1, OutcomeState.FAILED, 60129),
        ended(2, OutcomeState.FAILED, 60104, "the first"),
        ended(3, OutcomeState.DONE),
        ended(4, OutcomeState.UNKNOWN, None, "not in the result"),
        ended(5, OutcomeState.FAILED, 60104, "the second"),
        ended(6, OutcomeState.UNKNOWN, 60104, "another state"),
    ]
    id = prepared(store, *results)
    prepared(store, ended(2, OutcomeState.FAILED, 60104, "of another job"))
    with store.reading() as connection:
        told = jobs.tallies(connection, id)
        assert jobs.tallies(connection, 99) == ()
    assert told == (
        RowTally(state=OutcomeState.FAILED, errcode=60104, count=2, hint=results[1].hint),
        RowTally(state=OutcomeState.FAILED, errcode=60129, count=1, hint=None),
        RowTally(state=OutcomeState.UNKNOWN, errcode=None, count=1, hint=results[3].hint),
        RowTally(state=OutcomeState.UNKNOWN, errcode=60104, count=1, hint=results[5].hint),
    )


def test_the_open_jobs_of_a_corp_are_found(store: Store):
    """The oldest first; neither those that are over nor those of another corp."""
    numbers = {}
    for state in JobState:
        numbers[state] = prepared(store)
        with store.transaction() as connection:
            jobs.put(connection, replace(found(store, numbers[state]), state=state))
    other = prepared(store, corp="other")

    with store.reading() as connection:
        open_ = jobs.open_jobs(connection, "acme")
        listed = jobs.jobs(connection, 2)

    assert [each.id for each in open_] == [numbers[state] for state in JobState if state.is_open]
    assert {state for state in JobState if state.is_open} == {
        JobState.PREPARED,
        JobState.SUBMITTING,
        JobState.RUNNING,
    }
    assert [each.id for each in listed] == [other, numbers[JobState.ABANDONED]]


def test_a_job_that_is_not_there_is_none_to_read_and_an_error_to_write(store: Store):
    """So are rows of no job, results of no row, and a second row of the same change."""
    id = prepared(store, row(1))
    with store.reading() as connection:
        assert jobs.job(connection, 99) is None
        assert jobs.rows(connection, 99) == ()
        assert jobs.results(connection, 99) == ()
    for write in (
        lambda connection: jobs.put(connection, replace(found(store, id), id=99)),
        lambda connection: jobs.put_rows(connection, 99, [row(1)]),
        lambda connection: jobs.put_rows(connection, 99, []),
    ):
        with pytest.raises(MirrorError, match="the mirror has no job 99"), store.transaction() as connection:
            write(connection)
    for write in (
        lambda connection: jobs.conclude_rows(connection, id, [ended(2, OutcomeState.DONE)]),
        lambda connection: jobs.put_rows(connection, id, [row(2), row(1)]),
    ):
        with pytest.raises(MirrorError), store.transaction() as connection:
            write(connection)
    assert found(store, id).rows == 1
    with store.reading() as connection:
        assert jobs.rows(connection, id) == (row(1),)


def test_the_number_of_a_job_is_never_given_again(store: Store):
    """Not even when the newest one is gone with its run; its rows and results go too."""
    first = prepared(store, row(1, state=OutcomeState.DONE))
    with store.transaction() as connection:
        connection.execute(delete(tables.runs))
    second = prepared(store)
    assert second > first
    with store.reading() as connection:
        for table in (tables.batch_job_rows, tables.batch_job_results):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


def test_the_file_is_kept_while_the_job_is_open(store: Store):
    """20 MB of people, byte by byte; gone with the job's end, and with what it said of them."""
    lines = (
        f'"林{n:06}","e{n}",+86138{n:08},1;{n % 1009},"{n * 7919 % 100_003}"\r\n' for n in range(470_000)
    )
    content = "".join(lines).encode()
    id = prepared(store, row(1))
    with store.transaction() as connection:
        jobs.put_file(connection, id, content)
    for state in JobState:
        with store.transaction() as connection:
            jobs.put(connection, replace(found(store, id), state=state))
            kept = jobs.file_of(connection, id)
            assert (kept == content) if state.is_open else (kept is None)
    with store.reading() as connection:
        assert jobs.file_of(connection, 99) is None
    assert len(content) > 19_000_000


def test_a_large_job_goes_in_and_out(store: Store):
    """20,000 rows in seconds, and in little memory: of those that are read a slice is held at a time."""
    rows = [
        JobRow(n=n, key=f"E{n}", userid=f"e{n}", verb=Verb.CREATE, fields=FIELDS) for n in range(1, 20_001)
    ]
    begin, before = time.monotonic(), peak()
    id = prepared(store, *rows)
    results = [
        RowResult(
            n=each.n,
            key=each.key,
            userid=each.userid,
            verb=each.verb,
            state=OutcomeState.FAILED,
            errcode=60104,
            hint=say("{owner} has it", owner=each.userid),
        )
        for each in rows
    ]
    with store.transaction() as connection:
        jobs.conclude_rows(connection, id, results)
    with store.reading() as connection:
        read = sum(each.fields == FIELDS for each in jobs.each_row(connection, id))
    assert read == 20_000
    assert found(store, id).rows == 20_000
    assert time.monotonic() - begin < 20
    assert peak() - before < 40 * 1024


def peak() -> int:
    """KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
