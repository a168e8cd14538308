"""A MariaDB as a source."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy.engine import make_url

from tests.servers.mariadb import MariaDbServer
from tests.sources.rows import NOW, sync_settings
from wxsync.config.expressions import Expression
from wxsync.config.settings import SqlSourceSettings
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources.reader import read_desired
from wxsync.sources.sql import SqlSource

TABLES = (
    "CREATE TABLE departments (code varchar(20), parent varchar(20), name varchar(64))",
    "INSERT INTO departments VALUES ('D1', NULL, '研发'), ('D2', 'D1', '平台𠮷')",
    """CREATE TABLE members (emp_no decimal(10), login varchar(64), full_name varchar(64), dept varchar(20),
        is_on bit(1), flag tinyint(1), until date, shift time)""",
    """INSERT INTO members SELECT seq, concat('u', seq), concat('人员', seq), 'D2', seq % 10 <> 0, seq % 2,
        '2026-12-31', '08:30:00' FROM seq_1_to_3000""",
)


def source(url: str, **fields: str) -> SqlSource:
    settings = {
        "type": "sql",
        "url": url,
        "departments": "SELECT * FROM departments",
        "members": "SELECT * FROM members ORDER BY emp_no",
    }
    return SqlSource("hr", SqlSourceSettings.model_validate(settings | fields))


@pytest.fixture
def hr_url(mariadb_server: MariaDbServer, mariadb_url: str) -> str:
    mariadb_server.run(*TABLES, database=make_url(mariadb_url).database)
    return mariadb_url


def admin(server: MariaDbServer, url: str, *statements: str) -> tuple[tuple[object, ...], ...]:
    return server.run(*statements, database=make_url(url).database)


@pytest.mark.parametrize("scheme", ["mariadb", "mysql", "mariadb+pymysql"])
def test_rows_have_the_types_of_other_databases(hr_url: str, scheme: str) -> None:
    """A BIT is a number; and the count proves that they are all."""
    url = make_url(hr_url).set(drivername=scheme).render_as_string(hide_password=False)
    with source(url).open() as session:
        stream = session.read("members")
        assert stream.columns == ("emp_no", "login", "full_name", "dept", "is_on", "flag", "until", "shift")
        rows = list(stream)
    assert rows[0] == {
        "emp_no": Decimal(1),
        "login": "u1",
        "full_name": "人员1",
        "dept": "D2",
        "is_on": 1,
        "flag": 1,
        "until": date(2026, 12, 31),
        "shift": "08:30:00",
    }
    assert len(rows) == stream.proof.rows == 3000
    assert stream.proof.is_complete


def test_a_desired_directory_comes_out(hr_url: str) -> None:
    """Numeric keys, bits, dates and characters of four bytes are what the mapping takes them for."""
    sync = sync_settings(active="is_on", ends="until")
    desired = read_desired([source(hr_url)], sync, NOW, sync_name="acme")
    assert len(desired.members) == 2700
    assert len(desired.leavers) == 300
    assert desired.members["1"].departments == ("D2",)
    assert desired.departments["D2"].name == "平台𠮷"
    assert desired.rejected == ()
    assert desired.is_complete


def test_a_zero_date_is_null(mariadb_server: MariaDbServer, hr_url: str) -> None:
    """It is what stands there where nobody knew a date; nobody has left on it."""
    admin(
        mariadb_server,
        hr_url,
        "ALTER TABLE members ADD COLUMN at datetime",
        "SET SESSION sql_mode = ''",
        "UPDATE members SET until = '0000-00-00', at = '0000-00-00 00:00:00' WHERE emp_no = 1",
    )
    connection_url = hr_url
    with source(connection_url).open() as session:
        rows = list(session.read("members"))
    assert (rows[0]["until"], rows[0]["at"]) == (None, None)
    desired = read_desired([source(connection_url)], sync_settings(ends="until"), NOW, sync_name="acme")
    assert "1" in desired.members


def test_a_date_that_is_none_is_told(mariadb_server: MariaDbServer, hr_url: str) -> None:
    """The row is rejected: nobody leaves by it, and the others go on."""
    admin(
        mariadb_server,
        hr_url,
        "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
        "UPDATE members SET until = '2026-02-31' WHERE emp_no = 7",
    )
    desired = read_desired([source(hr_url)], sync_settings(ends="until"), NOW, sync_name="acme")
    assert [(each.key, each.rule) for each in desired.rejected] == [("7", "date")]
    assert len(desired.members) == 2999


def test_keys_that_differ_in_case_are_two(mariadb_server: MariaDbServer, hr_url: str) -> None:
    """Although the server's collation calls them equal."""
    admin(
        mariadb_server,
        hr_url,
        "CREATE TABLE people (emp_no varchar(9), login varchar(9), full_name varchar(9), dept varchar(9))",
        "INSERT INTO people VALUES ('e1', 'a', '甲', 'd1'), ('E1', 'b', '乙', 'D1')",
    )
    assert admin(mariadb_server, hr_url, "SELECT count(distinct emp_no) FROM people") == ((1,),)
    members = source(hr_url, members="SELECT * FROM people")
    desired = read_desired([members], sync_settings(), NOW, sync_name="acme")
    assert set(desired.members) == {"E1"}
    assert [(each.key, each.rule) for each in desired.rejected] == [("e1", "unknown_department")]


def test_all_queries_see_one_moment(mariadb_server: MariaDbServer, hr_url: str) -> None:
    """What others commit meanwhile is not seen, and open queries do not disturb each other."""
    with source(hr_url, memberships="SELECT emp_no, dept FROM members").open() as session:
        admin(mariadb_server, hr_url, "DELETE FROM members WHERE emp_no > 10")
        members, memberships = session.read("members"), session.read("memberships")
        admin(mariadb_server, hr_url, "DELETE FROM members")
        assert len(list(memberships)) == len(list(members)) == 3000
        assert members.proof.is_complete
        assert memberships.proof.is_complete


@pytest.mark.parametrize(
    "query",
    [
        "SELECT *, '12:30' AS t FROM members;",
        "SELECT * FROM members WHERE full_name LIKE '人员%' -- 100%s",
        "SELECT * FROM members WHERE full_name LIKE '人员%' # 100%s",
        "WITH m AS (SELECT * FROM members) SELECT * FROM m ORDER BY emp_no",
    ],
)
def test_queries_run_as_they_stand(hr_url: str, query: str) -> None:
    """Colons and percent signs are the query's own."""
    with source(hr_url, members=query).open() as session:
        assert len(list(session.read("members"))) == 3000


def test_a_query_that_writes_is_refused(mariadb_server: MariaDbServer, hr_url: str) -> None:
    """By the read-only transaction, however it is dressed up."""
    admin(
        mariadb_server,
        hr_url,
        "CREATE FUNCTION sneak() RETURNS int BEGIN DELETE FROM members; RETURN 1; END",
    )
    with (
        source(hr_url, members="SELECT sneak() AS emp_no").open() as session,
        pytest.raises(SourceError) as caught,
    ):
        session.read("members")
    assert "READ ONLY transaction" in caught.value.message
    assert str(caught.value.hint).startswith("source.hr.members must be one SELECT that only reads")
    for query in ("DELETE FROM members RETURNING emp_no", "SELECT 1; COMMIT; DELETE FROM members"):
        with source(hr_url, members=query).open() as session, pytest.raises(SourceError):
            session.read("members")
    assert admin(mariadb_server, hr_url, "SELECT count(*) FROM members") == ((3000,),)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT emp FROM members", "Unknown column 'emp'"),
        ("SELEC 'geheim-7711' FROM members", "You have an error in your SQL syntax"),
        ("SELECT m.*, d.name AS login FROM members m JOIN departments d", "Duplicate column name 'login'"),
    ],
)
def test_a_wrong_query_is_named_in_the_servers_words(hr_url: str, query: str, told: str) -> None:
    """With what to correct, and without the statement."""
    with source(hr_url, members=query).open() as session, pytest.raises(SourceError) as caught:
        session.read("members")
    assert caught.value.message.startswith("source hr: the members query failed: ")
    assert told in caught.value.message
    assert "geheim" not in caught.value.message
    assert "source.hr.members" in str(caught.value.hint)
    assert not isinstance(caught.value, SourceUnavailableError)


def test_a_query_that_fails_while_it_is_read_is_named_too(hr_url: str) -> None:
    """The server does not look at every value in order to count."""
    query = "SELECT emp_no, (SELECT 1 UNION SELECT 2) AS twice FROM members"
    with (
        source(hr_url, members=query).open() as session,
        pytest.raises(SourceError, match="the members query failed: Subquery returns more than 1 row"),
    ):
        session.read("members")


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
    assert "Access denied for user 'root'" in caught.value.message
    assert "geheim-8231" not in caught.value.message + str(caught.value.hint)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


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


def test_nobody_is_waited_for_without_end(hr_url: str) -> None:
    """A table that somebody else keeps locked is an error after a minute: the server's own bound is a day."""
    with source(hr_url).open() as session:
        asked = session._connection.exec_driver_sql("SELECT @@lock_wait_timeout, @@tx_isolation")
        assert tuple(asked.one()) == (60, "REPEATABLE-READ")
