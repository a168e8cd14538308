"""The way by which details of each corp were last read."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import IntegrityError

from wxsync.mirror.store import replace_rows
from wxsync.mirror.tables import corp_ways
from wxsync.model.remembered import RememberedWay
from wxsync.model.seen import ReadingWay


def load_way(connection: Connection, corp: str) -> RememberedWay | None:
    """The way that was saved last; None where none was, or one that this version does not know."""
    row = connection.execute(select(corp_ways).filter_by(corp=corp)).one_or_none()
    if row is None or row.way not in [way.value for way in ReadingWay]:
        return None
    return RememberedWay(way=ReadingWay(row.way), has_app=row.has_app, found_at=row.found_at)


def forget_way(connection: Connection, corp: str) -> None:
    """The next run finds the way anew."""
    connection.execute(delete(corp_ways).filter_by(corp=corp))


def save_way(connection: Connection, corp: str, found: RememberedWay) -> None:
    """Remembers the way, in the place of what was remembered of the corp.

    Plans take no lease: where two find it at the same moment, that of one of them stands.
    """
    row = {"corp": corp, "way": found.way.value, "has_app": found.has_app, "found_at": found.found_at}
    with suppress(IntegrityError), connection.begin_nested():
        replace_rows(connection, corp_ways, [row])
