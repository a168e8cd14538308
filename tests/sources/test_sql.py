"""SQLite files as sources."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.sources.rows import write_tables
from wxsync.config.settings import SqlSourceSettings
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources.sql import SqlSource

ROWS = [{"emp_no": n, "name": f"人员{n}"} for n in range(2500)]


def source(file: Path, **queries: str) -> SqlSource:
    settings = {"type": "sql", "url": f"sqlite:///{file}", "members": "SELECT * FROM members"} | queries
    return SqlSource("hr", SqlSourceSettings.model_validate(settings))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "人事 100% #hr.db"
    write_tables(file, {"members": ROWS})
    return file


def test_a_reading_is_proven_by_the_count(file: Path) -> None:
    """All rows, as the driver gives them, and a proof at the end only."""
    with source(file).open() as session:
        stream = session.read("members")
        assert stream.columns == ("emp_no", "name")
        assert not stream.proof.is_complete
        assert list(stream) == ROWS
        proof = stream.proof
    assert (proof.source, proof.query, proof.rows, proof.is_complete) == ("hr", "members", 2500, True)


def test_a_reading_that_was_broken_off_is_not_complete(file: Path) -> None:
    """Nobody may take it for all."""
    with source(file).open() as session:
        stream = session.read("members")
        next(iter(stream))
        assert not stream.proof.is_complete
        assert str(stream.proof.problem) == "it was not read to its end"


def test_a_query_that_gives_other_rows_each_time_is_not_complete(file: Path) -> None:
    """The count disagrees, and the proof says so."""
    query = "SELECT * FROM members WHERE (random() & 1) = 0"
    with source(file, members=query).open() as session:
        stream = session.read("members")
        rows = len(list(stream))
        assert stream.proof.rows == rows
        assert stream.proof.is_complete is (stream.proof.problem is None)
        # 2,500 coins twice: the counts agree about once in ninety times.
        assert stream.proof.is_complete or f"it gave {rows} rows" in str(stream.proof.problem)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM members;",
        "SELECT * FROM members ; \n",
        "SELECT * FROM members -- everybody",
        "WITH m AS (SELECT * FROM members) SELECT * FROM m ORDER BY emp_no",
        "SELECT * FROM members WHERE name NOT LIKE '%:x %% ?'",
    ],
)
def test_queries_run_as_they_stand(file: Path, query: str) -> None:
    """A semicolon, a comment, a colon, a percent sign and a question mark are no harm."""
    with source(file, members=query).open() as session:
        stream = session.read("members")
        assert len(list(stream)) == 2500
        assert stream.proof.is_complete


def test_all_queries_see_one_moment(file: Path) -> None:
    """Whoever writes meanwhile waits, or in WAL mode writes unseen."""
    writer = sqlite3.connect(file, timeout=0, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    with source(file, memberships="SELECT emp_no, name FROM members").open() as session:
        first = list(session.read("members"))
        writer.execute("DELETE FROM members WHERE emp_no > 5")
        second = list(session.read("memberships"))
    writer.close()
    assert len(first) == len(second) == 2500


def test_a_missing_file_is_an_error_and_stays_missing(tmp_path: Path) -> None:
    """A mistyped path makes no empty database."""
    missing = tmp_path / "hr.db"
    with pytest.raises(SourceUnavailableError) as caught, source(missing).open():
        pass
    assert caught.value.message == f"source hr: there is no database file {missing}"
    assert "source.hr.url" in str(caught.value.hint)
    assert not missing.exists()


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    """As when the path names something else."""
    file = tmp_path / "hr.db"
    file.write_text("not a database at all, but a text that is long enough")
    with pytest.raises(SourceUnavailableError, match="file is not a database"), source(file).open():
        pass


def test_a_locked_database_is_unavailable(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds it for writing."""
    monkeypatch.setattr("wxsync.sources.sql.CONNECT_SECONDS", 0)
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceUnavailableError, match="database is locked"), source(file).open():
        pass
    writer.close()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT * FROM employes", "no such table: employes"),
        ("SELECT emp FROM members", "no such column: emp"),
        ("SELEC * FROM members", "syntax error"),
        ("DELETE FROM members RETURNING *", "syntax error"),
        ("SELECT 1; DELETE FROM members", "syntax error"),
    ],
)
def test_a_query_that_fails_is_named(file: Path, query: str, told: str) -> None:
    """With the driver's words and where to mend it; the statement itself is not repeated."""
    with source(file, members=query).open() as session, pytest.raises(SourceError) as caught:
        session.read("members")
    assert caught.value.message.startswith("source hr: the members query failed: ")
    assert told in caught.value.message
    assert "source.hr.members" in str(caught.value.hint)
    assert not isinstance(caught.value, SourceUnavailableError)


def test_nothing_is_ever_written(file: Path) -> None:
    """The connection itself is read-only."""
    with source(file).open() as session:
        connection = session._connection
        with pytest.raises(Exception, match="readonly database"):
            connection.exec_driver_sql("DELETE FROM members")


def test_a_column_given_twice_is_an_error(file: Path) -> None:
    """Which one a name means could not be told."""
    query = "SELECT a.*, b.name FROM members a JOIN members b USING (emp_no)"
    with source(file, members=query).open() as session, pytest.raises(SourceError) as caught:
        session.read("members")
    assert caught.value.message == "source hr: the members query gives the column name twice"
    assert "AS" in str(caught.value.hint)


def test_a_text_that_cannot_be_read_is_not_shown(tmp_path: Path) -> None:
    """SQLite would quote it."""
    file = tmp_path / "hr.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE members (name TEXT)")
    connection.execute("INSERT INTO members VALUES (CAST(x'3133383030303030303031FF' AS TEXT))")
    connection.commit()
    connection.close()
    with source(file).open() as session, pytest.raises(SourceError) as caught:
        list(session.read("members"))
    assert "name" in caught.value.message
    assert "13800000001" not in caught.value.message


def test_which_queries_there_are(file: Path) -> None:
    """Memberships and tags may be left out."""
    with source(file, tags="SELECT 1, 2").open() as session:
        assert [session.has(query) for query in ("departments", "members", "memberships", "tags")] == [
            False,
            True,
            False,
            True,
        ]
