"""A run's right to start calls: it ends by the clock that goes on while the machine sleeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

from wxsync.engine import hold as room
from wxsync.engine.hold import Hold
from wxsync.errors import MirrorError, RunInProgressError
from wxsync.mirror import clocks, lease
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store

TTL = timedelta(seconds=1)
CALL = 0.3


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(prepare(f"sqlite:///{tmp_path}/mirror.db"))
    yield store
    store.close()


def run(store: Store, act: Callable[[Hold], Awaitable[None]], ttl: timedelta = TTL) -> None:
    """What `act` does with a lease that was just taken."""

    async def story() -> None:
        hold = Hold(store, lease.acquire(store, "acme", owner="run 1", ttl=ttl))
        try:
            await act(hold)
        finally:
            await hold.end()

    asyncio.run(story())


def stopped_for(seconds: float) -> None:
    """The whole process, its loop too."""
    time.sleep(seconds)


def another(store: Store) -> lease.Lease:
    return lease.acquire(store, "acme", owner="run 2", ttl=timedelta(seconds=60))


def count_renewals(store: Store) -> list[str]:
    found: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE leases SET expires_at"):
            found.append(statement)

    return found


def test_a_call_that_would_outlast_the_lease_is_not_begun(store: Store) -> None:
    """However often it is renewed: a lease of one second has no time for a call of two."""

    async def act(hold: Hold) -> None:
        with pytest.raises(MirrorError, match="cannot be renewed in time"):
            await hold.leave(2.0)

    run(store, act)


def test_leave_is_as_good_as_the_calls_own_deadline(store: Store) -> None:
    """A process that was stopped while the connection was made has no time left to write the call."""

    async def act(hold: Hold) -> None:
        leave = await hold.leave(CALL)
        assert leave()
        stopped_for(CALL)
        assert not leave()

    run(store, act)


def test_where_time_runs_short_it_is_renewed_first_once_for_all_who_wait(store: Store) -> None:
    """Many calls wake after a sleep: each has its leave after one renewal."""

    async def act(hold: Hold) -> None:
        renewals = count_renewals(store)
        assert (await hold.leave(CALL))()
        assert renewals == []
        stopped_for(1.2)
        for leave in await asyncio.gather(*(hold.leave(CALL) for _ in range(10))):
            assert leave()
        assert len(renewals) == 1

    run(store, act)


def test_whoever_was_fenced_off_gets_no_leave_any_more(store: Store) -> None:
    """The mirror is asked once; then it is known."""

    async def act(hold: Hold) -> None:
        leave = await hold.leave(CALL)
        stopped_for(1.2)
        other = another(store)
        assert not leave()
        for _ in range(2):
            with pytest.raises(RunInProgressError, match="lost the lease"):
                await hold.leave(CALL)
        await hold.end()
        with store.transaction() as connection:
            lease.confirm(connection, other)
        lease.release(store, other)

    run(store, act)


def test_leave_that_was_given_ends_with_the_lock(store: Store) -> None:
    """Somebody may take over by then; the next leave takes the lock anew."""

    async def act(hold: Hold) -> None:
        leave = await hold.leave(CALL)
        hold.lease.life.give_back()
        assert not leave()
        assert (await hold.leave(CALL))()
        with pytest.raises(RunInProgressError, match="run 1"):
            another(store)

    run(store, act)


def test_a_mirror_that_is_not_there_is_said_to_be_the_cause(store: Store) -> None:
    """No call is begun, and the error names the mirror; once it is back calls go on."""

    async def act(hold: Hold) -> None:
        with store.transaction() as connection:
            connection.execute(text("ALTER TABLE leases RENAME TO hidden"))
        stopped_for(1.2)
        with pytest.raises(MirrorError, match="no such table"):
            await hold.leave(CALL)
        with store.transaction() as connection:
            connection.execute(text("ALTER TABLE hidden RENAME TO leases"))
        assert (await hold.leave(CALL))()

    run(store, act)


def test_it_is_kept_for_as_long_as_it_is_wanted(store: Store) -> None:
    """Renewed in time, no call ever waits; and nobody else gets in."""

    async def act(hold: Hold) -> None:
        keeping = asyncio.create_task(hold.keep(0.1))
        first = hold.lease
        for _ in range(15):
            await asyncio.sleep(0.1)
            assert (await hold.leave(CALL))()
        assert hold.lease.ends > first.ends + 1
        with pytest.raises(RunInProgressError):
            another(store)
        keeping.cancel()

    run(store, act)


def test_no_wall_clock_is_asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine slept for a minute, which only the clock since boot counts: all leave has ended."""

    async def act(hold: Hold) -> None:
        leave = await hold.leave(CALL)
        awake = clocks.since_boot
        monkeypatch.setattr(room, "since_boot", lambda: awake() + 60)
        assert not leave()
        lease.release(store, hold.lease)
        other = another(store)
        with pytest.raises(RunInProgressError, match="lost the lease"):
            await hold.leave(CALL)
        lease.release(store, other)

    run(store, act)


def test_a_renewal_under_way_is_waited_for_when_the_run_ends(store: Store) -> None:
    """It would otherwise renew what has been given back, or use a line that is closed."""

    async def act(hold: Hold) -> None:
        keeping = asyncio.create_task(hold.keep(0.0))
        await asyncio.sleep(0.05)
        keeping.cancel()
        await hold.end()
        with store.reading() as connection:
            assert lease.holder(connection, "acme") is None

    run(store, act)
