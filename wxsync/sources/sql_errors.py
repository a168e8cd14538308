"""What an SQL source's driver says, retold without secrets and values, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from wxsync.errors import SourceError, SourceUnavailableError

QUOTED: Final = re.compile(r"""(["'«“]).*?(["'»”])""", re.DOTALL)
LOST: Final = ("08", "53", "55P03", "57", "58", "XX")
"""SQLSTATEs, mostly whole classes, of a server that went away, is overloaded, locked or broken:
none is the query's fault."""
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
                hint=f"write source.{self.source}.url as sqlite:///file or postgresql://user@host/database",
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
        if _state(error) == READ_ONLY or READ_ONLY_SQLITE in _own_text(error):
            return f"{where} must be one SELECT that only reads: wxsync never writes to a source"
        return f"correct {where}; it must be one SELECT that the database runs as it stands"

    def _text(self, error: Exception) -> str:
        """One line of what the driver says, without password, statement or values of rows."""
        text = " ".join(_own_text(error).split())
        if _state(error).startswith("22"):
            text = QUOTED.sub("…", text)
        text = text.partition(" with text ")[0]  # SQLite quotes what it cannot decode
        if self.password:
            text = text.replace(self.password, "***")
        return text[:LONGEST] or type(error).__name__


def _own_text(error: Exception) -> str:
    """The driver's words alone: SQLAlchemy's add the statement."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return str(error) if isinstance(error, SQLAlchemyError | OSError) else type(error).__name__
    diagnosis = getattr(error.orig, "diag", None)
    primary = getattr(diagnosis, "message_primary", None)
    return str(primary or error.orig)


def _state(error: Exception) -> str:
    """The SQLSTATE, where the driver gives one."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return str(getattr(original, "sqlstate", None) or "")


def _is_lost(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError)
    if error.connection_invalidated or _state(error).startswith(LOST):
        return True
    return any(each in _own_text(error).lower() for each in LOST_SQLITE)
