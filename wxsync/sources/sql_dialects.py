"""What each database wants to be told, and the statements that wxsync itself makes for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, Dialect, func, select, table
from sqlalchemy.engine import URL

from wxsync.sources import sql_mysql

CONNECT_SECONDS: Final = 10
QUERY: Final = "wxsync_query"
"""Stands for a configured query in a statement around it."""

ARGUMENTS: Final[Mapping[str, Mapping[str, object]]] = MappingProxyType(
    {
        "postgresql": {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "wxsync",
            # A server that vanished without a word is noticed within a minute, not never.
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
        },
        "mysql": sql_mysql.ARGUMENTS,
        "mariadb": sql_mysql.ARGUMENTS,
        "mssql": {"login_timeout": CONNECT_SECONDS, "charset": "UTF-8"},
        "oracle": {"tcp_connect_timeout": float(CONNECT_SECONDS), "expire_time": 1},
    }
)
"""Dialect -> what its driver is told."""

SILENCES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"mysql": sql_mysql.SILENCES, "mariadb": sql_mysql.SILENCES, "mssql": ("timeout",)}
)
"""What the driver calls the seconds for which the server may say nothing."""

AT_ONCE: Final = frozenset({"mysql", "mariadb", "mssql"})
"""Their rows come all at once. PyMySQL, asked to stream them, ends without a word where another query of
the same connection begins, and cannot close what a lost connection left behind."""
ALONE: Final = frozenset({"mssql"})
"""One query of a connection at a time, so its rows are taken off it before the next one begins."""

ISOLATION: Final[Mapping[str, str]] = MappingProxyType(
    {
        "postgresql": "REPEATABLE READ",
        "mysql": "REPEATABLE READ",
        "mariadb": "REPEATABLE READ",
        "mssql": "SNAPSHOT",
    }
)

BEGINNINGS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        # Python's driver begins no transaction for a SELECT; the lock is taken by the first read.
        "sqlite": ("BEGIN", "SELECT count(*) FROM sqlite_master"),
        # A table that somebody else keeps locked is an error after a minute, and no run that never ends.
        "postgresql": (
            "SELECT set_config('lock_timeout', '60s', true) WHERE current_setting('lock_timeout') = '0'",
        ),
        "mysql": (
            "SET SESSION lock_wait_timeout = 60",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ),
        "mariadb": (
            "SET SESSION lock_wait_timeout = 60",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ),
        "mssql": ("SET LOCK_TIMEOUT 60000",),
        "oracle": ("SET TRANSACTION READ ONLY",),
    }
)
"""What begins the one transaction in which everything is read."""


def arguments_of(url: URL, silence: int) -> dict[str, object]:
    """What the driver is told about the connection, but for what the URL itself says.

    For `silence` seconds the server may say nothing. psycopg knows no such bound: see `sql_silence`.
    """
    dialect = url.get_backend_name()
    bounds = dict.fromkeys(SILENCES.get(dialect, ()), silence)
    defaults = {**ARGUMENTS.get(dialect, {}), **bounds}
    return {name: value for name, value in defaults.items() if name not in url.query}


def begin(connection: Connection) -> Connection:
    """A transaction that only reads, and in which all queries see one moment where the database can do that.

    That is a snapshot; on SQLite a shared lock, or in WAL mode a snapshot too.
    """
    dialect = connection.dialect.name
    if dialect in ISOLATION:
        connection = connection.execution_options(
            isolation_level=ISOLATION[dialect], postgresql_readonly=dialect == "postgresql"
        )
    for statement in BEGINNINGS.get(dialect, ()):
        connection.exec_driver_sql(statement)
    return connection


def counting(query: str, dialect: Dialect) -> str:
    """The statement that counts the rows of a query, in the words of the dialect."""
    frame = select(func.count()).select_from(table(QUERY).alias("counted"))
    # The line breaks keep a comment at the end of the query from swallowing the parenthesis.
    return str(frame.compile(dialect=dialect)).replace(QUERY, f"(\n{query}\n)", 1)
