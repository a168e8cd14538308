"""What an SQL source's driver says, retold without secrets and values, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from wxsync.errors import SourceError, SourceUnavailableError

QUOTED: Final = re.compile(r"""(["'«“]).*?(["'»”])""", re.DOTALL)
LOST: Final = ("08", "53", "55P03", "57", "58", "XX")
"""SQLSTATEs, mostly whole classes, of a server that went away, is overloaded, locked or broken:
none is the query's fault."""
LOST_MYSQL: Final = frozenset(
    {1020, 1040, 1053, 1077, 1152, 1159, 1161, 1203, 1205, 1213, 1317, 1412, 1927, 1969, 3024}
)
"""The same by number, on MariaDB and MySQL: shut down, overloaded, locked, killed, out of time, or a table
that was altered since our transaction began. Client errors, of lost connections, are from 2000 on."""
CLIENT_MYSQL: Final = range(2000, 3000)
QUOTING_MYSQL: Final = frozenset({1062, 1292, 1366, 1411, 1525, 1690})
"""Their text quotes a value of a row."""
READ_ONLY_MYSQL: Final = 1792
LOST_SQLITE: Final = ("locked", "busy", "unable to open", "malformed", "not a database", "disk i/o")
READ_ONLY: Final = "25006"
READ_ONLY_SQLITE: Final = "readonly database"
LONGEST: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Retold:
    """Turns the errors of one source's driver into ours."""

    source: str
    password: str | None

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Whatever goes wrong here is a source that cannot be reached."""
        try:
            yield
        except (NoSuchModuleError, ArgumentError, ImportError):
            # The text may quote the URL.
            raise SourceError(
                self.source,
                "its url names a database or driver that is not installed",
                hint=f"write source.{self.source}.url as sqlite:///file, postgresql://user@host/database or"
                " mariadb://user@host/database; for SQL Server install wxsync[mssql], for Oracle"
                " wxsync[oracle]",
            ) from None
        except (SQLAlchemyError, OSError, ValueError) as error:
            raise SourceUnavailableError(
                self.source,
                f"cannot connect: {self._text(error)}",
                hint=f"check source.{self.source}.url and password, and that the server runs"
                " and lets this machine in",
            ) from None

    @contextmanager
    def reading(self, query: str) -> Iterator[None]:
        """A lost connection is a source that cannot be reached; anything else is the query's fault."""
        try:
            yield
        except (SQLAlchemyError, OSError, ValueError) as error:
            text = self._text(error)
            if _is_lost(error):
                raise SourceUnavailableError(
                    self.source,
                    f"the {query} query broke off: {text}",
                    hint="nothing was concluded from what came before; run again when the server is back",
                ) from None
            hint = self._hint(query, error)
            raise SourceError(self.source, f"the {query} query failed: {text}", hint=hint) from None

    def _hint(self, query: str, error: Exception) -> str:
        where = f"source.{self.source}.{query}"
        if (
            _state(error) == READ_ONLY
            or _number(error) == READ_ONLY_MYSQL
            or READ_ONLY_SQLITE in _own_text(error)
        ):
            return f"{where} must be one SELECT that only reads: wxsync never writes to a source"
        return f"correct {where}; it must be one SELECT that the database runs as it stands"

    def _text(self, error: Exception) -> str:
        """One line of what the driver says, without password, statement or values of rows."""
        if _is_drivers_own(error):
            return "its driver cannot read a value of a row"  # which its words quote
        text = " ".join(_own_text(error).split())
        if _state(error).startswith("22") or _number(error) in QUOTING_MYSQL:
            text = QUOTED.sub("…", text)
        text = text.partition(" with text ")[0]  # SQLite quotes what it cannot decode
        text = text.partition("; check the manual")[0]  # MariaDB goes on with the statement
        if self.password:
            text = text.replace(self.password, "***")
        return text[:LONGEST] or type(error).__name__


def _own_text(error: Exception) -> str:
    """The driver's words alone: SQLAlchemy's add the statement."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return str(error) if isinstance(error, SQLAlchemyError | OSError) else type(error).__name__
    if _number(error) is not None:
        return " ".join(_plain(each) for each in error.orig.args[1:])
    diagnosis = getattr(error.orig, "diag", None)
    primary = getattr(diagnosis, "message_primary", None)
    return str(primary or error.orig)


def _plain(said: object) -> str:
    """SQL Server's driver speaks in bytes."""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _is_drivers_own(error: Exception) -> bool:
    """The server has sent an answer of which the driver can make no value."""
    return isinstance(error, DataError) and not _state(error) and _number(error) is None


def _state(error: Exception) -> str:
    """The SQLSTATE, where the driver gives one."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return str(getattr(original, "sqlstate", None) or "")


def _number(error: Exception) -> int | None:
    """The error's number, on MariaDB and MySQL."""
    arguments = error.orig.args if isinstance(error, DBAPIError) and error.orig is not None else ()
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _is_lost(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError)
    if error.connection_invalidated or _state(error).startswith(LOST):
        return True
    if _number(error) is not None:
        return _number(error) in LOST_MYSQL or _number(error) in CLIENT_MYSQL
    return any(each in _own_text(error).lower() for each in LOST_SQLITE)
