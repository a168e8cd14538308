"""What a database's error means for the people who run wxsync: one sentence, and how to mend it.

Branches on codes, never on words, which differ by language and version. Of the database's own words
only the first line is passed on: in what follows PostgreSQL quotes whole rows.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Final

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from wxsync.errors import MirrorError


class Trouble(Enum):
    """A kind of failure: what to say (with {place} and {words}), and the hint."""

    FULL = (
        "the disk is full: {place} cannot be written; nothing was sent to WeCom beyond what is recorded",
        "free some space where the mirror lives and run the command again: the mirror itself is whole",
    )
    LOCKED = (
        "the mirror {place} is locked by another process",
        "wait until the other command (or the backup, or the open database shell) has ended, and try again",
    )
    READ_ONLY = (
        "the mirror {place} cannot be written: it is read-only here ({words})",
        "give the user that runs wxsync the right to write to it and, for SQLite, to its directory",
    )
    NOT_A_DATABASE = (
        "{place} is not a mirror: the file is no SQLite database",
        "mirror.url in the config must name the mirror's own file, or one that does not exist yet",
    )
    DAMAGED = (
        "the mirror {place} is damaged ({words})",
        "put back a backup that is whole, and say: wxsync db restored",
    )
    UNREACHABLE = (
        "the mirror {place} cannot be reached: {words}",
        "see that the database runs, and that mirror.url and mirror.password in the config are right",
    )
    CONFLICT = (
        "the mirror {place} refused a record: {words}",
        "two records claim the same id: do two syncs want the same person, or was the mirror edited by hand?",
    )
    NO_DRIVER = (
        "the mirror {place} cannot be used: {words}",
        "mirror.url must be one of SQLite, PostgreSQL and MariaDB/MySQL, and its Python driver installed",
    )
    OTHER = ("the mirror {place} cannot be used: {words}", None)


SQLITE_TROUBLES: Final[Mapping[int, Trouble]] = {
    5: Trouble.LOCKED,  # SQLITE_BUSY
    6: Trouble.LOCKED,  # SQLITE_LOCKED
    8: Trouble.READ_ONLY,  # SQLITE_READONLY
    11: Trouble.DAMAGED,  # SQLITE_CORRUPT
    13: Trouble.FULL,  # SQLITE_FULL
    14: Trouble.READ_ONLY,  # SQLITE_CANTOPEN: the file is there by then, so it is a matter of rights
    26: Trouble.NOT_A_DATABASE,  # SQLITE_NOTADB
}
"""By primary result code, https://www.sqlite.org/rescode.html."""

CANNOT_CONNECT: Final = "57P03"

POSTGRESQL_TROUBLES: Final[Mapping[str, Trouble]] = {
    "53100": Trouble.FULL,
    "55P03": Trouble.LOCKED,
    "40P01": Trouble.LOCKED,
    "25006": Trouble.READ_ONLY,
    "42501": Trouble.READ_ONLY,
    "57P01": Trouble.UNREACHABLE,
    CANNOT_CONNECT: Trouble.UNREACHABLE,
    "53300": Trouble.UNREACHABLE,
}
"""By SQLSTATE, appendix A of PostgreSQL's manual."""

MYSQL_TROUBLES: Final[Mapping[int, Trouble]] = {
    1021: Trouble.FULL,
    1114: Trouble.FULL,
    1205: Trouble.LOCKED,
    1213: Trouble.LOCKED,
    1290: Trouble.READ_ONLY,
    1836: Trouble.READ_ONLY,
    1142: Trouble.READ_ONLY,
    1044: Trouble.UNREACHABLE,
    1045: Trouble.UNREACHABLE,
    1049: Trouble.UNREACHABLE,
    2002: Trouble.UNREACHABLE,
    2003: Trouble.UNREACHABLE,
    2006: Trouble.UNREACHABLE,
    2013: Trouble.UNREACHABLE,
}
"""By error number, MariaDB's and MySQL's server and client errors."""

MYSQL_QUOTING: Final = frozenset({1062, 1292, 1366, 1406})
"""Their words quote a value of the row that was refused."""
QUOTED: Final = re.compile("'.*?'", re.DOTALL)

SQLITE_IO_ERRORS_OF_A_FULL_DISK: Final = frozenset({10 | 3 << 8, 10 | 6 << 8, 10 | 19 << 8})
"""Writing, truncating and growing the shared memory: what is left of ENOSPC by the time it is told."""


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turns every SQLAlchemy error inside into a `MirrorError` that says what to do about it."""
    try:
        yield
    except (SQLAlchemyError, ImportError, sqlite3.Error) as error:
        raise explain(error, url) from error


def explain(error: Exception, url: URL) -> MirrorError:
    """The `MirrorError` for `error`, without a password and without anybody's values."""
    message, hint = trouble_of(error, url.get_backend_name()).value
    return MirrorError(message.format(place=place_of(url), words=first_line(error)), hint=hint)


def trouble_of(error: Exception, backend: str) -> Trouble:
    """What kind of failure `error` is, coming from a database of kind `backend`."""
    if isinstance(error, (ImportError, NoSuchModuleError)):
        return Trouble.NO_DRIVER
    if isinstance(error, sqlite3.Error):  # where SQLite is spoken to itself, as for a backup
        return _by_sqlite_code(getattr(error, "sqlite_errorcode", 0))
    if isinstance(error, IntegrityError):
        return Trouble.CONFLICT
    if not isinstance(error, DBAPIError):
        return Trouble.OTHER
    if error.connection_invalidated:
        return Trouble.UNREACHABLE
    match backend:
        case "sqlite":
            return _by_sqlite_code(getattr(error.orig, "sqlite_errorcode", 0))
        case "postgresql":
            # psycopg has no SQLSTATE for a connection that never came to be.
            state = getattr(error.orig, "sqlstate", None) or CANNOT_CONNECT
            return POSTGRESQL_TROUBLES.get(state, Trouble.OTHER)
        case _:
            number = next(iter(error.orig.args), 0) if error.orig is not None else 0
            return MYSQL_TROUBLES.get(number, Trouble.OTHER)


def _by_sqlite_code(code: int) -> Trouble:
    if code in SQLITE_IO_ERRORS_OF_A_FULL_DISK:
        return Trouble.FULL
    return SQLITE_TROUBLES.get(code & 0xFF, Trouble.OTHER)


def place_of(url: URL) -> str:
    """Where the mirror is, without a password: a file's path, or a URL."""
    if url.get_backend_name() == "sqlite":
        return url.database or "(in memory)"
    return url.set(query={}).render_as_string(hide_password=True)


def first_line(error: Exception) -> str:
    """The database's own words, as far as they quote nobody's values."""
    original = error.orig if isinstance(error, DBAPIError) else error
    arguments = original.args if original is not None else ()
    if len(arguments) > 1 and arguments[0] in MYSQL_QUOTING:
        return QUOTED.sub("…", str(arguments[1]))
    words = str(arguments[1] if len(arguments) > 1 and isinstance(arguments[0], int) else original)
    return words.strip().split("\n", 1)[0]
