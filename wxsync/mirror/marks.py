"""What a mirror is beside a mirror: a backup, one that was moved away, a copy that is not whole yet.

Whoever opens one of these by mistake would go by what WeCom held long ago, or beside another mirror of the
same corp. So each says in itself what it is, and is opened only by the command that takes the mark away.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, select

from wxsync.errors import MirrorError
from wxsync.mirror.store import replace_rows
from wxsync.mirror.tables import mirror_marks


class MarkKind(StrEnum):
    """What a mark says of the mirror that carries it."""

    BACKUP = "backup"
    """It is a backup of the mirror that the mark names."""
    COPYING = "copying"
    """`wxsync db copy` from the mirror that the mark names has not come to its end here."""
    MOVED = "moved"
    """Its contents live on in the mirror that the mark names."""
    RESTORED = "restored"
    """It was a backup once; nothing that it remembered before is believed. Holds up nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One mark, with the other mirror that it speaks of."""

    kind: MarkKind
    made_at: datetime
    place: str
    """As `wxsync db status` names places; never with a password."""


REFUSALS: Final = {
    MarkKind.BACKUP: (
        "{here} is a backup, made at {made_at} of {place}",
        "if it is to be the mirror from now on, say first: wxsync db restored",
    ),
    MarkKind.COPYING: (
        "{here} is a copy of {place} that is not whole: `wxsync db copy` has not come to its end",
        "name {place} as mirror.url and say the same `wxsync db copy` once more",
    ),
    MarkKind.MOVED: (
        "{here} is the mirror no more: it was copied to {place} at {made_at}",
        "name that one as mirror.url; if it is lost, `wxsync db restored` makes this one the mirror again",
    ),
}


def marks(connection: Connection) -> tuple[Mark, ...]:
    """Every mark of the mirror."""
    rows = connection.execute(select(mirror_marks).order_by(mirror_marks.c.mark))
    return tuple(Mark(kind=MarkKind(row.mark), made_at=row.made_at, place=row.place) for row in rows)


def put_mark(connection: Connection, mark: Mark) -> None:
    """Marks the mirror, in the place of a mark of the same kind."""
    replace_rows(
        connection,
        mirror_marks,
        [{"mark": mark.kind.value, "made_at": mark.made_at, "place": mark.place}],
    )


def clear_marks(connection: Connection, kinds: Collection[MarkKind]) -> None:
    """Takes these marks away."""
    connection.execute(delete(mirror_marks).where(mirror_marks.c.mark.in_([*kinds])))


def refuse_marked(connection: Connection, here: str) -> None:
    """Raises `MirrorError` where the mirror `here` is not one to go by."""
    refuse_any(marks(connection), here)


def refuse_any(found: Collection[Mark], here: str, kinds: Collection[MarkKind] = tuple(MarkKind)) -> None:
    """The same by the marks that it carries, as far as they are of `kinds`."""
    for mark in found:
        if mark.kind in kinds and mark.kind in REFUSALS:
            raise refusal(mark, here)


def refusal(mark: Mark, here: str) -> MirrorError:
    """What whoever opens the mirror `here` is told."""
    message, hint = REFUSALS[mark.kind]
    facts = {"here": here, "place": mark.place, "made_at": f"{mark.made_at:%Y-%m-%dT%H:%M:%SZ}"}
    return MirrorError(message.format(**facts), hint=hint.format(**facts))
