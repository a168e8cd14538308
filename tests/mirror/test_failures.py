"""What a database's error means, by its code, on databases that are hard to bring into that state."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, InvalidRequestError, OperationalError

from wxsync.mirror.failures import Trouble, explain, trouble_of


class MysqlError(Exception):
    """As PyMySQL raises it: number and words, and in its later versions an SQLSTATE too."""

    sqlstate = "HY000"


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("words")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (sqlite3.SQLITE_BUSY, Trouble.LOCKED),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Trouble.LOCKED),
        (sqlite3.SQLITE_FULL, Trouble.FULL),
        (sqlite3.SQLITE_IOERR_WRITE, Trouble.FULL),
        (sqlite3.SQLITE_IOERR_TRUNCATE, Trouble.FULL),
        (sqlite3.SQLITE_IOERR_SHMSIZE, Trouble.FULL),
        (sqlite3.SQLITE_IOERR_READ, Trouble.OTHER),
        (sqlite3.SQLITE_READONLY_DIRECTORY, Trouble.READ_ONLY),
        (sqlite3.SQLITE_CORRUPT, Trouble.DAMAGED),
        (sqlite3.SQLITE_NOTADB, Trouble.NOT_A_DATABASE),
        (sqlite3.SQLITE_ERROR, Trouble.OTHER),
    ],
)
def test_sqlite_is_understood_by_its_result_code(code: int, trouble: Trouble):
    """Extended codes too."""
    assert trouble_of(OperationalError(None, None, sqlite_error(code)), "sqlite") is trouble


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (psycopg.errors.DiskFull("words"), Trouble.FULL),
        (psycopg.errors.ReadOnlySqlTransaction("words"), Trouble.READ_ONLY),
        (psycopg.errors.InsufficientPrivilege("words"), Trouble.READ_ONLY),
        (psycopg.errors.DeadlockDetected("words"), Trouble.LOCKED),
        (psycopg.errors.TooManyConnections("words"), Trouble.UNREACHABLE),
        (psycopg.OperationalError("words"), Trouble.UNREACHABLE),
        (psycopg.errors.UndefinedTable("words"), Trouble.OTHER),
    ],
)
def test_postgresql_is_understood_by_its_sqlstate(error: psycopg.Error, trouble: Trouble):
    """One without SQLSTATE is a connection that never came to be."""
    assert trouble_of(OperationalError(None, None, error), "postgresql") is trouble


@pytest.mark.parametrize(
    ("number", "trouble"),
    [
        (1021, Trouble.FULL),
        (1205, Trouble.LOCKED),
        (1290, Trouble.READ_ONLY),
        (1049, Trouble.UNREACHABLE),
        (2003, Trouble.UNREACHABLE),
        (1146, Trouble.OTHER),
    ],
)
@pytest.mark.parametrize("backend", ["mysql", "mariadb"])
def test_mysql_is_understood_by_its_error_number(backend: str, number: int, trouble: Trouble):
    """Its SQLSTATEs say less."""
    assert trouble_of(OperationalError(None, None, MysqlError(number, "words")), backend) is trouble


def test_only_the_first_line_of_the_databases_words_is_passed_on():
    """In the lines after it PostgreSQL quotes the row, and with it somebody's phone number."""
    words = "null value in column\nDETAIL:  Failing row contains (13812345678)."
    error = IntegrityError("INSERT", {"mobile": "13812345678"}, psycopg.errors.NotNullViolation(words))
    made = explain(error, make_url("postgresql://wx:hunter2@db/mirror?password=hunter3"))
    assert made.message == "the mirror postgresql://wx:***@db/mirror refused a record: null value in column"


def test_what_is_no_databases_error_is_passed_on_in_its_own_words():
    """Nothing is swallowed."""
    made = explain(InvalidRequestError("this is closed"), make_url("sqlite:///mirror.db"))
    assert made.message == "the mirror mirror.db cannot be used: this is closed"
    assert made.hint is None
