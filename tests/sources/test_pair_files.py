"""A list of old and new keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from wxsync.errors import WxsyncError
from wxsync.model.change import Kind
from wxsync.model.rekey import KeyPair
from wxsync.sources.key_pairs import read_key_pairs


def pairs_of(folder: Path, content: bytes, name: str = "keys.csv") -> list[tuple[str, str, str]]:
    file = folder / name
    file.write_bytes(content)
    return [(pair.kind.value, pair.old, pair.new) for pair in read_key_pairs(file)]


@pytest.mark.parametrize(
    "content",
    [
        b"old,new\nE1,N1\n1001, 2001 \n",
        b"old,new\nE1,N1\n1001,2001",
        b"\xef\xbb\xbfold,new\r\nE1,N1\r\n1001,2001\r\n\r\n",
        b"New;note;OLD\nN1;x;E1\n2001;;1001\n",
    ],
)
def test_pairs_of_members(tmp_path: Path, content: bytes) -> None:
    """The columns go by name, keys as they compare; a last line without its break is one too."""
    assert pairs_of(tmp_path, content) == [("member", "E1", "N1"), ("member", "1001", "2001")]


def test_a_kind_says_what_a_pair_is_about(tmp_path: Path) -> None:
    """A row without one is a member; a pair of one key is none."""
    content = "old,new,kind\nE1,N1,\n研发,R1,Department\nE2,N2,member\nE3,E3,member\n"
    expected = [("member", "E1", "N1"), ("department", "研发", "R1"), ("member", "E2", "N2")]
    assert pairs_of(tmp_path, content.encode("gb18030")) == expected
    assert pairs_of(tmp_path, content.encode()) == expected


def test_the_kinds_are_records(tmp_path: Path) -> None:
    """Frozen, and equal where they say the same."""
    (tmp_path / "keys.csv").write_text("old,new\nE1,N1\n")
    assert read_key_pairs(tmp_path / "keys.csv") == (KeyPair(kind=Kind.MEMBER, old="E1", new="N1"),)


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (b"old,neu\n1,2\n", "keys.csv", "lacks a column"),
        (b"", "keys.csv", "has no header"),
        (b"old,new\n1,2\n,3\n", "keys.csv", "has no pair of keys in its row 2"),
        (b"old,new\n1\n", "keys.csv", "is torn"),
        (b'{"old": 1}', "keys.json", "is no list of pairs"),
        (b"old,new\n1,2\n", "keys.doc", "its name must end in"),
        (b"no workbook", "keys.xlsx", "keys.xlsx"),
    ],
)
def test_a_file_that_is_no_list_of_pairs_is_refused(
    tmp_path: Path, content: bytes, name: str, problem: str
) -> None:
    """With what is wrong."""
    with pytest.raises(WxsyncError, match=problem):
        pairs_of(tmp_path, content, name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """An error that names it."""
    with pytest.raises(WxsyncError, match="cannot be read: No such file"):
        read_key_pairs(tmp_path / "keys.csv")
