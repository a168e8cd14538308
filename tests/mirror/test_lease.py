"""One run at a time for a corp, on every database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from wxsync.errors import RunInProgressError
from wxsync.mirror import lease
from wxsync.mirror.lease import Lease
from wxsync.mirror.store import Store
from wxsync.mirror.tables import leases

NOW = datetime(2026, 1, 31, 8, 0, 0, tzinfo=UTC)
TTL = timedelta(seconds=60)


def acquire(store: Store, *, owner: str = "run 1 (manual)", now: datetime = NOW, corp: str = "acme") -> Lease:
    return lease.acquire(store, corp, owner=owner, now=now, ttl=TTL)


def pretend(store: Store, **values: object) -> None:
    with store.transaction() as connection:
        connection.execute(update(leases).values(values))


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_whoever_comes_second_is_told_who_has_it(store: Store):
    """The error names owner, beginning, host and process, and when the lease runs out."""
    acquire(store)
    with pytest.raises(RunInProgressError) as caught:
        acquire(store, owner="run 2 (schedule)", now=NOW + timedelta(seconds=59))
    assert caught.value.message == (
        "another run of corp acme is alive: run 1 (manual), since 2026-01-31 08:00:00 UTC,"
        f" on host {socket.gethostname()}, process {os.getpid()}"
    )
    assert "2026-01-31 08:01:00 UTC" in str(caught.value.hint)


def test_corps_do_not_wait_for_each_other(store: Store):
    """A lease is a corp's own."""
    assert acquire(store).token == 1
    assert acquire(store, corp="other").token == 1


def test_a_released_lease_is_free_and_its_token_is_never_given_again(store: Store):
    """The token counts up with every holder."""
    first = acquire(store)
    lease.release(store, first)
    second = acquire(store)
    assert (first.token, second.token) == (1, 2)


def test_an_expired_lease_is_taken_over_and_the_old_holder_finds_out(store: Store):
    """Who was taken for dead can neither renew nor write, and its release takes nothing from anybody."""
    old = acquire(store)
    new = acquire(store, owner="run 2 (manual)", now=NOW + TTL)
    assert new.token == old.token + 1
    with pytest.raises(RunInProgressError, match="lost the lease") as caught:
        lease.renew(store, old, NOW + TTL)
    assert "run 2 (manual)" in str(caught.value.hint)
    with pytest.raises(RunInProgressError, match="lost the lease"), store.transaction() as connection:
        lease.confirm(connection, old)
    lease.release(store, old)
    with store.transaction() as connection:
        lease.confirm(connection, new)


def test_a_renewed_lease_holds_longer(store: Store):
    """Renewal counts from its own moment, by the same time to live."""
    held = lease.renew(store, acquire(store), NOW + timedelta(seconds=50))
    assert held.expires_at == NOW + timedelta(seconds=110)
    with pytest.raises(RunInProgressError):
        acquire(store, now=NOW + timedelta(seconds=109))
    assert lease.renew(store, held, NOW + timedelta(seconds=100)).token == held.token


def test_an_expired_lease_that_nobody_took_can_be_renewed(store: Store):
    """A holder that was slow and alone goes on."""
    held = acquire(store)
    assert lease.renew(store, held, NOW + timedelta(hours=1)).token == held.token


def test_a_dead_process_of_this_machine_is_taken_over_at_once(store: Store):
    """A crash does not make the next run wait."""
    first = acquire(store)
    pretend(store, pid=dead_pid())
    assert acquire(store).token == first.token + 1


@pytest.mark.parametrize("elsewhere", [{"host": "another"}, {"pid_space": "another boot"}])
def test_a_pid_means_nothing_on_another_machine(store: Store, elsewhere: dict[str, str]):
    """Where the holder's process cannot be seen, only time frees its lease."""
    acquire(store)
    pretend(store, pid=dead_pid(), **elsewhere)
    with pytest.raises(RunInProgressError):
        acquire(store)


def test_a_lease_renewed_at_the_last_moment_is_not_taken_over(store: Store):
    """Between looking and taking, the holder's renewal wins."""
    held = acquire(store)
    with store.reading() as connection:
        found = lease._found(connection, "acme")
    assert found is not None
    lease.renew(store, held, NOW + TTL)
    late = replace(held, token=2, owner="run 2")
    with store.transaction() as connection:
        assert not lease._take_over(connection, late, found)


def test_of_many_who_come_at_once_one_gets_it(store: Store):
    """Also where there never was a lease, and where an expired one is taken over."""
    for now in (NOW, NOW + TTL):

        def attempt(number: int, now: datetime = now) -> Lease | None:
            try:
                return acquire(store, owner=f"run {number}", now=now)
            except RunInProgressError:
                return None

        with ThreadPoolExecutor(4) as pool:
            assert sum(got is not None for got in pool.map(attempt, range(8))) == 1


def test_whoever_looks_is_told_who_has_it(store: Store):
    """In words; nobody where it is free, ran out, or its holder is dead, which taking it would find too."""

    def told(corp: str = "acme", now: datetime = NOW) -> str | None:
        with store.reading() as connection:
            return lease.holder(connection, corp, now)

    assert told() is None
    held = acquire(store)
    assert (told(), told("other")) == ("run 1 (manual)", None)
    assert told(now=held.expires_at) is None
    pretend(store, pid=dead_pid())
    assert told() is None
    lease.release(store, acquire(store, owner="run 2 (manual)"))
    assert told() is None


def test_only_a_process_that_is_there_is_alive():
    """Ours is; one that has ended is not; one of another user is."""
    assert lease.is_alive(os.getpid())
    assert lease.is_alive(1)
    assert not lease.is_alive(dead_pid())
