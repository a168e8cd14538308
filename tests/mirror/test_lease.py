"""One run at a time for a corp, on every database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.engine import make_url

from tests.house.tree import ROOT
from wxsync.errors import MirrorError, RunInProgressError, SchemaBehindError
from wxsync.mirror import alive, lease
from wxsync.mirror.clocks import clock_name, mirror_time, since_boot
from wxsync.mirror.lease import Lease
from wxsync.mirror.servers import open_server
from wxsync.mirror.store import Store
from wxsync.mirror.tables import leases

TTL = timedelta(seconds=60)
BRIEF = timedelta(seconds=0.2)
ANOTHER_MACHINE = {"clock": "another boot/1", "clock_ends": 0}


@pytest.fixture
def taken() -> Iterator[list[Lease]]:
    """Leases whose locks are given up when the test is over."""
    found: list[Lease] = []
    yield found
    for each in found:
        each.life.give_back()


@pytest.fixture
def acquire(store: Store, taken: list[Lease]) -> Callable[..., Lease]:
    def act(owner: str = "run 1 (manual)", ttl: timedelta = TTL, corp: str = "acme") -> Lease:
        held = lease.acquire(store, corp, owner=owner, ttl=ttl)
        taken.append(held)
        return held

    return act


def pretend(store: Store, **values: object) -> None:
    with store.transaction() as connection:
        connection.execute(update(leases).values(values))


def now_of(store: Store) -> datetime:
    with store.reading() as connection:
        return mirror_time(connection)


def run_out(held: Lease) -> None:
    time.sleep(max(0.0, held.ends - since_boot()) + held.ttl.total_seconds() / 10)


def seems_gone(held: Lease) -> bool:
    """Within the moment that a server takes to end a session."""
    deadline = time.monotonic() + 5
    while not held.life.seems_gone() and time.monotonic() < deadline:
        time.sleep(0.01)
    return held.life.seems_gone()


def soon(acquire: Callable[..., Lease]) -> Lease:
    """A server hears from the kernel that a session is no more, which may take a moment."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with suppress(RunInProgressError):
            return acquire("the next")
        time.sleep(0.01)
    return acquire("the next")


@contextmanager
def another_process(url: str, seconds: float = 600) -> Iterator[subprocess.Popen[str]]:
    """One that has the lease of acme."""
    command = [sys.executable, "-m", "tests.mirror.lease_taker", url, "acme", str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "1\n"
            yield process
        finally:
            process.kill()


def test_whoever_comes_second_is_told_who_has_it(store: Store, acquire: Callable[..., Lease]):
    """The error names owner, beginning, host and process, and when one that hangs is taken over."""
    held = acquire()
    with pytest.raises(RunInProgressError) as caught:
        acquire("run 2 (schedule)")
    assert caught.value.message == (
        f"another run of corp acme is alive: run 1 (manual), since {held.acquired_at:%Y-%m-%d %H:%M:%S} UTC,"
        f" on host {socket.gethostname()}, process {os.getpid()}"
    )
    assert f"taken over at {held.expires_at:%Y-%m-%d %H:%M:%S} UTC" in str(caught.value.hint)


def test_corps_do_not_wait_for_each_other(acquire: Callable[..., Lease]):
    """A lease is a corp's own, whatever that is called."""
    for corp in ("acme", "ACME", "样例" * 50, "a/../b", "a'b\\%"):
        assert acquire(corp=corp).token == 1
        with pytest.raises(RunInProgressError):
            acquire(corp=corp)


def test_a_released_lease_is_free_and_its_token_is_never_given_again(
    store: Store, acquire: Callable[..., Lease]
):
    """The token counts up with every holder."""
    first = acquire()
    lease.release(store, first)
    assert (first.token, acquire().token) == (1, 2)


def test_a_killed_process_holds_up_nobody(store: Store, mirror_url: str, acquire: Callable[..., Lease]):
    """As long as it lives it is in the way, with its own pid; dead it is taken over at once."""
    with another_process(mirror_url) as process:
        with pytest.raises(RunInProgressError, match=f"the taker, .*process {process.pid}$"):
            acquire()
        process.kill()
        process.wait()
        assert soon(acquire).token == 2


def test_a_process_that_is_stopped_is_taken_over_when_its_time_is_out(
    store: Store, mirror_url: str, acquire: Callable[..., Lease]
):
    """And not before."""
    with another_process(mirror_url, seconds=1.5) as process:
        os.kill(process.pid, 19)
        with pytest.raises(RunInProgressError):
            acquire()
        time.sleep(1.6)
        assert acquire().token == 2
        with pytest.raises(RunInProgressError, match="run 1"):
            acquire("run 3")


def test_a_pid_says_nothing(store: Store, acquire: Callable[..., Lease]):
    """It may be another process by now, or one of another container."""
    held = acquire()
    pretend(store, pid=2**22 + 1, host="elsewhere")
    with pytest.raises(RunInProgressError, match="on host elsewhere, process 4194305"):
        acquire()
    pretend(store, pid=os.getpid(), host=socket.gethostname())
    held.life.give_back()
    assert soon(acquire).token == 2


def test_one_that_ran_out_is_taken_over_and_the_old_holder_finds_out(
    store: Store, acquire: Callable[..., Lease]
):
    """At once by its lock, without asking. It can neither renew nor write, and its release takes nothing."""
    old = acquire(ttl=BRIEF)
    run_out(old)
    assert not old.life.seems_gone()
    new = acquire("run 2 (manual)")
    assert new.token == old.token + 1
    assert seems_gone(old)
    with pytest.raises(RunInProgressError, match="lost the lease") as caught:
        lease.renew(store, old)
    assert "run 2 (manual)" in str(caught.value.hint)
    with pytest.raises(RunInProgressError, match="lost the lease"), store.transaction() as connection:
        lease.confirm(connection, old)
    lease.release(store, old)
    with store.transaction() as connection:
        lease.confirm(connection, new)
    assert not new.life.seems_gone()


def test_when_the_old_holder_ends_the_new_one_still_has_it(store: Store, acquire: Callable[..., Lease]):
    """Each has a lock of its own: the end of the one that was fenced off frees nothing."""
    old = acquire(ttl=BRIEF)
    run_out(old)
    acquire("run 2 (manual)")
    old.life.give_back()
    with pytest.raises(RunInProgressError, match="run 2"):
        acquire("run 3 (manual)")


def test_a_renewed_lease_holds_longer(store: Store, acquire: Callable[..., Lease]):
    """By the same time to live, from its own moment on."""
    first = acquire(ttl=timedelta(seconds=1))
    time.sleep(0.7)
    held = lease.renew(store, first)
    assert 0.7 <= held.ends - first.ends < 3
    assert held.expires_at - first.expires_at == pytest.approx(
        timedelta(seconds=held.ends - first.ends), abs=timedelta(seconds=0.5)
    )
    run_out(first)
    with pytest.raises(RunInProgressError):
        acquire()
    assert held.token == first.token


def test_a_holder_believes_in_less_than_others_do(store: Store, acquire: Callable[..., Lease]):
    """Clocks do not go quite alike: who waits waits longer than the holder writes."""
    before = since_boot()
    held = acquire()
    assert before < held.ends <= before + 0.99 * 60 + (since_boot() - before)
    assert held.expires_at >= held.acquired_at + TTL


def test_one_that_ran_out_and_that_nobody_took_can_be_renewed(store: Store, acquire: Callable[..., Lease]):
    """A holder that was slow and alone goes on."""
    held = acquire(ttl=BRIEF)
    run_out(held)
    renewed = lease.renew(store, held)
    assert (renewed.token, renewed.ends > since_boot()) == (held.token, True)


class TestClocks:
    """No wall clock of a host decides, however it is set."""

    def test_on_one_machine_the_clock_since_boot_decides(self, store: Store, acquire: Callable[..., Lease]):
        """The wall clock jumps ahead: the lease has not run out. It is put back: the lease has."""
        held = acquire(ttl=timedelta(seconds=1))
        pretend(store, expires_at=now_of(store) - timedelta(days=1))
        with pytest.raises(RunInProgressError):
            acquire()
        pretend(store, expires_at=now_of(store) + timedelta(days=1))
        run_out(held)
        assert acquire().token == 2

    def test_on_another_machine_the_mirrors_clock_decides(self, store: Store, acquire: Callable[..., Lease]):
        """The clock since boot of one means nothing on another."""
        acquire()
        pretend(store, **ANOTHER_MACHINE, expires_at=now_of(store) + timedelta(seconds=5))
        with pytest.raises(RunInProgressError):
            acquire()
        pretend(store, **ANOTHER_MACHINE, expires_at=now_of(store))
        assert acquire().token == 2

    def test_a_server_has_the_time(self, server_url: str):
        """Its own, in UTC, in whatever time zone its sessions are."""
        zone = "SET TIME ZONE 'Asia/Shanghai'" if "postgres" in server_url else "SET time_zone = '+08:00'"
        engine = open_server(make_url(server_url))
        with engine.connect() as connection:
            connection.execute(text(zone))
            told = mirror_time(connection)
            slept = "SELECT pg_sleep(0.2)" if "postgres" in server_url else "SELECT SLEEP(0.2)"
            connection.execute(text(slept))
            later = mirror_time(connection)
        engine.dispose()
        assert abs(told - datetime.now(UTC)) < timedelta(seconds=10)
        assert later - told >= timedelta(seconds=0.2)  # also within one transaction

    def test_the_clock_since_boot_has_one_name_in_all_processes(self):
        """Two that may compare know it."""
        code = "from wxsync.mirror.clocks import clock_name; print(clock_name())"
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert told.strip() == clock_name()
        assert since_boot() >= time.monotonic() - 1


class TestALostLock:
    """Where the mirror loses the lock of a run that lives."""

    def lose(self, store: Store, held: Lease) -> None:
        with store.transaction() as connection:
            alive.disown(connection, held.corp, held.token)
        assert seems_gone(held)

    def test_it_is_taken_anew_where_the_lease_is_still_ours(
        self, store: Store, acquire: Callable[..., Lease]
    ):
        """By the next renewal; then it is in everybody's way as before."""
        held = acquire()
        self.lose(store, held)
        held = lease.renew(store, held)
        assert not held.life.seems_gone()
        with pytest.raises(RunInProgressError):
            acquire("run 2")
        held.life.give_back()
        assert soon(acquire).token == 2

    def test_where_somebody_was_quicker_all_is_lost(self, store: Store, acquire: Callable[..., Lease]):
        """One without a lock is taken for dead."""
        held = acquire()
        self.lose(store, held)
        acquire("run 2")
        with pytest.raises(RunInProgressError, match="lost the lease"):
            lease.renew(store, held)

    def test_where_the_mirror_cannot_be_asked_nothing_is_renewed(
        self, store: Store, acquire: Callable[..., Lease]
    ):
        """It is an error, and the lease ends when it did."""
        held = acquire()
        self.lose(store, held)
        with store.transaction() as connection:
            connection.execute(text("ALTER TABLE leases RENAME TO hidden"))
        with pytest.raises(MirrorError):
            lease.renew(store, held)
        with store.transaction() as connection:
            connection.execute(text("ALTER TABLE hidden RENAME TO leases"))
        renewed = lease.renew(store, held)
        renewed.life.give_back()
        assert renewed.ends > held.ends


def test_the_mirrors_row_is_waited_for_only_where_the_lease_seems_free(
    store: Store, acquire: Callable[..., Lease]
):
    """A run in the middle of a transaction is told of at once."""
    held = acquire()
    with store.transaction() as connection:
        lease.confirm(connection, held)
        began = time.monotonic()
        with pytest.raises(RunInProgressError, match="run 1"):
            acquire("run 2")
        assert time.monotonic() - began < 1


def test_of_many_who_come_at_once_one_gets_it(store: Store, acquire: Callable[..., Lease]):
    """Also where there never was a lease, and where one that ran out is taken over."""

    def attempt(number: int) -> Lease | None:
        try:
            return acquire(f"run {number}")
        except RunInProgressError:
            return None

    for _ in range(2):
        with ThreadPoolExecutor(4) as pool:
            assert sum(got is not None for got in pool.map(attempt, range(8))) == 1
        pretend(store, **ANOTHER_MACHINE, expires_at=now_of(store))


def test_whoever_looks_is_told_who_has_it(store: Store, acquire: Callable[..., Lease]):
    """In words; nobody where it is free, ran out, or its holder is dead, which taking it would find too."""

    def told(corp: str = "acme") -> str | None:
        with store.reading() as connection:
            return lease.holder(connection, corp)

    assert told() is None
    held = acquire()
    assert (told(), told("other")) == ("run 1 (manual)", None)
    pretend(store, **ANOTHER_MACHINE, expires_at=now_of(store))
    assert told() is None
    pretend(store, expires_at=now_of(store) + TTL)
    held.life.give_back()
    lease.release(store, soon(acquire))
    assert told() is None


def test_a_mirror_that_was_migrated_since_gives_no_lease(store: Store, acquire: Callable[..., Lease]) -> None:
    """An older version that is at work stops before its next call, and none begins."""
    held = acquire()
    with store.transaction() as connection:
        connection.execute(text("UPDATE wxsync_schema SET version_num = '9999'"))
    with pytest.raises(SchemaBehindError):
        lease.renew(store, held)
    with pytest.raises(SchemaBehindError):
        acquire(corp="other")
