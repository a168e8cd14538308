"""How a sync stands by its last runs, on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from wxsync.mirror import jobs, journal
from wxsync.mirror.latest import LOOKED_AT, Latest, latest, open_jobs
from wxsync.mirror.store import Store
from wxsync.mirror.tables import runs
from wxsync.model.desired import ReadingProof
from wxsync.model.job import JobKind
from wxsync.model.run import RunState

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def run(
    store: Store, minute: int, state: RunState, *, verb: journal.RunVerb = "apply", whole: bool | None = True
) -> int:
    """A run of 30 seconds; `whole` is how it read, None that it did not come to that."""
    at = NOW + timedelta(minutes=minute)
    with store.transaction() as connection:
        number = journal.start_run(
            connection, sync="acme", corp="acme", trigger="schedule", started_at=at, verb=verb
        )
        if whole is not None:
            proof = ReadingProof(source="hr", query="members", rows=number, is_complete=whole)
            journal.save_readings(connection, number, "acme", [proof])
        if state is not RunState.RUNNING:
            journal.finish_run(connection, number, state, at + timedelta(seconds=30))
    return number


def standing(store: Store, *verbs: str) -> Latest:
    with store.reading() as connection:
        return latest(connection, "acme", "acme", verbs or ("apply",))


def test_before_the_first_run_there_is_nothing(store: Store) -> None:
    """And nothing is made of it."""
    found = standing(store)

    assert (found.last, found.succeeded_at, found.at_work_since) == (None, None, None)
    assert (found.failures, found.readings) == (0, ())


def test_the_last_success_is_the_last_that_read_everything(store: Store) -> None:
    """Later ones failed, were refused, broke off, read a part, or were somebody's look or repair."""
    run(store, 0, RunState.APPLIED)
    run(store, 1, RunState.APPLIED, whole=False)
    run(store, 2, RunState.REFUSED)
    run(store, 3, RunState.STOPPED)
    run(store, 4, RunState.PLANNED, verb="plan")
    run(store, 5, RunState.APPLIED, verb="repair")
    failed = run(store, 6, RunState.FAILED, whole=None)
    found = standing(store)

    assert found.succeeded_at == NOW + timedelta(seconds=30)
    assert found.last is not None
    assert (found.last.state, found.last.started_at) == (RunState.FAILED, NOW + timedelta(minutes=6))
    assert [read.rows for read in found.readings] == [failed - 1]
    assert standing(store, "plan", "apply").succeeded_at == NOW + timedelta(minutes=4, seconds=30)


def test_failures_are_counted_back_to_the_last_that_did_not(store: Store) -> None:
    """A refusal is none; one that is at work has not ended yet."""
    for minute, state in enumerate(
        (RunState.FAILED, RunState.REFUSED, RunState.FAILED, RunState.STOPPED, RunState.RUNNING)
    ):
        run(store, minute, state)
    found = standing(store)

    assert found.failures == 2
    assert found.at_work_since == NOW + timedelta(minutes=4)


def test_a_success_is_found_behind_very_many_failures(store: Store) -> None:
    """However long ago it was."""
    run(store, 0, RunState.APPLIED)
    row = {"corp": "acme", "sync": "acme", "verb": "apply", "trigger": "schedule", "state": "failed"}
    with store.transaction() as connection:
        many = [{**row, "started_at": NOW, "finished_at": NOW}] * (LOOKED_AT + 20)
        connection.execute(insert(runs), many)
    found = standing(store)

    assert found.succeeded_at == NOW + timedelta(seconds=30)
    assert found.failures == LOOKED_AT


def test_jobs_that_are_over_are_not_open(store: Store) -> None:
    """By corp, with when the oldest was made."""
    number = run(store, 0, RunState.RUNNING)
    with store.transaction() as connection:
        for minute in (0, 5):
            job = jobs.prepare(
                connection,
                run_id=number,
                corp="acme",
                sync="acme",
                kind=JobKind.SYNC_MEMBERS,
                prepared_at=NOW + timedelta(minutes=minute),
            )
        found = open_jobs(connection)
        connection.exec_driver_sql(f"DELETE FROM batch_jobs WHERE id <> {job}")
        connection.exec_driver_sql("UPDATE batch_jobs SET state = 'finished'")
        over = open_jobs(connection)

    assert found == {"acme": (2, NOW)}
    assert over == {}
