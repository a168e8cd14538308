"""What events told of members of ours, kept until a run that was applied has taken it in.

It is no part of the links: those belong to whoever has the corp's lease, and events come while a run goes on.

All functions take a connection and never commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from wxsync.mirror.sqlite import overwrite_what_goes
from wxsync.mirror.store import replace_rows
from wxsync.mirror.tables import audit_lines, audit_shares, member_links, told_values
from wxsync.model.event import Told
from wxsync.model.remembered import LinkState

KEPT: Final = timedelta(days=30)
"""Where no run is applied for so long, what was told is of no more use."""
AT_ONCE: Final = 500


def note_told(connection: Connection, corp: str, told: Sequence[Told], now: datetime) -> int:
    """Notes what is told of members of ours; of one field what is told of the latest moment.

    Two of one second that differ leave it open. Gives how many members of ours were named.
    """
    ours = _ours(connection, corp, {each.userid for each in told})
    before = {(each.userid, each.field): each for each in _load(connection, corp, ours)}
    after = dict(before)
    for each in told:
        if each.userid in ours:
            place = (each.userid, each.field)
            after[place] = _later(after.get(place), each)
    changed = [each for place, each in after.items() if before.get(place) != each]
    replace_rows(connection, told_values, [_row(corp, each, now) for each in changed])
    return len(ours)


def _later(known: Told | None, told: Told) -> Told:
    if known is None or told.told_at > known.told_at:
        return told
    if told.told_at < known.told_at or told.value == known.value:
        return known
    return Told(userid=told.userid, field=told.field, value=None, told_at=told.told_at)


def load_told(connection: Connection, corp: str, sync: str) -> tuple[Told, ...]:
    """What is told of members of this sync."""
    c = member_links.c
    theirs = select(c.live_userid).where(c.corp == corp, c.sync == sync, c.live_userid.is_not(None))
    t = told_values.c
    rows = connection.execute(select(told_values).where(t.corp == corp, t.userid_folded.in_(theirs)))
    return tuple(_told(row) for row in rows)


def written_at(connection: Connection, corp: str, userids: Sequence[str]) -> dict[str, datetime]:
    """When the audit trail last has a line that is about each of these, by our clock."""
    share, line = audit_shares.c, audit_lines.c
    found: dict[str, datetime] = {}
    for first in range(0, len(userids), AT_ONCE):
        these = share.userid_folded.in_(userids[first : first + AT_ONCE])
        last = (
            select(share.userid_folded, func.max(share.seq).label("seq"))
            .where(share.corp == corp, these)
            .group_by(share.userid_folded)
            .subquery()
        )
        lines = select(last.c.userid_folded, line.document).join(
            audit_lines, (line.corp == corp) & (line.seq == last.c.seq)
        )
        for userid, document in connection.execute(lines):
            found[userid] = datetime.fromisoformat(json.loads(document)["at"])
    return found


def strike_told(connection: Connection, corp: str, told: Iterable[Told]) -> None:
    """Strikes these, where nothing else was told of the same field since."""
    overwrite_what_goes(connection)
    c = told_values.c
    for each in told:
        place = (c.corp == corp, c.userid_folded == each.userid, c.field == each.field)
        connection.execute(delete(told_values).where(*place, c.told_at == each.told_at))


def strike_old_told(connection: Connection, corp: str, now: datetime) -> None:
    """Strikes what was told so long ago."""
    c = told_values.c
    connection.execute(delete(told_values).where(c.corp == corp, c.noted_at < now - KEPT))


def _ours(connection: Connection, corp: str, userids: Iterable[str]) -> set[str]:
    c, asked = member_links.c, sorted(userids)
    ours: set[str] = set()
    for first in range(0, len(asked), AT_ONCE):
        these = (c.live_userid.in_(asked[first : first + AT_ONCE]), c.state == LinkState.OURS.value)
        ours.update(connection.scalars(select(c.live_userid).where(c.corp == corp, *these)))
    return ours


def _load(connection: Connection, corp: str, userids: Iterable[str]) -> list[Told]:
    c, asked = told_values.c, sorted(userids)
    found: list[Told] = []
    for first in range(0, len(asked), AT_ONCE):
        these = c.userid_folded.in_(asked[first : first + AT_ONCE])
        found += map(_told, connection.execute(select(told_values).where(c.corp == corp, these)))
    return found


def _told(row: Any) -> Told:
    return Told(userid=row.userid_folded, field=row.field, value=row.value, told_at=row.told_at)


def _row(corp: str, told: Told, now: datetime) -> dict[str, Any]:
    return {
        "corp": corp,
        "userid_folded": told.userid,
        "field": told.field,
        "value": told.value,
        "told_at": told.told_at,
        "noted_at": now,
    }
