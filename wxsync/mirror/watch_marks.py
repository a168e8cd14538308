"""Where each watched source stood when the reading began that was last applied as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from wxsync.mirror.tables import watch_marks


def load_marks(connection: Connection, corp: str, sync: str) -> dict[str, str]:
    """Source -> its mark, as it was saved."""
    rows = connection.execute(select(watch_marks).filter_by(corp=corp, sync=sync))
    return {row.source: row.mark for row in rows}


def save_marks(connection: Connection, corp: str, sync: str, marks: Mapping[str, str]) -> None:
    """These marks and no others: a source that gave none this time has none."""
    connection.execute(delete(watch_marks).filter_by(corp=corp, sync=sync))
    if marks:
        rows = [{"corp": corp, "sync": sync, "source": name, "mark": mark} for name, mark in marks.items()]
        connection.execute(insert(watch_marks), rows)
