"""JSON files as a source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sources.exports import file_source, put, read_members
from wxsync.errors import SourceError

ROWS: list[dict[str, Any]] = [
    {"emp_no": 1, "full_name": "林梅", "depts": ["D1", "D2"], "active": True, "grade": 7.5},
    {"emp_no": 2, "full_name": "曹雪", "active": False, "note": None},
    {"emp_no": 3, "full_name": "何洋", "note": " "},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.json"


@pytest.mark.parametrize("document", [ROWS, {"rows": ROWS, "exported": "2026-03-02"}])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_of_objects_is_a_table(file: Path, document: Any, encoding: str) -> None:
    """Values keep their types; a key that one object lacks, and a blank text, are null there."""
    put(file, json.dumps(document, ensure_ascii=False), encoding)
    rows, proof = read_members(file_source(file))
    assert [list(row) for row in rows] == [["emp_no", "full_name", "depts", "active", "grade", "note"]] * 3
    assert rows[0] == {**ROWS[0], "note": None}
    assert [row["active"] for row in rows] == [True, False, None]
    assert rows[2]["note"] is None
    assert (proof.rows, proof.is_complete, proof.is_file) == (3, True, True)


def test_an_object_with_nothing_in_it_is_a_row(file: Path) -> None:
    """It was somebody: as a row without a key it keeps everybody from being taken for absent."""
    people = [{"emp_no": "1"}, {}, {"emp_no": None}, {"emp_no": " "}, {"emp_no": "2"}]
    put(file, json.dumps(people))
    rows, proof = read_members(file_source(file))
    assert rows == [{"emp_no": key} for key in ("1", None, None, None, "2")]
    assert (proof.rows, proof.is_complete) == (5, True)


def test_columns_that_are_named_hold_also_without_rows(file: Path) -> None:
    """An empty list of tags is a list; their order is what goes by position."""
    put(file, json.dumps({"columns": ["tag", "emp_no"], "rows": []}))
    with file_source(file).open() as session:
        stream = session.read("members")
        assert stream.columns == ("tag", "emp_no")
        assert list(stream) == []
        assert stream.proof.is_complete


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no whole JSON"),
        ('[{"emp_no": 1}, {"emp_no"', "is no whole JSON"),
        ('[{"emp_no": 1}] [', "is no whole JSON"),
        ('[{"emp_no": 1}, 2]', "is no list of objects"),
        ('{"people": [{"emp_no": 1}]}', "is no list of objects"),
        ("[]", "has no rows, and does not name its columns"),
        ('[{"emp_no": 1, "emp_no": 2}]', 'has the key "emp_no" twice in one object'),
        ('[{"emp_no": 1, "": 2}]', 'has the key "" in a row'),
        ('[{"": 1}]', "has no header"),
        ('[{"": 1, "emp_no": 2}]', "has no name above column 1"),
        ('[{"emp_no": NaN}]', "holds NaN, which is no JSON"),
        (
            '{"columns": ["emp_no"], "rows": [{"name": 1}]}',
            'has the key "name" in a row and not in its columns',
        ),
        ('{"columns": "emp_no", "rows": []}', "has other columns than names"),
        ("[" * 100_000, "is no table"),
        ('[{"emp_no": ' + "9" * 5000 + "}]", "is no table"),
    ],
)
def test_what_is_no_table_is_refused(file: Path, text: str, told: str) -> None:
    """With what was found and how to write it."""
    put(file, text)
    with pytest.raises(SourceError) as caught:
        read_members(file_source(file))
    assert told in caught.value.message
    assert caught.value.hint


def test_every_cut_is_noticed(file: Path) -> None:
    """At each of its characters."""
    text = json.dumps(ROWS, ensure_ascii=False).encode()
    for size in range(len(text)):
        put(file, text[:size])
        with pytest.raises(SourceError):
            read_members(file_source(file))
