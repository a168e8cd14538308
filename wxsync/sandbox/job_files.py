"""The files of imports: CSV with a header, read cell by cell (WeCom pages 90980 to 90982)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wxsync.sandbox.records import ROOT, fold
from wxsync.sandbox.refusal import Refusal, invalid

USERID: Final = "帐号"
NAME: Final = "姓名"
DEPARTMENT: Final = "所在部门"
CLEARED: Final = " "

TEXTS: Final[Mapping[str, str]] = {
    NAME: "name",
    "手机号": "mobile",
    "邮箱": "email",
    "职位": "position",
    "别名": "alias",
    "地址": "address",
    "座机": "telephone",
}
"""Columns of the template that hold plain texts."""

NUMBERS: Final[Mapping[str, str]] = {
    DEPARTMENT: "department",
    "是否部门内领导": "is_leader_in_dept",
    "排序": "order",
}
"""Columns of the template that hold numbers with `;` between them."""

CLEARABLE: Final = frozenset({"别名", "手机号", "邮箱", "座机", "职位"})
"""Columns of the template that one space clears; so it does those of attributes."""

GENDERS: Final[Mapping[str, str]] = {"男": "1", "女": "2"}
ENABLED: Final[Mapping[str, int]] = {"0": 1, "1": 0}
"""What the column 禁用 (disabled) says, as `enable`."""

PARTY_COLUMNS: Final = ("部门名称", "部门ID", "父部门ID")
PARTY_ORDER: Final = "排序"

Cells = Mapping[str, str]
"""One row: its cells, as they stand in the file, by header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRow:
    """One department of a file."""

    id: int
    name: str
    parentid: int
    order: int | None
    """None where the file leaves it as it is."""


def read_cells(content: bytes) -> tuple[Cells, ...]:
    """The rows of a file in UTF-8, with or without a byte order mark; blank ones are left out.

    Raises `Refusal` 40092 for what is no such file, or has no row.
    """
    try:
        text = content.decode("utf-8-sig")
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise Refusal(40092) from None
    header = [cell.strip() for cell in table[0]] if table else []
    named = [name for name in header if name]
    rows = [row for row in table[1:] if any(cell.strip() for cell in row)]
    if not rows or len(named) != len(set(named)):
        raise Refusal(40092)
    # A row may be shorter than the header: the cells that it lacks are empty.
    return tuple({**dict.fromkeys(named, ""), **dict(zip(header, row, strict=False))} for row in rows)


def read_members(content: bytes) -> tuple[Cells, ...]:
    """The rows of a file of members; 40092 where it lacks a column that must be there."""
    rows = read_cells(content)
    header = rows[0].keys()
    if not {NAME, USERID} <= header or not {"手机号", "邮箱"} & header:
        raise Refusal(40092)
    return rows


def check_userids(rows: Sequence[Cells]) -> None:
    """No userid is there twice, in whatever case."""
    keys = [fold(key) for row in rows if (key := userid_of(row))]
    if len(keys) != len(set(keys)):
        raise Refusal(302003)


def userid_of(row: Cells) -> str:
    return row[USERID].strip()


def member_body(row: Cells, attributes: Mapping[str, int], *, space_clears: bool) -> dict[str, Any]:
    """The row as the body of a user/create or user/update; an empty cell is not in it.

    `attributes` are those of the console, by name with their type. Raises `Refusal` for a cell that
    cannot be read.
    """
    body: dict[str, Any] = {"userid": userid_of(row)} if userid_of(row) else {}
    attrs: list[Mapping[str, Any]] = []
    for header, cell in row.items():
        is_attribute = header in attributes and header not in TEXTS and header not in NUMBERS
        is_cleared = cell == CLEARED and space_clears and (header in CLEARABLE or is_attribute)
        value = cell.strip()
        if not (value or is_cleared):
            continue
        if header in TEXTS:
            body[TEXTS[header]] = value
        elif header in NUMBERS:
            body[NUMBERS[header]] = _numbers(header, value)
        elif header == "性别":
            body["gender"] = GENDERS.get(value, value)
        elif header == "禁用":
            body["enable"] = _enabled(value)
        elif is_attribute:
            attrs.append(_attribute(header, attributes[header], value))
    return {**body, "extattr": {"attrs": attrs}} if attrs else body


def _numbers(header: str, value: str) -> list[int]:
    parts = [part.strip() for part in value.split(";") if part.strip()]
    if not all(_is_number(part) for part in parts):
        raise Refusal(60123) if header == DEPARTMENT else invalid(NUMBERS[header])
    return [int(part) for part in parts]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def _enabled(value: str) -> int:
    if value not in ENABLED:
        raise invalid("enable")
    return ENABLED[value]


def _attribute(name: str, kind: int, value: str) -> Mapping[str, Any]:
    """A web page is written `title;address`: no page says how, that is our own choice."""
    if kind == 0:
        return {"type": 0, "name": name, "text": {"value": value}}
    title, _, url = value.partition(";")
    return {"type": 1, "name": name, "web": {"url": url, "title": title}}


def read_parties(content: bytes) -> tuple[Cells, ...]:
    """The rows of a file of departments; 40092 where it lacks a column that must be there."""
    rows = read_cells(content)
    if not set(PARTY_COLUMNS) <= rows[0].keys():
        raise Refusal(40092)
    return rows


def read_tree(rows: Sequence[Cells]) -> tuple[PartyRow, ...]:
    """The departments, parents before children, if they are one tree below the root.

    The root itself may be among them, with the parent 0. Raises `Refusal` 302004, 302006 or 302007.
    """
    parties = [_party(row) for row in rows]
    if len({party.id for party in parties}) != len(parties):
        raise Refusal(302006)
    if len({(party.parentid, party.name) for party in parties}) != len(parties):
        raise Refusal(302007)
    children: dict[int, list[PartyRow]] = {}
    for party in parties:
        if (party.id == ROOT) != (party.parentid == 0):
            raise Refusal(302004)
        children.setdefault(party.parentid, []).append(party)
    found = list(children.get(0, ()))
    level = children.get(ROOT, [])
    while level:
        found.extend(level)
        level = [child for party in level for child in children.get(party.id, ())]
    if len(found) != len(parties):  # some hang on a parent that is not in the file, or on each other
        raise Refusal(302004)
    return tuple(found)


def _party(row: Cells) -> PartyRow:
    name, id, parentid = (row[column].strip() for column in PARTY_COLUMNS)
    order = row.get(PARTY_ORDER, "").strip() or "0"
    numbers = (id, parentid, order)
    if not name or not all(_is_number(number) for number in numbers):
        raise Refusal(302004)
    return PartyRow(id=int(id), name=name, parentid=int(parentid), order=int(order) or None)
