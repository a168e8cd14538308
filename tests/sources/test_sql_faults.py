"""Databases that break off in the middle: which error it is, and that no part is taken for the whole."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from tests.servers.cutting import cutting
from tests.servers.mariadb import MariaDbServer
from tests.servers.postgres import find_programs, run_postgres
from tests.servers.presence import require
from wxsync.config.settings import SqlSourceSettings
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources.base import Row
from wxsync.sources.sql import SqlRows, SqlSession, SqlSource

PEOPLE = 5000
NOTE = 5000
"""Bytes of each row."""
SERIES = {
    "postgresql": f"generate_series(1, {PEOPLE}) AS n",
    "mariadb": f"(SELECT seq AS n FROM seq_1_to_{PEOPLE}) AS numbers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database with 5,000 people in it, on PostgreSQL or MariaDB."""

    url: URL

    @property
    def kind(self) -> str:
        return self.url.get_backend_name()

    def run(self, *statements: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def source(self, port: int | None = None, **fields: object) -> SqlSource:
        url = self.url if port is None else self.url.set(port=port)
        settings = {
            "type": "sql",
            "url": url.render_as_string(hide_password=False),
            # More than the buffers of a line hold.
            "members": f"SELECT emp_no, full_name, repeat('x', {NOTE}) AS note FROM members",
            "receive_timeout": 20,
        }
        return SqlSource("hr", SqlSourceSettings.model_validate(settings | fields))


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What a lost line leaves behind is let go without a traceback on somebody's terminal."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call")] == []


@pytest.fixture(params=["postgres_url", "mariadb_url"])
def database(request: pytest.FixtureRequest) -> Database:
    return filled(request.getfixturevalue(request.param))


def read(session: SqlSession) -> int:
    """All rows of the members query, which is then proven to be whole."""
    stream = session.read("members")
    rows = sum(1 for _ in stream)
    assert stream.proof.is_complete
    return rows


@contextmanager
def broken_at(database: Database, part: float, act: Callable[[], None]) -> Iterator[SqlSession]:
    """A session at which something happens when that part of all rows has come."""
    with cutting(database.url.port or 0) as line:
        line.acts_at, line.act = int(PEOPLE * NOTE * part), act
        with database.source(line.port, receive_timeout=2).open() as session:
            yield session


def end_others(database: Database) -> None:
    """As an administrator does, or a server that is shut down."""
    if database.kind == "postgresql":
        database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return
    engine = create_engine(database.url)
    with engine.connect() as connection:
        mine = "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()"
        for number in connection.execute(text(mine)).scalars().all():
            connection.execute(text(f"KILL {number}"))
    engine.dispose()


@pytest.mark.parametrize("after", [1, 999, 1000, 1001, 2500, 4000])
def test_a_connection_that_is_ended_after_some_rows(postgres_url: str, after: int) -> None:
    """Rows that had come already may be given; then it is an error, and never the end."""
    database = filled(postgres_url)
    with database.source().open() as session:
        stream = session.read("members")
        rows = iter(stream)
        for _ in range(after):
            next(rows)
        end_others(database)
        with pytest.raises(SourceUnavailableError, match="the members query broke off"):
            list(rows)
        assert not stream.proof.is_complete


def test_a_line_that_is_cut_at_any_byte(database: Database) -> None:
    """From the greeting to the last row: at thirty places it is an error that names the source."""
    with cutting(database.url.port or 0) as whole:
        with database.source(whole.port).open() as session:
            assert read(session) == PEOPLE
        needed = whole.said
    seen: list[str] = []
    for part in range(30):
        with cutting(database.url.port or 0) as line:
            line.ends_at = needed * part // 31
            with (
                pytest.raises(SourceUnavailableError) as caught,
                database.source(line.port).open() as session,
            ):
                read(session)
        seen.append(caught.value.message.split(":")[1])
    assert set(seen) == {" cannot connect", " the members query broke off"}
    assert len([each for each in seen if "broke off" in each]) > 20


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5])
def test_a_connection_that_is_ended_among_its_rows(mariadb_url: str, part: float) -> None:
    """The rows of a MariaDB come all at once: it is ended while they come."""
    database = filled(mariadb_url)
    with (
        broken_at(database, part, lambda: end_others(database)) as session,
        pytest.raises(SourceUnavailableError, match="the members query broke off: Lost connection"),
    ):
        session.read("members")


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_server_that_says_nothing_more(database: Database, part: float) -> None:
    """Its line stays open, as behind a firewall that forgot it: after receive_timeout that is an error."""
    with cutting(database.url.port or 0) as whole:
        with database.source(whole.port).open() as session:
            read(session)
        needed = whole.said
    with cutting(database.url.port or 0) as line:
        line.stops_at = int(needed * part)
        source = database.source(line.port, receive_timeout=1)
        with (
            pytest.raises(SourceUnavailableError, match="the members query broke off") as caught,
            source.open() as session,
        ):
            read(session)
    assert "timed out" in caught.value.message or "said nothing for 1 seconds" in caught.value.message


def test_a_query_that_runs_out_of_its_time(database: Database) -> None:
    """The server's own bound on a statement: what came before it is not taken for all."""
    slow = {
        "postgresql": "SELECT *, pg_sleep(0.001) FROM members",
        "mariadb": "SELECT *, sleep(0.001) AS slept FROM members",
    }
    name = database.url.database
    bound = {
        "postgresql": f"ALTER DATABASE {name} SET statement_timeout = '300ms'",
        "mariadb": "SET GLOBAL max_statement_time = 0.3",
    }
    database.run(bound[database.kind])
    try:
        with (
            database.source(members=slow[database.kind]).open() as session,
            pytest.raises(SourceUnavailableError, match="the members query broke off"),
        ):
            read(session)
    finally:
        if database.kind == "mariadb":
            database.run("SET GLOBAL max_statement_time = 0")


def test_a_table_that_somebody_else_keeps_locked(database: Database) -> None:
    """For longer than wxsync waits: it may be there the next time."""
    engine = create_engine(database.url)
    locking = {
        "postgresql": "LOCK TABLE members IN ACCESS EXCLUSIVE MODE",
        "mariadb": "LOCK TABLES members WRITE",
    }
    with engine.connect() as other, database.source(receive_timeout=1).open() as session:
        other.execute(text(locking[database.kind]))
        with pytest.raises(SourceUnavailableError, match="the members query broke off"):
            read(session)
    engine.dispose()


def test_a_table_that_is_altered_meanwhile(database: Database) -> None:
    """What the transaction saw is no more: an error, and no rows of another shape."""
    with database.source(departments="SELECT 1 AS code").open() as session:
        list(session.read("departments"))
        database.run("DROP TABLE members")
        with pytest.raises(SourceError, match=r"the members query (broke off|failed)"):
            read(session)


def filled(url: str) -> Database:
    database = Database(url=make_url(url))
    database.run(
        "CREATE TABLE members (emp_no int, full_name varchar(64))",
        f"INSERT INTO members SELECT n, concat('人员', n) FROM {SERIES[database.kind]}",
    )
    return database


@contextmanager
def half_read(source: SqlSource) -> Iterator[tuple[SqlRows, Iterator[Row]]]:
    """The members, of whom the first thousand have come."""
    with source.open() as session:
        stream = session.read("members")
        rows = iter(stream)
        for _ in range(1000):
            next(rows)
        yield stream, rows


def test_a_postgresql_that_goes_down_in_mid_read() -> None:
    """At once, as where it is killed: an error, and the next attempt says that it cannot connect."""
    programs = find_programs()
    require(package="postgresql", present=programs is not None)
    assert programs is not None
    with run_postgres(programs) as server:
        source = filled(server.url()).source()
        with half_read(source) as (stream, rows):
            server.process.send_signal(signal.SIGQUIT)
            server.process.wait()
            with pytest.raises(SourceUnavailableError, match="the members query broke off"):
                list(rows)
            assert not stream.proof.is_complete
        with pytest.raises(SourceUnavailableError, match="cannot connect"), source.open():
            pass


def test_a_mariadb_that_is_killed_in_mid_read(own_mariadb: MariaDbServer) -> None:
    """As by a power cut: an error, and the next attempt says that it cannot connect."""
    database = filled(own_mariadb.url(own_mariadb.create_database()))
    with (
        broken_at(database, 0.3, own_mariadb.kill) as session,
        pytest.raises(SourceUnavailableError, match="the members query broke off: Lost connection"),
    ):
        session.read("members")
    with pytest.raises(SourceUnavailableError, match="cannot connect"), database.source().open():
        pass


def test_a_postgresql_that_is_stopped_in_mid_read(postgres_url: str) -> None:
    """Its machine goes on to answer for the line, and libpq would wait for ever."""
    database = filled(postgres_url)
    with half_read(database.source(receive_timeout=1)) as (stream, rows):
        engine = create_engine(database.url)
        with engine.connect() as other:
            finding = "SELECT pid FROM pg_stat_activity WHERE application_name = 'wxsync' AND datname = :name"
            backend = other.execute(text(finding), {"name": database.url.database}).scalar_one()
        engine.dispose()
        os.kill(backend, signal.SIGSTOP)
        try:
            with pytest.raises(SourceUnavailableError, match="the server said nothing for 1 seconds"):
                list(rows)
        finally:
            os.kill(backend, signal.SIGCONT)
        assert not stream.proof.is_complete


def test_a_mariadb_that_is_stopped_in_mid_read(own_mariadb: MariaDbServer) -> None:
    """The driver's own time runs out."""
    database = filled(own_mariadb.url(own_mariadb.create_database()))
    process = own_mariadb.process
    try:
        with (
            broken_at(database, 0.3, lambda: process.send_signal(signal.SIGSTOP)) as session,
            pytest.raises(SourceUnavailableError, match=r"the members query broke off.*timed out"),
        ):
            session.read("members")
    finally:
        process.send_signal(signal.SIGCONT)
