"""A copy of the mirror in one file, safe while runs are at work: it is the mirror of one moment.

A SQLite mirror is copied by SQLite's own backup (https://www.sqlite.org/backup.html), in a transaction that
only reads, so nobody waits for it. A server's mirror is read in one REPEATABLE READ transaction, table by
table, into a SQLite file of the same schema. The file carries a mark that says what it is.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, NullPool, create_engine, func, inspect, make_url, select
from sqlalchemy.engine import URL

from wxsync.errors import MirrorError
from wxsync.mirror import schema, sqlite
from wxsync.mirror.copying import COPIED, Progress, copy_everything
from wxsync.mirror.failures import explained
from wxsync.mirror.marks import Mark, MarkKind, put_mark, refuse_any
from wxsync.mirror.store import Store
from wxsync.mirror.tables import leases, mirror_marks
from wxsync.mirror.whole_file import appearing

PAGES: Final = 250
"""Pages of SQLite, usually of 4 KiB, that are copied between two looks at the progress bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that is whole and on the disk."""

    file: Path
    made_at: datetime
    place: str
    """Of the mirror that it is of."""
    schema: str
    size_bytes: int
    rows: int


def back_up(url: str | URL, file: Path, *, made_at: datetime, progress: Progress) -> Backup:
    """Copies the mirror into `file`, which only its owner can read, and which appears when it is whole.

    A SQLite mirror of an older schema is copied as it is, for whoever is about to upgrade it. Raises
    MirrorError where there is no mirror, where it is not one to go by, or where the file cannot be made or
    exists already.
    """
    found = schema.existing(url)
    refuse_any(found.marks, found.place)
    with appearing(file) as part:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            _copy_pages(parsed, part, progress)
        else:
            _copy_rows(parsed, part, progress)
        mark = Mark(kind=MarkKind.BACKUP, made_at=made_at, place=found.place)
        rows = _mark(part, mark)
        _check(part, mark)
        size = part.stat().st_size
    return Backup(
        file=file, made_at=made_at, place=found.place, schema=str(found.current), size_bytes=size, rows=rows
    )


def _copy_pages(url: URL, part: Path, progress: Progress) -> None:
    store = Store(sqlite.open_sqlite(url))
    try:
        with store.reading() as connection, closing(sqlite3.connect(part)) as target:
            # From its first query on this transaction sees one moment, whoever writes meanwhile.
            connection.execute(select(leases.c.corp).limit(1))
            source: Any = connection.connection.driver_connection
            source.backup(
                target,
                pages=PAGES,
                progress=lambda status, remaining, total: progress(total - remaining, total),
            )
    finally:
        store.close()


def _copy_rows(url: URL, part: Path, progress: Progress) -> None:
    source, target = Store(schema.prepare(url)), Store(schema.prepare(_url_of(part)))
    try:
        copy_everything(source, target, progress)
    finally:
        source.close()
        target.close()


def _url_of(file: Path) -> URL:
    return URL.create("sqlite", database=str(file))


def _mark(part: Path, mark: Mark) -> int:
    """Makes one file of it, and has it say what it is; gives the number of rows in all tables."""
    url = _url_of(part)
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    with explained(url):
        with closing(sqlite3.connect(part)) as connection:
            # What belongs to a mirror at work, and would lie beside the file.
            connection.execute("PRAGMA journal_mode = DELETE").close()
        with engine.begin() as marking:
            mirror_marks.create(marking, checkfirst=True)  # an older schema has no marks yet
            put_mark(marking, mark)
            return _rows(marking)


def _check(part: Path, mark: Mark) -> None:
    with explained(_url_of(part)), closing(sqlite3.connect(part)) as connection:
        [answer] = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise MirrorError(
            f"the copy of {mark.place} is damaged, and is not kept: {answer}",
            hint="the mirror itself may be damaged: look at the disk, and keep your older backups",
        )


def _rows(connection: Connection) -> int:
    """Of the tables that are there: an older schema has not all of them."""
    there = inspect(connection).get_table_names()
    return sum(
        connection.scalar(select(func.count()).select_from(table)) or 0
        for table in COPIED
        if table.name in there
    )
