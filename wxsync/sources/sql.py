"""A database as a source: one connection, one read-only transaction, every query counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, CursorResult, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from wxsync.config.settings import SqlSourceSettings
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.model.desired import ReadingProof
from wxsync.model.message import say
from wxsync.sources.base import Row
from wxsync.sources.sql_errors import Retold

CONNECT_SECONDS: Final = 10
CHUNK: Final = 1000
"""Rows that are fetched at a time."""

POSTGRESQL_ARGUMENTS: Final[Mapping[str, object]] = MappingProxyType(
    {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "wxsync",
        # A server that vanished without a word is noticed within a minute, not never.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
)


LOCK_TIMEOUT: Final = (
    "SELECT set_config('lock_timeout', '60s', true) WHERE current_setting('lock_timeout') = '0'"
)
"""A table that somebody else keeps locked is an error after a minute, and no run that never ends."""


@dataclass(frozen=True, slots=True)
class SqlSource:
    """A database that SQLAlchemy reaches; SQLite and PostgreSQL are known to work."""

    name: str
    settings: SqlSourceSettings

    @contextmanager
    def open(self) -> Iterator[SqlSession]:
        """One moment of the database, for the length of a `with`; nothing is ever written to it.

        Raises SourceUnavailableError where it cannot be reached.
        """
        password = self.settings.password
        retold = Retold(source=self.name, password=None if password is None else password.get_secret_value())
        with retold.connecting():
            url = self.settings.full_url
            dialect = url.get_backend_name()
            url, arguments = _sqlite(self.name, url) if dialect == "sqlite" else _others(dialect, url)
            engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
        try:
            with retold.connecting():
                connection = engine.connect()
            with ExitStack() as cleaning:
                cleaning.callback(connection.close)
                with retold.connecting():
                    connection = _begin(connection, dialect)
                yield SqlSession(self.name, self.settings, connection, retold, cleaning)
        finally:
            engine.dispose()


def _sqlite(source: str, url: URL) -> tuple[URL, dict[str, object]]:
    """Opened read-only: a mistyped path is an error and no new, empty database."""
    path = (url.database or "").removeprefix("file:")
    if not Path(path).is_file():
        raise SourceUnavailableError(
            source,
            f"there is no database file {path}",
            hint=f"correct source.{source}.url; relative paths are relative to the config file",
        )
    url = url.set(database=f"file:{quote(path)}", query={**url.query, "mode": "ro", "uri": "true"})
    return url, {"timeout": CONNECT_SECONDS, "isolation_level": None}


def _others(dialect: str, url: URL) -> tuple[URL, dict[str, object]]:
    """What the URL itself says about the connection wins."""
    defaults = POSTGRESQL_ARGUMENTS if dialect == "postgresql" else {}
    return url, {name: value for name, value in defaults.items() if name not in url.query}


def _begin(connection: Connection, dialect: str) -> Connection:
    """All queries see one moment: a snapshot on PostgreSQL, a shared lock or WAL snapshot on SQLite."""
    if dialect == "sqlite":
        # Python's driver begins no transaction for a SELECT; the lock is taken by the first read.
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    elif dialect == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        connection.exec_driver_sql(LOCK_TIMEOUT)
    return connection


class SqlSession:
    """One transaction of a database, in which the configured queries can be run."""

    def __init__(
        self,
        source: str,
        settings: SqlSourceSettings,
        connection: Connection,
        retold: Retold,
        cleaning: ExitStack,
    ) -> None:
        self._source = source
        self._settings = settings
        self._connection = connection
        self._retold = retold
        self._cleaning = cleaning
        """Closes what was opened when the session ends."""

    def has(self, query: str) -> bool:
        return getattr(self._settings, query) is not None

    def read(self, query: str) -> SqlRows:
        """Count the query's rows, then start it; raises SourceError where the database refuses."""
        statement = str(getattr(self._settings, query)).rstrip("; \t\r\n")
        with self._retold.reading(query):
            # The line breaks keep a comment at the end of the query from swallowing the parenthesis.
            # Counting first also refuses whatever is not one single SELECT before any of it is run.
            counting = "\n".join(("SELECT count(*) FROM (", statement, ") AS counted"))
            count = self._run(counting).scalar_one()
            result = self._run(statement, stream_results=True, yield_per=CHUNK)
        self._cleaning.callback(_close, result)
        columns = tuple(result.keys())
        doubled = sorted({column for column in columns if columns.count(column) > 1})
        if doubled:
            raise SourceError(
                self._source,
                f"the {query} query gives the column {doubled[0]} twice",
                hint=f"name every column of source.{self._source}.{query} apart, with AS",
            )
        return SqlRows(self._source, query, result, columns, int(count), self._retold)

    def _run(self, statement: str, **options: object) -> CursorResult[Any]:
        # Straight to the driver and without parameters: a colon or a percent sign is the query's own.
        options["no_parameters"] = True
        return self._connection.exec_driver_sql(statement, execution_options=options)


def _close(result: CursorResult[Any]) -> None:
    """A cursor of a connection that is lost cannot be closed, and need not be."""
    with suppress(SQLAlchemyError):
        result.close()


class SqlRows:
    """The rows of one query, fetched as they are asked for."""

    def __init__(
        self,
        source: str,
        query: str,
        result: CursorResult[Any],
        columns: tuple[str, ...],
        count: int,
        retold: Retold,
    ) -> None:
        self.columns = columns
        self._source = source
        self._query = query
        self._result = result
        self._count = count
        self._retold = retold
        self._rows = 0
        self._has_ended = False

    def __iter__(self) -> Iterator[Row]:
        """Every row, once; raises SourceUnavailableError where the database breaks off."""
        while chunk := self._fetch():
            self._rows += len(chunk)
            for row in chunk:
                yield dict(zip(self.columns, row, strict=True))
        self._has_ended = True

    def _fetch(self) -> Any:
        with self._retold.reading(self._query):
            return self._result.fetchmany(CHUNK)

    @property
    def proof(self) -> ReadingProof:
        """Complete where the cursor came to its end and the same transaction counts as many rows."""
        problem = None
        if not self._has_ended:
            problem = say("it was not read to its end")
        elif self._rows != self._count:
            problem = say(
                "it gave {rows} rows, and {count} when it was counted in the same transaction",
                rows=self._rows,
                count=self._count,
            )
        return ReadingProof(
            source=self._source,
            query=self._query,
            rows=self._rows,
            is_complete=problem is None,
            problem=problem,
        )
