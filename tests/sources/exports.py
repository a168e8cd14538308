"""Files as an HR department exports them, and what becomes of them when something goes wrong."""

from __future__ import annotations

import io
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from wxsync.config.settings import FileSourceSettings
from wxsync.model.desired import ReadingProof
from wxsync.sources.file import FileSource

Cells = Sequence[Sequence[Any]]

PEOPLE: Cells = (
    ("emp_no", "full_name", "dept"),
    ("0001", "林梅", "D1"),
    ("0002", "欧阳建国", "D1"),
    ("0003", "曹雪", "D2"),
)


def settle(path: Path) -> Path:
    """As if nobody had written to it for a minute."""
    a_minute_ago = time.time() - 60
    os.utime(path, (a_minute_ago, a_minute_ago))
    return path


def put(path: Path, content: bytes | str, encoding: str = "utf-8") -> Path:
    """A file that was there for a minute."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return settle(path)


def csv_text(cells: Cells, separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(map(str, row)) + end for row in cells)


def workbook(*sheets: tuple[str, Cells], change: Callable[[Workbook], None] = lambda book: None) -> bytes:
    """The bytes of a workbook with these sheets; `change` may do more to it."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, cells in sheets:
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(list(row))
    change(book)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def with_part(content: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """The workbook with the text of one of its parts changed."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w") as new:
        for each in old.infolist():
            data = old.read(each)
            if re.fullmatch(part, each.filename):
                data = change(data.decode()).encode()
            new.writestr(each.filename, data)
    return written.getvalue()


def file_source(members: str | Path, **more: Any) -> FileSource:
    """The source "hr" whose members are in this file."""
    texts = {key: value if isinstance(value, dict) else str(value) for key, value in more.items()}
    given = {"type": "file", "members": str(members), **texts}
    return FileSource("hr", FileSourceSettings.model_validate(given))


def read_members(source: FileSource) -> tuple[list[dict[str, object]], ReadingProof]:
    """Every row of the members file, and the proof."""
    with source.open() as session:
        stream = session.read("members")
        rows = [dict(row) for row in stream]
        return rows, stream.proof


def rows_of(cells: Cells) -> list[dict[str, object]]:
    header, *rest = cells
    return [dict(zip(map(str, header), row, strict=True)) for row in rest]


def names_of(rows: Iterable[dict[str, object]]) -> list[object]:
    return [row["full_name"] for row in rows]
