"""Nobody at work on a mirror: the leases of all its corps in one hand."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection, select

from wxsync.errors import MirrorError
from wxsync.mirror import lease
from wxsync.mirror.clocks import since_boot
from wxsync.mirror.lease import Lease
from wxsync.mirror.store import Store
from wxsync.mirror.tables import leases

TTL: Final = timedelta(seconds=60)
RENEWAL: Final = 15.0
"""Seconds between two renewals."""


class Standstill:
    """The leases of `corps` and of every other corp that the mirror knows, for the length of a block.

    Beginning it raises RunInProgressError where a run is at work, and tells of it.
    """

    def __init__(self, store: Store, corps: Collection[str], owner: str) -> None:
        self._store = store
        self._corps = corps
        self._owner = owner
        self._held: list[Lease] = []
        self._renewed = since_boot()

    def __enter__(self) -> Self:
        with self._store.reading() as connection:
            known = connection.scalars(select(leases.c.corp)).all()
        try:
            for corp in sorted({*known, *self._corps}):
                self._held.append(lease.acquire(self._store, corp, owner=self._owner, ttl=TTL))
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def keep(self) -> None:
        """Renews them where it is time: whoever works long says this now and then.

        Raises RunInProgressError where one was taken over.
        """
        if since_boot() - self._renewed >= RENEWAL:
            self._held = [lease.renew(self._store, each) for each in self._held]
            self._renewed = since_boot()

    def confirm(self, connection: Connection) -> None:
        """`RunInProgressError` unless nobody else is at work, until the transaction ends."""
        for each in self._held:
            lease.confirm(connection, each)

    def _release(self) -> None:
        for each in self._held:
            with suppress(MirrorError):  # it runs out by itself
                lease.release(self._store, each)
