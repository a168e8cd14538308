"""The mirror, moved to another database: all of it goes, and from then on one of the two is the mirror.

Each of the two says in itself what it is, so that a command by an old config cannot go on with the wrong one:
the copy until it is whole, the former mirror from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import make_url, null, update
from sqlalchemy.engine import URL

from wxsync.errors import MirrorError
from wxsync.mirror import schema
from wxsync.mirror.copying import (
    Progress,
    TableSum,
    copy_everything,
    empty_tables,
    filled_tables,
    sums_of,
)
from wxsync.mirror.counters import go_on_after, last_numbers
from wxsync.mirror.failures import place_of
from wxsync.mirror.marks import Mark, MarkKind, clear_marks, marks, put_mark, refusal, refuse_any
from wxsync.mirror.standstill import Standstill
from wxsync.mirror.store import Store
from wxsync.mirror.tables import leases

OWNER: Final = "wxsync db copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A mirror that lives elsewhere by now."""

    source: str
    target: str
    rows: int
    tables: int
    """That hold anything."""


def move(
    source_url: str | URL,
    target_url: str | URL,
    corps: Collection[str],
    at: datetime,
    progress: Progress,
) -> Moved:
    """Copies the mirror into an empty database, compares every table, and marks the former one as moved.

    Said again after it was cut off, it begins anew, or does what was left to do. Nobody is at work on the
    mirror meanwhile. Raises RunInProgressError where somebody is, SchemaBehindError, and MirrorError where
    the target is not empty or one of the two fails; then the former mirror is the mirror still.
    """
    source_place, target_place = schema.existing(source_url).place, place_of(make_url(target_url))
    if source_place == target_place:
        raise MirrorError(f"{target_place} is the mirror itself", hint="name another database")
    with _opened(source_url) as source, _opened_target(target_url) as target:
        move_ = _Move(source, target, Mark(kind=MarkKind.MOVED, made_at=at, place=target_place), source_place)
        sums = move_.carry_out(corps, progress)
    return Moved(
        source=source_place,
        target=target_place,
        rows=sum(each.rows for each in sums.values()),
        tables=sum(each.rows > 0 for each in sums.values()),
    )


class _Move:
    def __init__(self, source: Store, target: Store, moved: Mark, source_place: str) -> None:
        self._source = source
        self._target = target
        self._moved = moved
        self._copying = Mark(kind=MarkKind.COPYING, made_at=moved.made_at, place=source_place)

    def carry_out(self, corps: Collection[str], progress: Progress) -> dict[str, TableSum]:
        is_moved = self._is_moved()
        is_begun = self._is_begun()
        if is_moved and not is_begun:
            raise refusal(self._moved, self._copying.place)
        if not is_begun:
            self._refuse_unless_empty()
        # One that was cut off after all was there has only to be handed over.
        sums = self._look_again(progress) if is_moved else self._copy(corps, progress, is_begun=is_begun)
        self._hand_over()
        return sums

    def _is_moved(self) -> bool:
        """The source was marked by an earlier attempt. Raises MirrorError where it is none to go by."""
        with self._source.reading() as connection:
            found = marks(connection)
        is_moved = any((mark.kind, mark.place) == (MarkKind.MOVED, self._moved.place) for mark in found)
        others = [MarkKind.BACKUP, MarkKind.COPYING] if is_moved else [*MarkKind]
        refuse_any(found, self._copying.place, others)
        return is_moved

    def _is_begun(self) -> bool:
        """An earlier attempt has begun to fill the target."""
        with self._target.reading() as connection:
            found = marks(connection)
        return (MarkKind.COPYING, self._copying.place) in [(mark.kind, mark.place) for mark in found]

    def _refuse_unless_empty(self) -> None:
        with self._target.reading() as connection:
            filled = filled_tables(connection)
            if not filled and not marks(connection):
                return
        holding = f": it holds {', '.join(filled[:3])}" if filled else ""
        raise MirrorError(
            f"{self._moved.place} is not empty{holding}",
            hint="name a database with nothing in it; nothing is ever written over",
        )

    def _copy(self, corps: Collection[str], progress: Progress, *, is_begun: bool) -> dict[str, TableSum]:
        with Standstill(self._source, corps, OWNER) as still:

            def told(done: int, total: int) -> None:
                still.keep()
                progress(done, total)

            with self._target.transaction() as connection:
                put_mark(connection, self._copying)
                if is_begun:
                    empty_tables(connection)
            sums = copy_everything(self._source, self._target, told)
            with self._source.transaction() as connection:
                still.confirm(connection)
                put_mark(connection, self._moved)
        return sums

    def _look_again(self, progress: Progress) -> dict[str, TableSum]:
        """What was written to the source since, are plans that were being made when it was marked."""
        with self._target.reading() as connection:
            return sums_of(connection, lambda done: progress(done, done))

    def _hand_over(self) -> None:
        """From here on the target is the mirror, in which nobody is at work and no number comes twice."""
        with self._source.reading() as connection:
            numbers = last_numbers(connection)
        go_on_after(self._target, numbers)
        with self._target.transaction() as connection:
            connection.execute(update(leases).values(owner=null()))
            clear_marks(connection, [MarkKind.COPYING])


@contextmanager
def _opened(url: str | URL) -> Iterator[Store]:
    store = Store(schema.prepare(url, whatever_mark=True))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _opened_target(url: str | URL) -> Iterator[Store]:
    """A server's database is migrated first, as an empty file is; one of an older schema is not ours to."""
    if schema.status(url).current is None:
        schema.upgrade(url)
    with _opened(url) as store:
        yield store
