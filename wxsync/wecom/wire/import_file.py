"""Members and departments to the CSV files of imports (WeCom pages 90980 to 90982, RFC 4180).

A cell is written only where whoever reads the file cannot but read the same text: what readers of CSV are
known to trim, to unescape or to take for something else is refused here and goes by a single call.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from wxsync.errors import UnsendableError
from wxsync.model.member import MemberWrite, fold
from wxsync.model.unknown import UNKNOWN, Unknown, Value

MOST_BYTES: Final = 20 * 1024 * 1024
"""What media/upload takes of a file (WeCom page 90253)."""

EXTATTR: Final = "extattr."
COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name": "姓名",
        "userid": "帐号",
        "mobile": "手机号",
        "email": "邮箱",
        "departments": "所在部门",
        "position": "职位",
        "gender": "性别",
        "is_leader": "是否部门内领导",
        "order": "排序",
        "alias": "别名",
        "address": "地址",
        "telephone": "座机",
        "enable": "禁用",
    }
)
"""Field -> the header of its column, in the order of WeCom's template."""
NOTE: Final = "禁用项说明"
"""How the template's last column begins, which holds a remark; we have no such column."""
OTHER_COLUMNS: Final = frozenset({"微信号", "账号"})
"""A column of older templates, and the other spelling of 帐号: an attribute may be taken for one of them."""

TEXTS: Final = ("name", "mobile", "email", "position", "alias", "address", "telephone")
REACHABLE: Final = ("mobile", "email")
"""A row has one of them at least, and so has the header."""
GENDERS: Final[Mapping[str, str]] = MappingProxyType({"1": "男", "2": "女"})
DISABLED: Final[Mapping[bool, str]] = MappingProxyType({True: "0", False: "1"})
"""`enable` -> 禁用, which asks the opposite."""
LARGEST_ORDER: Final = 2**32 - 1
DEPARTMENT_HEADER: Final = ("部门名称", "部门ID", "父部门ID", "排序")

MISREAD: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that no cell has: RFC 4180 knows no control characters, some readers end a line at
U+0085, U+2028 and U+2029 or make one newline of a carriage return and its newline, and half a surrogate
pair is no UTF-8. A newline by itself is in RFC 4180, between quotes."""
TRIMMED: Final = "Cf"
"""Invisible characters (U+FEFF, U+200B and their like): some readers trim them like blanks."""

HINT: Final = 'single calls can say this: policy.method = "single", or "auto", which knows what a file cannot'


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFile:
    """One file, ready to be uploaded, and who is in it."""

    content: bytes = field(repr=False)
    userids: tuple[str, ...]
    """In the order of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentLine:
    """One department as a file makes it."""

    id: int
    name: str
    parent_id: int | None
    """None for the root."""
    order: int | None
    """None leaves it as it is."""


def userids_of(content: bytes) -> tuple[str, ...]:
    """Who is in a file that `to_member_files` made, in the order of its rows."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return tuple(row[COLUMNS["userid"]] for row in rows)


# What a file can say


def can_say(field: str, value: Value) -> bool:
    """Whether a cell can say that this field of a change gets this value, and nothing else can be read of it.

    Never: a value that is cleared or unknown, `direct_leader`, `biz_mail` and `external_position`, which have
    no column. No column says `main_department` either: WeCom takes the first department of a new member for
    it, and keeps the one that a member has as long as it is among the departments (WeCom page 90197). So
    True for it is true of new members, and of those who leave their old one; the caller looks at that.
    """
    if value is None or isinstance(value, Unknown):
        return False
    if field in TEXTS:
        return isinstance(value, str) and is_plain(value)
    if field.startswith(EXTATTR):
        return _is_header(field.removeprefix(EXTATTR)) and isinstance(value, str) and is_plain(value)
    match field:
        case "gender":
            return value in GENDERS
        case "enable":
            return isinstance(value, bool)
        case "main_department":
            return not isinstance(value, tuple)
        case "departments":
            return isinstance(value, tuple) and bool(value)
        case "is_leader":
            return isinstance(value, tuple)
        case "order":
            return isinstance(value, tuple) and all(_has_order(pair) for pair in value)
    return False


def is_plain(text: str) -> bool:
    r"""Whether every reader of CSV reads this text as it is; an empty one is no text.

    Blanks and invisible characters at either end are trimmed by some. A backslash escapes what follows for
    those that do as MySQL or PHP's fgetcsv do. Quotes, commas and newlines are RFC 4180's own business, and
    a leading = + - @ means something to spreadsheets only.
    """
    if not text or text != text.strip() or "\\" in text:
        return False
    if TRIMMED in (unicodedata.category(text[0]), unicodedata.category(text[-1])):
        return False
    return text.isprintable() or not any(
        unicodedata.category(each) in MISREAD and each != "\n" for each in text
    )


def _is_header(name: str) -> bool:
    """Whether a column of this name is taken for the attribute, and for no column of the template."""
    is_taken = name in COLUMNS.values() or name in OTHER_COLUMNS or name.startswith(NOTE)
    return not is_taken and "\n" not in name and is_plain(name)


def _has_order(pair: object) -> bool:
    return isinstance(pair, tuple) and _is_order(pair[-1])


def _is_order(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= LARGEST_ORDER


# Members


def to_member_files(writes: Sequence[MemberWrite], most_bytes: int = MOST_BYTES) -> tuple[MemberFile, ...]:
    """The members as files of at most `most_bytes`, each with the same header; none where there is nobody.

    The columns are the template's that some row says, in its order, then attributes by name. A row that does
    not say one of them has an empty cell there, whose meaning no page tells: that it is harmless is the
    caller's business. UTF-8 as the pages ask for, without a byte order mark, of which they say nothing: a
    reader that knows none would look for 姓名 in vain.

    Raises `UnsendableError`, with the userid and the field but no value, where a row lacks its name or both
    mobile and email, says what no cell can, has marks or orders that are not aligned with its departments, a
    main department that is none of them, is there twice (302003), or is longer than a file.
    """
    _check_userids(writes)
    columns = _columns(writes)
    header = _line([_header(column) for column in columns])
    return tuple(_files(header, _member_lines(writes, columns), most_bytes))


def _check_userids(writes: Sequence[MemberWrite]) -> None:
    """WeCom refuses the whole file where a userid is in it twice, in whatever case."""
    seen: set[str] = set()
    for write in writes:
        if not is_plain(write.userid) or "\n" in write.userid:
            raise _unsendable(write.userid, "userid", "is empty or has other characters than WeCom takes")
        if fold(write.userid) in seen:
            raise _unsendable(write.userid, "userid", "is there twice, and WeCom would refuse the file")
        seen.add(fold(write.userid))


def columns_of(write: MemberWrite) -> tuple[str, ...]:
    """The fields that this row says, in the order of columns; in a file of equals no cell is empty."""
    return _columns((write,))


def _columns(writes: Iterable[MemberWrite]) -> tuple[str, ...]:
    said: set[str] = {"name", "userid"}
    attributes: set[str] = set()
    for write in writes:
        said.update(name for name in COLUMNS if name not in said and getattr(write, name) is not UNKNOWN)
        attributes.update(name for name, _ in write.extattr)
    return (*(name for name in COLUMNS if name in said), *(EXTATTR + name for name in sorted(attributes)))


def _header(column: str) -> str:
    return COLUMNS[column] if column in COLUMNS else column.removeprefix(EXTATTR)


def _member_lines(writes: Iterable[MemberWrite], columns: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for write in writes:
        cells = _cells(write)
        yield write.userid, _line([cells.get(column, "") for column in columns])


def _cells(write: MemberWrite) -> dict[str, str]:
    """The row's cells by field; it has what WeCom asks of every row."""
    cells = {"userid": write.userid, **_texts(write), **_places(write), **_attributes(write)}
    if "name" not in cells:
        raise _unsendable(write.userid, "name", "is not said, and every row has one")
    if not any(name in cells for name in REACHABLE):
        raise _unsendable(write.userid, "mobile", "is not said, nor email, and every row has one of them")
    for name in ("direct_leader", "biz_mail", "external_position"):
        if getattr(write, name) is not UNKNOWN:
            raise _unsendable(write.userid, name, "has no column in a file")
    return cells


def _texts(write: MemberWrite) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name in (*TEXTS, "gender", "enable"):
        value = getattr(write, name)
        if value is not UNKNOWN:
            _check(write.userid, name, value)
            cells[name] = value
    if write.gender is not UNKNOWN:
        cells["gender"] = GENDERS[cells["gender"]]
    if write.enable is not UNKNOWN:
        cells["enable"] = DISABLED[write.enable]
    return cells


def _attributes(write: MemberWrite) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, value in write.extattr:
        column = EXTATTR + name
        _check(write.userid, column, value)
        if column in cells or value is None:
            raise _unsendable(write.userid, column, "is there twice")
        cells[column] = value
    return cells


def _check(userid: str, name: str, value: Value) -> None:
    if not can_say(name, value):
        raise _unsendable(userid, name, "is empty, or holds what no cell of a file is sure to keep")


def _places(write: MemberWrite) -> dict[str, str]:
    """The aligned arrays, the main department first: that is how a new member comes by it."""
    if write.departments is UNKNOWN:
        for name in ("main_department", "is_leader", "order"):
            if getattr(write, name) is not UNKNOWN:
                raise _unsendable(write.userid, name, "goes with departments only")
        return {}
    ids = write.departments
    if not ids or len(set(ids)) != len(ids) or any(id < 1 for id in ids):
        raise _unsendable(write.userid, "departments", "are none, are not WeCom's ids, or name one twice")
    if write.main_department is not UNKNOWN and write.main_department not in ids:
        raise _unsendable(write.userid, "main_department", "is none of the departments")
    first = 0 if write.main_department is UNKNOWN else ids.index(write.main_department)
    cells = {"departments": _joined(ids, first)}
    for name, values in (("is_leader", write.is_leader), ("order", write.order)):
        if values is UNKNOWN:
            continue
        if len(values) != len(ids) or not all(_is_order(int(value)) for value in values):
            raise _unsendable(write.userid, name, "is not aligned with departments, or out of 0 to 2^32-1")
        cells[name] = _joined(values, first)
    return cells


def _joined(values: Sequence[int], first: int) -> str:
    ordered = (values[first], *values[:first], *values[first + 1 :])
    return ";".join(str(int(value)) for value in ordered)


def _unsendable(userid: str, name: str, problem: str) -> UnsendableError:
    return UnsendableError(name, f"of {userid!r}: {problem}", hint=HINT)


# Departments


def to_department_file(lines: Iterable[DepartmentLine]) -> bytes:
    """The whole tree as one file, parents before their children (WeCom page 90982).

    Whoever replaces departments by it DELETES all that are not in it. Raises `UnsendableError`, with the
    department's id, for what WeCom would refuse the file for: not one tree with its root in it (302004), an
    id twice (302006), a name twice under one parent (302007), more than 20 MB; and for an order of 0, which
    WeCom takes for "as it is", and a name that no cell is sure to keep.
    """
    tree = _tree(tuple(lines))
    rows = ((str(line.id), _department_line(line)) for line in tree)
    files = tuple(_files(_line(DEPARTMENT_HEADER), rows, MOST_BYTES))
    if len(files) != 1:
        raise UnsendableError("departments", f"are more than {MOST_BYTES} bytes, and a tree goes in one file")
    return files[0].content


def _department_line(line: DepartmentLine) -> bytes:
    if not is_plain(line.name) or "\n" in line.name:
        raise _misplaced(line, "has a name that no cell of a file is sure to keep")
    if line.order is not None and not (line.order and _is_order(line.order)):
        raise _misplaced(line, "has an order of 0, which a file cannot give, or beyond 2^32-1")
    order = "" if line.order is None else str(line.order)
    return _line((line.name, str(line.id), str(line.parent_id or 0), order))


def _tree(lines: Collection[DepartmentLine]) -> Sequence[DepartmentLine]:
    """All of them, each after its parent."""
    children: dict[int | None, list[DepartmentLine]] = {}
    ids: set[int] = set()
    names: set[tuple[int | None, str]] = set()
    for line in lines:
        if line.id < 1 or line.id in ids:
            raise _misplaced(line, "is there twice, or has an id below 1")
        if (line.parent_id, line.name) in names:
            raise _misplaced(line, "has the name of another one under its parent")
        ids.add(line.id)
        names.add((line.parent_id, line.name))
        children.setdefault(line.parent_id, []).append(line)
    if len(children.get(None, ())) != 1:
        raise UnsendableError("departments", "have no root in the file, or several")
    found = list(children.pop(None))
    for line in found:  # grows on the way
        found.extend(children.pop(line.id, ()))
    for orphans in children.values():
        raise _misplaced(orphans[0], "hangs on a department that is not in the tree of the file")
    return found


def _misplaced(line: DepartmentLine, problem: str) -> UnsendableError:
    return UnsendableError("departments", f"department {line.id} {problem}")


# Lines and files


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


def _files(header: bytes, lines: Iterable[tuple[str, bytes]], most_bytes: int) -> Iterator[MemberFile]:
    """The lines in files; a file's bytes are there once, since BytesIO hands them on without a copy."""
    content, ids = io.BytesIO(), list[str]()
    for id, line in lines:
        if len(header) + len(line) > most_bytes:
            raise UnsendableError("row", f"of {id!r}: is longer than a file may be ({most_bytes} bytes)")
        if ids and content.tell() + len(line) > most_bytes:
            yield MemberFile(content=content.getvalue(), userids=tuple(ids))
            content, ids = io.BytesIO(), []
        if not ids:
            content.write(header)
        content.write(line)
        ids.append(id)
    if ids:
        yield MemberFile(content=content.getvalue(), userids=tuple(ids))
