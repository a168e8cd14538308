"""Takes a mirror for a restored backup, for good: nobody is at work on it, and all of it or nothing."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from datetime import datetime
from typing import Final

from sqlalchemy.engine import URL

from wxsync.mirror import schema
from wxsync.mirror.counters import go_on_after, last_numbers
from wxsync.mirror.marks import REFUSALS, MarkKind, refuse_any
from wxsync.mirror.restored import LEAP, Restored, trust_nothing
from wxsync.mirror.standstill import Standstill
from wxsync.mirror.store import Store

OWNER: Final = "wxsync db restored"


def restore(url: str | URL, syncs: Collection[tuple[str, str]], at: datetime) -> Restored:
    """Has the mirror believe none of its remembered values; `syncs` are the (corp, sync) of the config.

    One that carries a mark, as a backup does, is a mirror again. Raises RunInProgressError where a run is
    at work on it, and MirrorError where it is a copy that is not whole.
    """
    found = schema.existing(url)
    refuse_any(found.marks, found.place, [MarkKind.COPYING])
    is_marked = any(mark.kind in REFUSALS for mark in found.marks)
    store = Store(schema.prepare(url, whatever_mark=True))
    try:
        with store.reading() as connection:
            numbers = last_numbers(connection)
        # Numbers first: were this cut off in between, some are left out once more, and none given twice.
        go_on_after(store, {name: last + LEAP for name, last in numbers.items()})
        with ExitStack() as stack:
            # On one that is marked nobody can be at work; its leases are a picture of then.
            still = None
            if not is_marked:
                still = stack.enter_context(Standstill(store, [corp for corp, _ in syncs], OWNER))
            with store.transaction() as connection:
                if still is not None:
                    still.confirm(connection)
                return trust_nothing(connection, syncs, at)
    finally:
        store.close()
