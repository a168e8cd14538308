"""What is SQLite's own: the file and who may read it, pragmas, and how transactions begin.

Every other database does these by itself; nothing outside this module knows that SQLite is special.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, inspect
from sqlalchemy.engine import URL

from wxsync.errors import MirrorError

READS_ONLY: Final = "wxsync_reads_only"
"""The execution option of a connection whose transactions only read."""

BUSY_SECONDS: Final = 5.0
"""How long a writer waits for another one before "locked" is said."""

OWNER_ONLY: Final = 0o600


def file_of(url: URL) -> Path:
    """The mirror's file; a place where no file can be, or memory, is a `MirrorError` that says so."""
    name = url.database or ""
    if name in ("", ":memory:") or name.startswith("file:"):
        raise MirrorError(
            "a SQLite mirror must be a file, given by its path",
            hint='write mirror.url = "sqlite:///mirror.db"',
        )
    path = Path(name)
    if path.is_dir():
        raise MirrorError(f"the mirror {path} is a directory", hint="mirror.url must name a file in it")
    if not path.parent.is_dir():
        raise MirrorError(
            f"the mirror {path} cannot be made: there is no directory {path.parent}",
            hint=f"make it (mkdir -p {path.parent}), or correct mirror.url in the config",
        )
    return path


def make_private(path: Path) -> None:
    """Makes the file if there is none, and lets nobody but its owner read it, from its first byte on.

    SQLite gives -wal and -shm the mode of the file itself; those that are there already are seen to.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, OWNER_ONLY))
        for each in (path, *companions(path)):
            if each.exists():
                _close_to_others(each)
    except OSError as error:
        raise MirrorError(
            f"the mirror {path} cannot be opened for writing: {error.strerror}",
            hint="give the user that runs wxsync the right to write to it and to its directory",
        ) from error


def companions(path: Path) -> tuple[Path, Path]:
    """The files that SQLite keeps beside a database in WAL mode."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def tables_in(url: URL) -> frozenset[str]:
    """The tables of the file as it stands, which is not changed by being looked at."""
    if not file_of(url).exists():
        return frozenset()
    looking = create_engine(url, poolclass=NullPool, hide_parameters=True)
    with looking.connect() as connection:
        return frozenset(inspect(connection).get_table_names())


def size_of(path: Path) -> int:
    """The bytes that the mirror takes on the disk, its write-ahead log with it."""
    return sum(each.stat().st_size for each in (path, *companions(path)) if each.exists())


def open_sqlite(url: URL) -> Engine:
    """An engine whose connections keep a WAL, wait for each other, and begin when they are told to."""
    # sqlite3 must not begin transactions by itself: it does so late, deferred, and not for
    # everything (SQLAlchemy 2.1, "Enabling Non-Legacy SQLite Transactional Modes with the sqlite3
    # or aiosqlite driver"). Without an isolation level it leaves that to the event below.
    options = {"isolation_level": None, "timeout": BUSY_SECONDS}
    engine = create_engine(url, connect_args=options, hide_parameters=True)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def overwrite_what_goes(connection: Connection) -> None:
    """From now on what is deleted by this connection is overwritten in the file as well.

    Other databases do so by themselves in time (VACUUM, purge).
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def _close_to_others(path: Path) -> None:
    status = path.stat()
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & ~OWNER_ONLY:
        path.chmod(OWNER_ONLY)


def _set_pragmas(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    """Takes the write lock at once: a reader that turns writer half-way may find it can't, and fail."""
    reads_only = connection.get_execution_options().get(READS_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
