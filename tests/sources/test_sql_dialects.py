"""The statements that wxsync makes by itself, as each database gets them; no server is asked here."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.dialects import mssql, oracle, postgresql, sqlite
from sqlalchemy.dialects.mysql import mariadb, pymysql
from sqlalchemy.engine import Dialect, make_url

from wxsync.config.database import SOURCE_DIALECTS, check_database_url
from wxsync.config.settings import SqlSourceSettings
from wxsync.errors import SourceError
from wxsync.sources.sql import SqlSource
from wxsync.sources.sql_dialects import BEGINNINGS, ISOLATION, arguments_of, counting
from wxsync.sources.sql_finding import finding

DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(),
    "mysql": pymysql.MySQLDialect_pymysql(),
    "mariadb": mariadb.MariaDBDialect(),
    "mssql": mssql.dialect(),
    "oracle": oracle.dialect(),
}
QUERY = "SELECT emp_no FROM people WHERE name LIKE '%:x%' -- all"


def test_every_dialect_of_a_source_is_known_here() -> None:
    """What the config takes has its beginning and its statements."""
    assert set(SOURCE_DIALECTS) == set(DIALECTS) == set(BEGINNINGS)


@pytest.mark.parametrize(
    ("name", "column", "key"),
    [
        ("sqlite", 'found."emp_no"', "VARCHAR(255)"),
        ("postgresql", 'found."emp_no"', "VARCHAR(255)"),
        ("mysql", "found.`emp_no`", "CHAR(255)"),
        ("mariadb", "found.`emp_no`", "CHAR(255)"),
        ("mssql", "found.[emp_no]", "NVARCHAR(255)"),
        ("oracle", 'found."emp_no"', "VARCHAR2(255 CHAR)"),
    ],
)
def test_single_people_are_looked_for_as_each_database_wants_it(name: str, column: str, key: str) -> None:
    """The query as it stands, its key as a text that holds Chinese, and values that are bound."""
    dialect = DIALECTS[name]
    asked = finding(QUERY, "emp_no", {"张三", "E1"}, dialect)
    compiled = asked.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    query = QUERY.replace("%", "%%") if name in ("postgresql", "mysql", "mariadb") else QUERY
    statement, _, values = str(compiled).partition(" IN (")
    assert statement == (f"SELECT {column} \nFROM (\n{query}\n) found \nWHERE trim(CAST({column} AS {key}))")
    assert values.count(",") == 1
    assert set(compiled.params.values()) == {"张三", "E1"}


NO_CONNECTION: Any = None
"""The names are the dialect's own: it asks no server for them."""


@pytest.mark.parametrize("name", DIALECTS)
def test_a_query_is_counted_as_it_stands(name: str) -> None:
    """Percent signs and colons too; a comment at its end hides nothing. Oracle wants no AS before a name."""
    alias = "counted" if name == "oracle" else "AS counted"
    assert counting(QUERY, DIALECTS[name]) == (f"SELECT count(*) AS count_1 \nFROM (\n{QUERY}\n) {alias}")


@pytest.mark.parametrize("name", ISOLATION)
def test_the_isolation_that_is_asked_for_is_known_to_the_dialect(name: str) -> None:
    """A snapshot, by the name that each has for it."""
    known = {
        "postgresql": ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"),
        "mssql": tuple(mssql.pymssql.MSDialect_pymssql().get_isolation_level_values(NO_CONNECTION)),
    }
    server = DIALECTS[name]
    assert ISOLATION[name] in known.get(name, tuple(server.get_isolation_level_values(NO_CONNECTION)))


def test_a_url_wins_over_what_the_driver_would_be_told() -> None:
    """A slow query may have its time."""
    told = arguments_of(make_url("mariadb+pymysql://u@h/d?read_timeout=900"), 60)
    assert "read_timeout" not in told
    assert told["write_timeout"] == 60
    assert told["connect_timeout"] == 10
    assert told["charset"] == "utf8mb4"
    assert arguments_of(make_url("mssql+pymssql://u@h/d"), 60)["timeout"] == 60
    assert arguments_of(make_url("sqlite:///x"), 60) == {}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("mariadb://u@h/d", "mariadb+pymysql://u@h/d"),
        ("mysql://u@h/d", "mysql+pymysql://u@h/d"),
        ("mssql://u@h/d", "mssql+pymssql://u@h/d"),
        ("oracle://u@h/?service_name=hr", "oracle+oracledb://u@h/?service_name=hr"),
    ],
)
def test_a_url_names_its_driver(text: str, url: str) -> None:
    """The one that wxsync brings, or that its extra brings."""
    assert check_database_url(text, dialects=SOURCE_DIALECTS, around=None) == url


@pytest.mark.parametrize(
    "text", ["mysql+mysqldb://u@h/d", "mssql+pyodbc://u@h/d", "oracle+cx_oracle://u@h/d"]
)
def test_another_driver_is_refused(text: str) -> None:
    """What was not tried is not promised."""
    with pytest.raises(ValueError, match="is not supported: write"):
        check_database_url(text, dialects=SOURCE_DIALECTS, around=None)


@pytest.mark.parametrize(
    ("url", "extra"), [("mssql://u@h/d", "wxsync[mssql]"), ("oracle://u@h", "wxsync[oracle]")]
)
def test_a_driver_that_is_not_installed_is_named(url: str, extra: str) -> None:
    """With the extra that brings it."""
    settings = {"type": "sql", "url": url, "members": "SELECT 1"}
    source = SqlSource("hr", SqlSourceSettings.model_validate(settings))
    with pytest.raises(SourceError) as caught, source.open():
        pass
    assert extra in str(caught.value.hint)
