"""A real PostgreSQL as a source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError

from tests.servers.postgres import PostgresServer
from tests.sources.rows import NOW, sync_settings
from wxsync.config.expressions import Expression
from wxsync.config.settings import SqlSourceSettings
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources.reader import read_desired
from wxsync.sources.sql import SqlSource
from wxsync.sources.sql_errors import Retold
from wxsync.sources.sql_moments import UNREADABLE

TABLES = """
    CREATE TABLE departments (code text, parent text, name text);
    INSERT INTO departments VALUES ('D1', NULL, '研发'), ('D2', 'D1', '平台');
    CREATE TABLE members (emp_no numeric, login text, full_name text, dept text, "on" boolean, until date);
    INSERT INTO members SELECT n, 'u' || n, '人员' || n, 'D2', n % 10 <> 0, DATE '2026-12-31'
        FROM generate_series(1, 3000) n;
"""


def source(url: str, **fields: str) -> SqlSource:
    settings = {
        "type": "sql",
        "url": url,
        "departments": "SELECT * FROM departments",
        "members": "SELECT * FROM members ORDER BY emp_no",
    }
    return SqlSource("hr", SqlSourceSettings.model_validate(settings | fields))


@contextmanager
def admin(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        yield connection


@pytest.fixture
def hr_url(postgres_url: str) -> str:
    with admin(postgres_url) as connection:
        connection.execute(TABLES)
    return postgres_url


def test_rows_have_the_drivers_types(hr_url: str) -> None:
    """And the count proves that they are all."""
    with source(hr_url).open() as session:
        stream = session.read("members")
        rows = list(stream)
    assert rows[0] == {
        "emp_no": Decimal(1),
        "login": "u1",
        "full_name": "人员1",
        "dept": "D2",
        "on": True,
        "until": date(2026, 12, 31),
    }
    assert len(rows) == stream.proof.rows == 3000
    assert stream.proof.is_complete


def test_a_desired_directory_comes_out(hr_url: str) -> None:
    """Numeric keys, booleans and dates are what the mapping takes them for."""
    sync = sync_settings(active='col("on")', ends="until")
    desired = read_desired([source(hr_url)], sync, NOW, sync_name="acme")
    assert len(desired.members) == 2700
    assert len(desired.leavers) == 300
    assert desired.members["1"].departments == ("D2",)
    assert desired.rejected == ()
    assert desired.is_complete


def test_all_queries_see_one_moment(hr_url: str) -> None:
    """What others commit meanwhile is not seen, and open cursors do not disturb each other."""
    with (
        source(hr_url, memberships="SELECT emp_no, dept FROM members").open() as session,
        admin(hr_url) as other,
    ):
        members = session.read("members")
        other.execute("DELETE FROM members WHERE emp_no > 10")
        memberships = session.read("memberships")
        assert len(list(memberships)) == len(list(members)) == 3000
        assert members.proof.is_complete
        assert memberships.proof.is_complete


def test_rows_are_streamed(hr_url: str) -> None:
    """A server-side cursor holds what was not asked for yet."""
    with source(hr_url).open() as session:
        rows = iter(session.read("members"))
        next(rows)
        cursors = session._connection.exec_driver_sql("SELECT count(*) FROM pg_cursors").scalar_one()
        assert cursors == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT *, now()::text AS t, to_char(now(), 'HH24:MI:SS') AS u FROM members;",
        "SELECT * FROM members WHERE full_name LIKE '人员%' -- 100%s",
    ],
)
def test_queries_run_as_they_stand(hr_url: str, query: str) -> None:
    """Colons and percent signs are the query's own."""
    with source(hr_url, members=query).open() as session:
        assert len(list(session.read("members"))) == 3000


def test_a_query_that_writes_is_refused(hr_url: str) -> None:
    """By the read-only transaction, however it is dressed up."""
    with admin(hr_url) as connection:
        connection.execute(
            "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'DELETE FROM members; SELECT 1'"
        )
    with (
        source(hr_url, members="SELECT sneak() AS emp_no").open() as session,
        pytest.raises(SourceError) as caught,
    ):
        session.read("members")
    assert "read-only transaction" in caught.value.message
    assert str(caught.value.hint).startswith("source.hr.members must be one SELECT that only reads")
    for query in ("DELETE FROM members RETURNING emp_no", "SELECT 1; COMMIT; DELETE FROM members"):
        with source(hr_url, members=query).open() as session, pytest.raises(SourceError):
            session.read("members")
    with admin(hr_url) as connection:
        assert connection.execute("SELECT count(*) FROM members").fetchone() == (3000,)


def test_a_wrong_query_is_named_in_the_servers_words(hr_url: str) -> None:
    """With what to correct."""
    with (
        source(hr_url, members="SELECT emp FROM members").open() as session,
        pytest.raises(SourceError) as caught,
    ):
        session.read("members")
    assert caught.value.message == 'source hr: the members query failed: column "emp" does not exist'
    assert "source.hr.members" in str(caught.value.hint)
    assert not isinstance(caught.value, SourceUnavailableError)


def test_an_error_shows_no_value_of_a_row(hr_url: str) -> None:
    """PostgreSQL quotes what it cannot convert."""
    query = "SELECT *, full_name::int AS x FROM members"
    with source(hr_url, members=query).open() as session, pytest.raises(SourceError) as caught:
        list(session.read("members"))
    assert "invalid input syntax for type integer: …" in caught.value.message
    assert "人员" not in caught.value.message


MOMENTS = (
    "SELECT n::text AS emp_no, 'u' || n AS login, '人员' || n AS full_name, 'D2' AS dept, {ends} AS until"
    " FROM generate_series(1, 3) n"
)


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_an_end_that_never_comes(hr_url: str, kind: str) -> None:
    """Infinity is the last day that there is; it ends no query."""
    query = MOMENTS.format(ends=f"CASE n WHEN 2 THEN 'infinity'::{kind} ELSE '2026-03-01' END")
    sync = sync_settings(key="emp_no", userid="login", ends="until", departments="dept")
    desired = read_desired([source(hr_url, members=query)], sync, NOW, sync_name="acme")
    assert (set(desired.members), set(desired.leavers)) == ({"2"}, {"1", "3"})
    assert desired.is_complete


@pytest.mark.parametrize(
    "value",
    [
        "'-infinity'::date",
        "'20000-01-01'::date",
        "'0044-03-15 BC'::date",
        "'-infinity'::timestamp",
        "'20000-01-01'::timestamptz",
        "'24:00'::time",
        "'24:00+08'::timetz",
        "'3000000 years'::interval",
    ],
)
@pytest.mark.parametrize(
    "mapping", [{"ends": "until"}, {"ends": "until | date"}, {"position": "'' ~ (until or '')"}]
)
def test_a_moment_that_is_in_no_calendar_rejects_its_row(
    hr_url: str, value: str, mapping: dict[str, Any]
) -> None:
    """That one alone: the person is kept as they are, and no error shows the value."""
    kind = value.partition("::")[2]
    query = MOMENTS.format(ends=f"CASE n WHEN 2 THEN {value} ELSE NULL::{kind} END")
    sync = sync_settings(key="emp_no", userid="login", departments="dept", **mapping)
    desired = read_desired([source(hr_url, members=query)], sync, NOW, sync_name="acme")
    assert set(desired.members) == {"1", "3"}
    assert desired.rejected_members == {"2"}
    assert desired.is_complete
    assert repr(UNREADABLE) == "<unreadable>"


def test_other_moments_are_as_the_driver_reads_them(hr_url: str) -> None:
    """With and without a zone."""
    query = (
        "SELECT DATE '2026-03-01' AS day, TIMESTAMP '2026-03-01 08:30' AS at, TIME '08:30' AS clock,"
        " TIMESTAMPTZ '2026-03-01 08:30+00' AS instant, TIMETZ '08:30+00' AS zoned,"
        " INTERVAL '36 hours' AS span"
    )
    with source(hr_url, members=query).open() as session:
        (row,) = session.read("members")
    at = datetime.combine(date(2026, 3, 1), time(8, 30))
    assert dict(row) == {
        "day": at.date(),
        "at": at,
        "clock": at.time(),
        "instant": at.replace(tzinfo=UTC),
        "zoned": at.time().replace(tzinfo=UTC),
        "span": timedelta(hours=36),
    }


def test_what_the_driver_cannot_read_is_not_shown() -> None:
    """Its own words quote the value, and there is no code of the server's."""
    error = DataError("SELECT", None, psycopg.DataError("can't parse thing '13800001234'"))
    with pytest.raises(SourceError) as caught, Retold(source="hr", password=None).reading("members"):
        raise error
    assert (
        caught.value.message == "source hr: the members query failed: its driver cannot read a value of a row"
    )


def test_a_connection_that_is_lost_makes_the_source_unavailable(hr_url: str) -> None:
    """Whatever came before is not taken for all."""
    with source(hr_url).open() as session, admin(hr_url) as other:
        stream = session.read("members")
        rows = iter(stream)
        next(rows)
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'wxsync'"
        )
        with pytest.raises(SourceUnavailableError, match="the members query broke off"):
            list(rows)
        assert not stream.proof.is_complete


def test_a_server_that_is_not_there_is_unavailable(hr_url: str) -> None:
    """Nothing listens on port 1."""
    url = make_url(hr_url).set(port=1).render_as_string(hide_password=False)
    with pytest.raises(SourceUnavailableError) as caught, source(url).open():
        pass
    assert caught.value.message.startswith("source hr: cannot connect: ")
    assert "source.hr.url" in str(caught.value.hint)


def test_a_wrong_password_is_not_shown(hr_url: str) -> None:
    """The user and the server's words are."""
    url = make_url(hr_url)._replace(password=None).render_as_string()
    with pytest.raises(SourceUnavailableError) as caught, source(url, password="geheim-8231").open():
        pass
    assert "password authentication failed" in caught.value.message
    assert "geheim-8231" not in caught.value.message + str(caught.value.hint)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_password_may_stand_beside_the_url(hr_url: str, postgres_server: PostgresServer) -> None:
    """As the contract says."""
    url = make_url(hr_url)._replace(password=None).render_as_string()
    with source(url, password=postgres_server.password).open() as session:
        assert len(list(session.read("departments"))) == 2


@pytest.mark.parametrize(
    "query", ["SELECT * FROM members", "SELECT * FROM members WHERE login NOT LIKE '%:x%'"]
)
def test_the_server_looks_for_single_people(hr_url: str, query: str) -> None:
    """By a number as by a text, and by bound values: what is in them is theirs."""
    hostile = "u1' OR '1' = '1"
    with source(hr_url, members=query).open() as session:
        assert session.find(Expression("emp_no"), {"7", "3000", "3001", "x"}) == frozenset({"7", "3000"})
        assert session.find(Expression("login"), {"u7", "U8", hostile, "100%"}) == frozenset({"u7"})
        assert session.find(Expression("login | upper"), {"U7"}) is None
