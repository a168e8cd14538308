"""One run at a time for a corp, also across machines, and also after one of them died or hung.

Whoever has the lease holds a lock that goes with its process (`alive`): a dead one's is taken over at once.
One that lives and hangs is taken over when its time is out. The token counts up with every holder and is
never given twice: a holder that was taken for dead finds another one in its place (`confirm`) and writes no
more. By `ends` it starts no call that could outlast its right, whatever any wall clock says.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from wxsync.errors import MirrorError, RunInProgressError
from wxsync.mirror import alive
from wxsync.mirror.alive import Life
from wxsync.mirror.clocks import clock_name, mirror_time, since_boot
from wxsync.mirror.failures import place_of
from wxsync.mirror.marks import refuse_marked
from wxsync.mirror.schema import refuse_other_schema
from wxsync.mirror.store import Store
from wxsync.mirror.tables import leases

CREDIT: Final = 0.99
"""The share of its time that a holder believes in: two clocks may not go alike."""
ATTEMPTS: Final = 5
PAUSE: Final = 0.1
"""Seconds in which a server ends a session that it was told to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write to a corp until `ends`, unless renewed."""

    corp: str
    owner: str
    """In words, for whoever has to wait: "run 12 (manual)"."""
    host: str
    pid: int
    """For people alone: nothing is concluded from it."""
    token: int
    acquired_at: datetime
    expires_at: datetime
    """By the mirror's clock."""
    ends: float
    """By `since_boot` of this machine."""
    ttl: timedelta
    life: Life = field(repr=False, compare=False)
    """Shows that this process lives."""


def acquire(store: Store, corp: str, *, owner: str, ttl: timedelta) -> Lease:
    """The lease of `corp`, or `RunInProgressError` that tells who has it.

    That of a process that is no more is taken over at once, and one that ran out too: whoever has it still
    is fenced off. Nobody gets one of a mirror that is none to go by (`marks`): that is a `MirrorError`.
    """
    with store.reading() as connection:  # which waits for nobody, whatever somebody has locked
        _refuse_busy(connection, corp)
    sought = since_boot()
    with ExitStack() as undone:
        with store.transaction() as connection:
            refuse_marked(connection, place_of(store.engine.url))
            refuse_other_schema(connection)
            found = _found(connection, corp, lock=True)
            now = mirror_time(connection)
            token, life = _free_place(store, connection, corp, found, now, ttl)
            undone.callback(life.give_back)
            lease = Lease(
                corp=corp,
                owner=owner,
                host=socket.gethostname(),
                pid=os.getpid(),
                token=token,
                acquired_at=now,
                expires_at=now + ttl,
                ends=sought + CREDIT * ttl.total_seconds(),
                ttl=ttl,
                life=life,
            )
            _put(connection, lease, found)
        undone.pop_all()
    return lease


def renew(store: Store, lease: Lease) -> Lease:
    """The same lease for its whole time from now on.

    Its lock is taken anew where the mirror's server had lost it. Raises `RunInProgressError` where somebody
    took the lease over, and MirrorError where it cannot be renewed now.
    """
    asked = since_boot()
    with store.transaction() as connection:
        refuse_other_schema(connection)
        confirm(connection, lease)
        life = lease.life if lease.life.is_held() else _taken_anew(store, connection, lease)
        now = mirror_time(connection)
        renewed = replace(
            lease,
            expires_at=now + lease.ttl,
            ends=asked + CREDIT * lease.ttl.total_seconds(),
            life=life,
        )
        connection.execute(_held(lease).values(_times(renewed)))
    return renewed


def confirm(connection: Connection, lease: Lease) -> None:
    """`RunInProgressError` unless the lease is still ours; it stays so until the transaction ends."""
    c = leases.c
    held = select(c.token).where(c.corp == lease.corp, c.token == lease.token, c.owner.is_not(None))
    if connection.execute(held.with_for_update()).first() is None:
        raise _lost(connection, lease)


def release(store: Store, lease: Lease) -> None:
    """Gives the lease back; does nothing where it was taken over. The lock is given up in any case."""
    try:
        with store.transaction() as connection:
            connection.execute(_held(lease).values(owner=None))
    finally:
        lease.life.give_back()


def holder(connection: Connection, corp: str) -> str | None:
    """Who has the lease of `corp`, in words; None where nobody has it who is alive."""
    found = _found(connection, corp)
    is_in_use = found is not None and _is_in_use(connection, found, mirror_time(connection))
    return str(found.owner) if found is not None and is_in_use else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has a lease and is alive."""

    corp: str
    """Or what else the lease is of."""
    owner: str
    host: str
    since: datetime


def holders(connection: Connection) -> tuple[Holder, ...]:
    """Who has which lease; those of the dead are left out."""
    now = mirror_time(connection)
    taken = connection.execute(select(leases).where(leases.c.owner.is_not(None)).order_by(leases.c.corp))
    return tuple(
        Holder(corp=row.corp, owner=row.owner, host=row.host, since=row.acquired_at)
        for row in taken.all()
        if _is_in_use(connection, row, now)
    )


def _found(connection: Connection, corp: str, *, lock: bool = False) -> Row[Any] | None:
    query = select(leases).where(leases.c.corp == corp)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _refuse_busy(connection: Connection, corp: str) -> None:
    found = _found(connection, corp)
    if found is not None and _is_in_use(connection, found, mirror_time(connection)):
        raise _in_progress(corp, found)


def _is_in_use(connection: Connection, found: Row[Any], now: datetime) -> bool:
    is_taken = found.owner is not None and not _ran_out(found, now)
    return is_taken and alive.is_held(connection, found.corp, found.token)


def _free_place(
    store: Store, connection: Connection, corp: str, found: Row[Any] | None, now: datetime, ttl: timedelta
) -> tuple[int, Life]:
    """The next token and its lock; RunInProgressError where somebody has the lease."""
    if found is not None and _is_in_use(connection, found, now):
        raise _in_progress(corp, found)
    if found is not None and found.owner is not None:
        # One that lives learns of it by its lock; of a dead one nothing is left.
        alive.disown(connection, corp, found.token)
    token = 1 if found is None else found.token + 1
    life = alive.take(store.engine, corp, token, ttl)
    if life is None:
        raise _in_progress(corp, None)
    return token, life


def _ran_out(found: Row[Any], now: datetime) -> bool:
    """By the clock that nobody sets where we have the holder's; else by the mirror's."""
    if found.clock and found.clock == clock_name():
        return bool(found.clock_ends <= _to_clock(since_boot()))
    return bool(found.expires_at <= now)


def _put(connection: Connection, lease: Lease, found: Row[Any] | None) -> None:
    row = {
        "token": lease.token,
        "owner": lease.owner,
        "host": lease.host,
        "pid": lease.pid,
        "acquired_at": lease.acquired_at,
        **_times(lease),
    }
    c = leases.c
    if found is not None:
        connection.execute(update(leases).where(c.corp == lease.corp, c.token == found.token).values(row))
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(leases), {"corp": lease.corp, **row})
    except IntegrityError:
        raise _in_progress(lease.corp, None) from None  # somebody was quicker


def _times(lease: Lease) -> dict[str, Any]:
    """When it runs out, as the row says it: with what it lasts in full."""
    clock = clock_name()
    ends = lease.ends + (1 - CREDIT) * lease.ttl.total_seconds()
    return {"expires_at": lease.expires_at, "clock": clock or None, "clock_ends": _to_clock(ends)}


def _to_clock(seconds: float) -> int:
    return round(seconds * 1000)


def _taken_anew(store: Store, connection: Connection, lease: Lease) -> Life:
    """The row is ours and locked: nobody takes over meanwhile."""
    lease.life.give_back()
    for _ in range(ATTEMPTS):
        # The server may not know yet that our former session is no more.
        alive.disown(connection, lease.corp, lease.token)
        life = alive.take(store.engine, lease.corp, lease.token, lease.ttl)
        if life is not None:
            return life
        time.sleep(PAUSE)
    raise MirrorError(
        f"the mirror's server keeps the lock of a former session of this run for corp {lease.corp}",
        hint="run again when it has given it up",
    )


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
        hint="wait until it has ended: one that dies holds up nobody, and one that hangs is taken over"
        f" at {holder.expires_at:%Y-%m-%d %H:%M:%S} UTC",
    )


def _lost(connection: Connection, lease: Lease) -> RunInProgressError:
    found = _found(connection, lease.corp)
    return RunInProgressError(
        f"this run lost the lease of corp {lease.corp}: it was not renewed in time and another run took over",
        hint=str(_in_progress(lease.corp, found)),
    )
