"""The one pen that writes a run down: intents before calls, outcomes and links after them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias

from sqlalchemy import Connection

from wxsync.engine.auditing import Called, Calling, Scribe
from wxsync.engine.corp import Corp
from wxsync.mirror import audit, journal, links
from wxsync.mirror.drifts import drop_drifts, put_drifts
from wxsync.mirror.journal import Intent
from wxsync.mirror.lease import Lease, confirm
from wxsync.model.audit import Begun, Deed
from wxsync.model.change import Change
from wxsync.model.drift import Drift, DriftPlace
from wxsync.model.remembered import RememberedDepartment, RememberedMember, RememberedTag
from wxsync.model.run import Outcome


@dataclass(frozen=True, slots=True)
class Forget:
    """Strike the link of the member `key`: the creation that it announced never came about."""

    key: str


@dataclass(frozen=True, slots=True)
class ForgetDrift:
    """Strike what is noted of a hand at this place: it is over."""

    place: DriftPlace


@dataclass(frozen=True, slots=True)
class Note:
    """Anything else that belongs into the same transaction, done after the rest of it."""

    write: Callable[[Connection], None]


Link: TypeAlias = RememberedDepartment | RememberedMember | RememberedTag | Forget | Drift | ForgetDrift
Told: TypeAlias = Intent | Calling | Called | Outcome | Begun | Deed
Entry: TypeAlias = Link | Told | Note


class Recorder:
    """Commits what is given to it in the order in which it came, many entries at a time.

    `write` returns when its entries are safely in the mirror. The lease is confirmed in every
    transaction: a run that was taken for dead writes nothing more. What stands in the audit trail of a call
    goes into the transaction that puts its end on record: there is not one without the other.
    """

    def __init__(self, corp: Corp, run_id: int, lease: Lease, changes: Sequence[Change] = ()) -> None:
        self._corp = corp
        self._run_id = run_id
        self._lease = lease
        self._scribe = Scribe(corp.sync, run_id, changes)
        self._waiting: list[tuple[tuple[Entry, ...], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._is_closing = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def write(self, *entries: Entry) -> None:
        """Put the entries on record together.

        Raises MirrorError where the mirror does not take them, RunInProgressError where the lease
        was lost; then none of them is on record.
        """
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, written))
        self._wake.set()
        await written

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._waiting:
                await self._commit_waiting()
            elif self._is_closing:
                return
            if self._is_closing:
                self._wake.set()

    async def _commit_waiting(self) -> None:
        batch, self._waiting = self._waiting, []
        entries = [entry for group, _ in batch for entry in group]
        error: BaseException | None = None
        try:
            await asyncio.to_thread(self._commit, entries)
        except Exception as exc:  # handed to everybody who waits for this commit
            error = exc
        for _, written in batch:
            if written.cancelled():
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

    def _commit(self, entries: Sequence[Entry]) -> None:
        """In one transaction; of several entries for one record the last one stands."""
        corp, sync = self._corp.name, self._corp.sync
        with self._corp.store.transaction() as connection:
            confirm(connection, self._lease)
            journal.announce(connection, self._run_id, [*_intents(entries)])
            links.put_department(
                connection, corp, sync, [e for e in entries if isinstance(e, RememberedDepartment)]
            )
            links.put_member(connection, corp, sync, [e for e in entries if isinstance(e, RememberedMember)])
            links.put_tag(connection, corp, sync, [e for e in entries if isinstance(e, RememberedTag)])
            links.forget_member(connection, corp, sync, [e.key for e in entries if isinstance(e, Forget)])
            drop_drifts(connection, corp, sync, [e.place for e in entries if isinstance(e, ForgetDrift)])
            put_drifts(connection, corp, sync, {e.place: e for e in entries if isinstance(e, Drift)}.values())
            journal.conclude(connection, self._run_id, [e for e in entries if isinstance(e, Outcome)])
            for note in entries:
                if isinstance(note, Note):
                    note.write(connection)
            audit.append(connection, corp, self._scribe.entries(entries), self._corp.clock())


def _intents(entries: Sequence[Entry]) -> Iterator[Intent]:
    for entry in entries:
        if isinstance(entry, Calling):
            yield entry.intent
        elif isinstance(entry, Intent):
            yield entry
