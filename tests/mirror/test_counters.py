"""Numbers of runs and jobs, on every database."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete

from wxsync.mirror import counters, journal
from wxsync.mirror.store import Store
from wxsync.mirror.tables import runs

AT = datetime(2026, 1, 31, 8, tzinfo=UTC)


def begin(store: Store) -> int:
    with store.transaction() as connection:
        return journal.start_run(connection, sync="acme", corp="acme", trigger="manual", started_at=AT)


def last(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        return counters.last_numbers(connection)


def test_a_number_stays_the_number_of_a_row_that_is_gone(store: Store) -> None:
    """The count goes on where the highest rows are deleted, and where it is told of another mirror's."""
    assert last(store)["runs"] == 0
    assert [begin(store), begin(store)] == [1, 2]
    with store.transaction() as connection:
        connection.execute(delete(runs))
    assert last(store)["runs"] == 2

    counters.go_on_after(store, {"runs": 40, "batch_jobs": 0})
    assert (last(store)["runs"], last(store)["batch_jobs"]) == (40, 0)
    assert begin(store) == 41

    counters.go_on_after(store, {"runs": 7})
    assert begin(store) == 42, "nobody is set back"
