"""The second look: whoever the source still has is found, and a look that sees nobody proves nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.sources.interrupted import Torn
from tests.sources.rows import Rows, write_tables
from wxsync.config.expressions import Expression
from wxsync.config.settings import FileSourceSettings, SqlSourceSettings
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources.file import FileSource
from wxsync.sources.second_look import still_there
from wxsync.sources.sql import SqlSource

KEY = Expression("emp_no")
MADE = Expression("'E' ~ emp_no")


def source(folder: Path, rows: Rows, query: str = "SELECT * FROM members") -> SqlSource:
    file = folder / "hr.db"
    file.unlink(missing_ok=True)
    write_tables(file, {"members": rows})
    settings = {"type": "sql", "url": f"sqlite:///{file}", "members": query}
    return SqlSource("hr", SqlSourceSettings.model_validate(settings))


def numbered(*keys: object) -> Rows:
    return [{"emp_no": key, "name": "某人"} for key in keys]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM members;",
        "SELECT * FROM members -- everybody",
        "SELECT * FROM members WHERE name NOT LIKE '%:x %% ?'",
        "SELECT * FROM members WHERE '12:30' <> '::' AND name <> ':name'",
        "WITH m AS (SELECT * FROM members) SELECT * FROM m ORDER BY emp_no",
    ],
)
@pytest.mark.parametrize("keys", [("E1", "E2", "E3"), (1, 2, 3), (" E1", "E2 ", "E3"), (1.5, 2.5, 3.5)])
def test_the_database_looks_for_them_itself(tmp_path: Path, query: str, keys: tuple[Any, ...]) -> None:
    """Whatever is in the query and whatever type the key has, as keys compare."""
    one, two, _ = (str(key).strip() for key in keys)
    with source(tmp_path, numbered(*keys), query).open() as session:
        assert session.find(KEY, frozenset({one, two, "E9", "9", "' OR 1=1 --"})) == frozenset({one, two})


def test_no_value_of_a_key_is_part_of_the_statement(tmp_path: Path) -> None:
    """Keys are bound: quotes, colons and percent signs in them are theirs."""
    hostile = ("O'Neil", "a:b", "100%", "x) OR (1=1", '"', "张三", "\\")
    with source(tmp_path, numbered(*hostile[:-1])).open() as session:
        assert session.find(KEY, frozenset(hostile)) == frozenset(hostile[:-1])


def test_a_name_that_needs_quotes_is_quoted(tmp_path: Path) -> None:
    """A column may be called anything."""
    rows: Rows = [{"Emp. 号 100%:x": "E1"}]
    with source(tmp_path, rows).open() as session:
        assert session.find(Expression("col('Emp. 号 100%:x')"), frozenset({"E1", "E2"})) == frozenset({"E1"})


def test_it_cannot_tell_by_a_key_that_is_made_of_columns_nor_so_many(tmp_path: Path) -> None:
    """Then everybody is read."""
    with source(tmp_path, numbered(1)).open() as session:
        assert session.find(MADE, frozenset({"E1"})) is None
        assert session.find(KEY, frozenset(map(str, range(501)))) is None
        assert session.find(KEY, frozenset(map(str, range(500)))) == frozenset({"1"})


def test_those_who_are_there_are_found_and_those_who_are_gone_are_not(tmp_path: Path) -> None:
    """By one key or another, one by one or among all."""
    hr = source(tmp_path, numbered(1, 2, 3))
    assert still_there(hr, KEY, frozenset({"2", "8"}), frozenset({"1"})) == frozenset({"2"})
    assert still_there(hr, MADE, frozenset({"E2", "E8"}), frozenset({"E1"})) == frozenset({"E2"})
    assert still_there(hr, KEY, frozenset({"8"}), frozenset()) == frozenset()
    many = frozenset(map(str, range(2, 2000)))
    assert still_there(hr, KEY, many, frozenset({"1"})) == frozenset({"2", "3"})


def test_a_look_that_misses_its_control_is_not_believed(tmp_path: Path) -> None:
    """The database compares 7.0 and "7" as texts and finds nobody: all are read, and he is there."""
    hr = source(tmp_path, numbered(1, 7.0, 8))
    with hr.open() as session:
        assert session.find(KEY, frozenset({"7"})) == frozenset()
    assert still_there(hr, KEY, frozenset({"7", "9"}), frozenset({"1"})) == frozenset()
    assert still_there(hr, KEY, frozenset({"7", "9"}), frozenset({"1", "7"})) == frozenset({"7"})


def test_nobody_can_tell_where_nobody_else_is_there_either(tmp_path: Path) -> None:
    """Who was read just now and is gone from the second look too: the source cannot be believed."""
    hr = source(tmp_path, numbered(1, 2))
    assert still_there(hr, KEY, frozenset({"8"}), frozenset({"1", "5"})) is None
    assert still_there(hr, MADE, frozenset({"E8"}), frozenset({"E5"})) is None


def test_nobody_can_tell_where_all_are_read_again_and_it_is_not_proven_that_those_are_all(
    tmp_path: Path,
) -> None:
    """Being absent from such a reading says nothing."""
    hr = source(tmp_path, numbered(1, 2))
    assert still_there(Torn(hr), KEY, frozenset({"8"}), frozenset({"1"})) is None


def test_a_source_that_cannot_be_asked_is_an_error(tmp_path: Path) -> None:
    """Neither one by one nor among all: the run ends, and nobody is removed."""
    hr = source(tmp_path, numbered(1))
    with pytest.raises(SourceError):
        still_there(
            SqlSource("hr", hr.settings.model_copy(update={"members": "SELECT * FROM nothing"})),
            KEY,
            frozenset({"8"}),
            frozenset(),
        )
    (tmp_path / "hr.db").unlink()
    with pytest.raises(SourceUnavailableError):
        still_there(hr, KEY, frozenset({"8"}), frozenset())


def export(file: Path, rows: str) -> None:
    file.write_text(f"emp_no,name\n{rows}", "utf-8")
    os.utime(file, (1_700_000_000, 1_700_000_000))


def test_a_file_is_read_anew(tmp_path: Path) -> None:
    """As it is by then."""
    file = tmp_path / "members.csv"
    export(file, "1,甲\n2,乙\n")
    settings = {"type": "file", "departments": str(file), "members": str(file)}
    hr = FileSource("hr", FileSourceSettings.model_validate(settings))
    assert still_there(hr, KEY, frozenset({"2", "8"}), frozenset({"1"})) == frozenset({"2"})
    export(file, "1,甲\n8,乙\n")
    assert still_there(hr, KEY, frozenset({"2", "8"}), frozenset({"1"})) == frozenset({"8"})
