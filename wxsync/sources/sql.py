"""A database as a source: one connection, one read-only transaction, every query counted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from sqlalchemy import Connection, CursorResult, Result, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from wxsync.config.expressions import Expression
from wxsync.config.settings import SqlSourceSettings
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.model.desired import ReadingProof
from wxsync.sources.base import MEMBERS, Row
from wxsync.sources.proof import Evidence, prove
from wxsync.sources.sql_dialects import (
    ALONE,
    AT_ONCE,
    CONNECT_SECONDS,
    arguments_of,
    begin,
    counting,
)
from wxsync.sources.sql_errors import Retold
from wxsync.sources.sql_finding import MOST_FOUND, finding, keys_of_values
from wxsync.sources.sql_silence import bounded

CHUNK: Final = 1000
"""Rows that are fetched at a time."""
Asking: TypeAlias = Callable[[str], AbstractContextManager[None]]
"""In whose block a query may be spoken of with the database."""


@dataclass(frozen=True, slots=True)
class SqlSource:
    """A database that SQLAlchemy reaches; SQLite, PostgreSQL and MariaDB are known to work."""

    name: str
    settings: SqlSourceSettings

    @property
    def canaries(self) -> tuple[str, ...]:
        return self.settings.canaries

    @contextmanager
    def open(self) -> Iterator[SqlSession]:
        """One moment of the database, for the length of a `with`; nothing is ever written to it.

        Raises SourceUnavailableError where it cannot be reached.
        """
        password = self.settings.password
        retold = Retold(source=self.name, password=None if password is None else password.get_secret_value())
        silence = self.settings.receive_timeout
        with retold.connecting():
            url = self.settings.full_url
            dialect = url.get_backend_name()
            url, arguments = (
                _sqlite(self.name, url) if dialect == "sqlite" else (url, arguments_of(url, silence))
            )
            engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
        try:
            with retold.connecting():
                connection = engine.connect()
            with ExitStack() as cleaning:
                cleaning.callback(_close, connection, silence)
                with retold.connecting(), bounded(connection, silence):
                    _teach(connection)
                    connection = begin(connection)
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

    def read(self, query: str, names: frozenset[str] = frozenset()) -> SqlRows:
        """Count the query's rows, then start it; raises SourceError where the database refuses."""
        statement = self._statement(query)
        with self._asking(query):
            # Counting first also refuses whatever is not one single SELECT before any of it is run.
            count = self._run(counting(statement, self._connection.dialect)).scalar_one()
            result = self._start(statement)
        columns = tuple(result.keys())
        doubled = sorted({column for column in columns if columns.count(column) > 1})
        if doubled:
            raise SourceError(
                self._source,
                f"the {query} query gives the column {doubled[0]} twice",
                hint=f"name every column of source.{self._source}.{query} apart, with AS",
            )
        return SqlRows(self._source, query, result, columns, int(count), self._asking)

    def find(self, key: Expression, keys: Collection[str]) -> frozenset[str] | None:
        """Those of `keys` that the members query has; None where `key` is more than a column, or too many.

        The database itself looks for them, by bound values. Raises SourceError where it does not.
        """
        if not key.is_bare or len(keys) > MOST_FOUND:
            return None
        (name,) = key.names
        asking = finding(self._statement(MEMBERS), name, keys, self._connection.dialect)
        with self._asking(MEMBERS):
            # A collation may know fewer differences than keys do.
            return keys_of_values(self._connection.execute(asking).scalars()).intersection(keys)

    @contextmanager
    def _asking(self, query: str) -> Iterator[None]:
        """The database answers in time, or what it did not say is told as one of our errors."""
        with self._retold.reading(query), bounded(self._connection, self._settings.receive_timeout):
            yield

    def _start(self, statement: str) -> Result[Any]:
        dialect = self._connection.dialect.name
        streaming = {} if dialect in AT_ONCE else {"stream_results": True, "yield_per": CHUNK}
        result = self._run(statement, **streaming)
        self._cleaning.callback(_close, result, self._settings.receive_timeout)
        return result.freeze()() if dialect in ALONE else result

    def _statement(self, query: str) -> str:
        return str(getattr(self._settings, query)).rstrip("; \t\r\n")

    def _run(self, statement: str, **options: object) -> CursorResult[Any]:
        # Straight to the driver and without parameters: a colon or a percent sign is the query's own.
        options["no_parameters"] = True
        return self._connection.exec_driver_sql(statement, execution_options=options)


def _teach(connection: Connection) -> None:
    """PostgreSQL's days and times; its driver is slow to load, and only then is it wanted."""
    if connection.dialect.name == "postgresql":
        import_module("wxsync.sources.sql_moments").read_moments(connection)


def _close(open_: CursorResult[Any] | Connection, silence: float) -> None:
    """What a lost connection holds cannot be closed, and need not be."""
    connection = open_ if isinstance(open_, Connection) else open_.connection
    with suppress(SQLAlchemyError, OSError), bounded(connection, silence):
        open_.close()


class SqlRows:
    """The rows of one query, fetched as they are asked for."""

    vocabulary: Final = None

    def __init__(
        self,
        source: str,
        query: str,
        result: Result[Any],
        columns: tuple[str, ...],
        count: int,
        asking: Asking,
    ) -> None:
        self.columns = columns
        self._source = source
        self._query = query
        self._result = result
        self._count = count
        self._asking = asking
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
        with self._asking(self._query):
            return self._result.fetchmany(CHUNK)

    @property
    def proof(self) -> ReadingProof:
        """Complete where the cursor came to its end and the same transaction counts as many rows."""
        evidence = Evidence(rows=self._rows, has_ended=self._has_ended, counted=self._count)
        return prove(self._source, self._query, evidence)
