"""Events that came in: each is kept once, until it is worked off, and then nothing but its digest.

WeCom sends an event again that was not answered in time, and does not say whether it then looks the same on
the wire. So two are one where they are equal decrypted. The digest outlives the message, so that neither a
late repetition nor a recorded one is an event again.

All functions take a connection and never commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from wxsync.mirror.sqlite import overwrite_what_goes
from wxsync.mirror.tables import inbox

KEPT: Final = timedelta(days=7)
"""So long a digest is kept, and at most an event that nobody worked off."""
MOST_KEPT: Final = 500_000
"""Rows of one corp; the oldest that are worked off go before their time."""
MOST_WAITING: Final = 100_000
"""Events of one corp that wait to be worked off; beyond that WeCom is told to come again."""
STRUCK_AT_ONCE: Final = 5_000
ASKED_AT_ONCE: Final = 500


class Receiver(StrEnum):
    """Which of a corp's two addresses an event came to."""

    CONTACT = "contact"
    APP = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One event as it came: signed, and decrypted."""

    corp: str
    receiver: Receiver
    message: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Equal where the same address is told the same."""
        return hashlib.sha256(self.receiver.encode() + b"\0" + self.message).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One that is to be worked off."""

    id: int
    letter: Letter
    received_at: datetime


def put_letters(connection: Connection, letters: Sequence[Letter], at: datetime) -> int:
    """Keeps those of them that never came before, in their order; gives how many those are.

    Raises IntegrityError where another process puts the same one in at this moment: to be said again.
    """
    by_digest = {(letter.corp, letter.digest): letter for letter in letters}
    known = set(_known(connection, by_digest))
    new = [
        {
            "corp": letter.corp,
            "digest": digest,
            "receiver": letter.receiver.value,
            "received_at": at,
            "message": letter.message,
        }
        for (corp, digest), letter in by_digest.items()
        if (corp, digest) not in known
    ]
    if new:
        connection.execute(insert(inbox), new)
    return len(new)


def _known(connection: Connection, places: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    c = inbox.c
    for corp in sorted({corp for corp, _ in places}):
        digests = [digest for of, digest in places if of == corp]
        for first in range(0, len(digests), ASKED_AT_ONCE):
            asked = digests[first : first + ASKED_AT_ONCE]
            found = connection.scalars(select(c.digest).where(c.corp == corp, c.digest.in_(asked)))
            yield from ((corp, digest) for digest in found)


def waiting(
    connection: Connection, corp: str, *, after: int = 0, limit: int = 500, receiver: Receiver | None = None
) -> list[Waiting]:
    """Those of the corp that are to be worked off, as they came; `after` this number, and at most `limit`."""
    c = inbox.c
    query = select(c.id, c.receiver, c.message, c.received_at).where(
        c.corp == corp, c.worked_at.is_(None), c.id > after
    )
    if receiver is not None:
        query = query.where(c.receiver == receiver.value)
    return [
        Waiting(
            id=row.id,
            letter=Letter(corp=corp, receiver=Receiver(row.receiver), message=row.message or b""),
            received_at=row.received_at,
        )
        for row in connection.execute(query.order_by(c.id).limit(limit))
    ]


def waiting_count(connection: Connection, corp: str, most: int = MOST_WAITING + 1) -> int:
    """How many wait, counted up to `most`."""
    c = inbox.c
    some = select(c.id).where(c.corp == corp, c.worked_at.is_(None)).limit(most).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


def corps_of_letters(connection: Connection) -> tuple[str, ...]:
    """The corps of which anything is kept, in the config or not."""
    return tuple(connection.scalars(select(inbox.c.corp).distinct().order_by(inbox.c.corp)))


def backlog(connection: Connection) -> dict[str, tuple[int, datetime]]:
    """Corp -> how many wait to be worked off, and when the oldest of them came."""
    c = inbox.c
    found = select(c.corp, func.count(), func.min(c.received_at)).where(c.worked_at.is_(None))
    return {corp: (count, oldest) for corp, count, oldest in connection.execute(found.group_by(c.corp))}


def put_worked(connection: Connection, ids: Sequence[int], at: datetime) -> None:
    """These are worked off: what they said goes, and is overwritten in the file as well."""
    overwrite_what_goes(connection)
    for first in range(0, len(ids), ASKED_AT_ONCE):
        these = inbox.c.id.in_(ids[first : first + ASKED_AT_ONCE])
        connection.execute(update(inbox).where(these).values(worked_at=at, message=None))


def strike_old(connection: Connection, corp: str, now: datetime) -> int:
    """Strikes what was kept for long enough, some of it at most; gives how many rows.

    What nobody worked off goes too, in its time: the next run reads all that it could have told.
    """
    c = inbox.c
    old = select(c.id).where(c.corp == corp, c.received_at < now - KEPT)
    struck = [*connection.scalars(old.limit(STRUCK_AT_ONCE))]
    over = (connection.scalar(select(func.count()).where(c.corp == corp)) or 0) - len(struck) - MOST_KEPT
    if over > 0:
        oldest = select(c.id).where(c.corp == corp, c.worked_at.is_not(None), c.id.not_in(struck))
        struck += connection.scalars(oldest.order_by(c.id).limit(min(over, STRUCK_AT_ONCE)))
    overwrite_what_goes(connection)
    for first in range(0, len(struck), ASKED_AT_ONCE):
        connection.execute(delete(inbox).where(c.id.in_(struck[first : first + ASKED_AT_ONCE])))
    return len(struck)


def strike_about(connection: Connection, corp: str, is_about: Sequence[str]) -> int:
    """Strikes what the events that still wait say, where it names one of these; gives how many those are.

    They count as worked off: whoever is erased has left, and the next run reads whatever else they told.
    """
    c, named = inbox.c, [name.casefold() for name in is_about if name]
    query = select(c.id, c.message, c.received_at).where(c.corp == corp, c.message.is_not(None))
    found = [
        row
        for row in connection.execute(query.order_by(c.id), execution_options={"yield_per": ASKED_AT_ONCE})
        if any(name in row.message.decode("utf-8", errors="replace").casefold() for name in named)
    ]
    for row in found:
        emptied = {"worked_at": row.received_at, "message": None}
        connection.execute(update(inbox).where(c.id == row.id).values(emptied))
    return len(found)
