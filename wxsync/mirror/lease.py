"""One run at a time for a corp, also across machines, and also after one of them died.

The token counts up with every holder and is never given twice: a holder that was taken for dead
finds another token in its place (`confirm`) and writes no more.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from wxsync.errors import RunInProgressError
from wxsync.mirror.store import Store
from wxsync.mirror.tables import leases


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write to a corp until `expires_at`, unless renewed."""

    corp: str
    owner: str
    """In words, for whoever has to wait: "run 12 (manual)"."""
    host: str
    pid: int
    token: int
    acquired_at: datetime
    expires_at: datetime
    ttl: timedelta


def acquire(store: Store, corp: str, *, owner: str, now: datetime, ttl: timedelta) -> Lease:
    """The lease of `corp`, or `RunInProgressError` that tells who has it.

    An expired lease is taken over, and at once that of a process of this machine that is no more.
    """
    lease = Lease(
        corp=corp,
        owner=owner,
        host=socket.gethostname(),
        pid=os.getpid(),
        token=1,
        acquired_at=now,
        expires_at=now + ttl,
        ttl=ttl,
    )
    with store.transaction() as connection:
        found = _found(connection, corp)
        if found is None:
            taken = _insert(connection, lease)
        elif _is_free(found, now):
            lease = replace(lease, token=found.token + 1)
            taken = _take_over(connection, lease, found)
        else:
            taken = False
    if taken:
        return lease
    with store.reading() as connection:
        raise _in_progress(corp, _found(connection, corp))


def renew(store: Store, lease: Lease, now: datetime) -> Lease:
    """The same lease from `now` on; `RunInProgressError` where it was taken over."""
    renewed = replace(lease, expires_at=now + lease.ttl)
    with store.transaction() as connection:
        found = connection.execute(_held(lease).values(expires_at=renewed.expires_at))
        if found.rowcount == 0:
            raise _lost(connection, lease)
    return renewed


def confirm(connection: Connection, lease: Lease) -> None:
    """`RunInProgressError` unless the lease is still ours; it stays so until the transaction ends."""
    c = leases.c
    held = select(c.token).where(c.corp == lease.corp, c.token == lease.token, c.owner.is_not(None))
    if connection.execute(held.with_for_update()).first() is None:
        raise _lost(connection, lease)


def release(store: Store, lease: Lease) -> None:
    """Gives the lease back; does nothing where it was taken over."""
    with store.transaction() as connection:
        connection.execute(_held(lease).values(owner=None))


def holder(connection: Connection, corp: str, now: datetime) -> str | None:
    """Who has the lease of `corp`, in words; None where nobody has it who is alive."""
    found = _found(connection, corp)
    return None if found is None or _is_free(found, now) else str(found.owner)


def is_alive(pid: int) -> bool:
    """Some process of this machine has that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def pid_space() -> str:
    """Names the place where a pid means one process: this boot of this kernel, and this container.

    A host's name alone does not: containers and cloned machines share names. Where the system
    does not tell it is empty, and the host's name has to do.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _found(connection: Connection, corp: str) -> Row[Any] | None:
    return connection.execute(select(leases).where(leases.c.corp == corp)).one_or_none()


def _is_free(found: Row[Any], now: datetime) -> bool:
    if found.owner is None or found.expires_at <= now:
        return True
    is_here = found.host == socket.gethostname() and found.pid_space == pid_space()
    return is_here and not is_alive(found.pid)


def _insert(connection: Connection, lease: Lease) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(insert(leases), {"corp": lease.corp, **_row(lease)})
    except IntegrityError:
        return False  # somebody was quicker
    return True


def _take_over(connection: Connection, lease: Lease, found: Row[Any]) -> bool:
    """Only from the very holder that was found free: a renewal in between counts."""
    c = leases.c
    same = update(leases).where(
        c.corp == lease.corp, c.token == found.token, c.expires_at == found.expires_at
    )
    return connection.execute(same.values(_row(lease))).rowcount == 1


def _row(lease: Lease) -> dict[str, Any]:
    return {
        "token": lease.token,
        "owner": lease.owner,
        "host": lease.host,
        "pid_space": pid_space(),
        "pid": lease.pid,
        "acquired_at": lease.acquired_at,
        "expires_at": lease.expires_at,
    }


def _held(lease: Lease) -> Any:
    c = leases.c
    return update(leases).where(c.corp == lease.corp, c.token == lease.token, c.owner.is_not(None))


def _in_progress(corp: str, holder: Row[Any] | None) -> RunInProgressError:
    if holder is None or holder.owner is None:
        return RunInProgressError(f"another run of corp {corp} came first", hint="try again")
    since = f"{holder.acquired_at:%Y-%m-%d %H:%M:%S} UTC"
    return RunInProgressError(
        f"another run of corp {corp} is alive: {holder.owner}, since {since},"
        f" on host {holder.host}, process {holder.pid}",
        hint="wait until it has ended; if it is dead, its lease runs out"
        f" at {holder.expires_at:%Y-%m-%d %H:%M:%S} UTC",
    )


def _lost(connection: Connection, lease: Lease) -> RunInProgressError:
    return RunInProgressError(
        f"this run lost the lease of corp {lease.corp}: it was not renewed in time and another run took over",
        hint=str(_in_progress(lease.corp, _found(connection, lease.corp))),
    )
