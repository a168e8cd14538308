"""A workbook as its archive tells it: its sheets; of one of them filled rows, merged cells, formulas.

openpyxl streams values and tells none of this: it takes the size of a sheet from a hint that many
programs write wrongly, does not show merged cells while it streams, takes a formula without a value for
an empty cell, and is checked by a count of its own.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from defusedxml.ElementTree import fromstring, iterparse

RELATION_ID: Final = "id"
DOCUMENT: Final = "/officeDocument"
TEXT: Final = "str"
"""The type of a cell whose formula gave a text (ECMA-376 part 1, 18.18.11)."""
TRUE: Final = ("1", "true")


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPart:
    """One worksheet: the name on its tab, and the part of the archive that holds it."""

    name: str
    part: str
    is_hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What a look at the bare sheet finds."""

    rows: int
    """Rows in which some cell holds a value."""
    merged: str | None
    """The first merged range, such as "A2:A9"."""
    pending: str | None
    """The first cell, such as "B4", with a formula of which nobody has worked out the value."""


def sheets_of(archive: ZipFile) -> list[SheetPart]:
    """Every worksheet in the order of its tabs; raises KeyError or ParseError for what is no workbook."""
    book = _book(archive)
    targets = {
        name: target for kind, name, target in _relations(archive, book) if kind.endswith("/worksheet")
    }
    sheets = (each for each in fromstring(archive.read(book)).iter() if _local(each.tag) == "sheet")
    return list(_parts(sheets, targets))


def filling_of(archive: ZipFile, part: str) -> Filling:
    """Counts the filled rows of a sheet, looks for merged cells and formulas: one by one in flat memory."""
    is_calculated = _is_calculated(archive)
    with archive.open(part) as file:
        return _filling(file, is_calculated)


def _is_calculated(archive: ZipFile) -> bool:
    """Whoever wrote the workbook has worked out its formulas.

    Programs that cannot ask Excel to do it when it opens the file, and put 0 or nothing in the meantime.
    """
    book = fromstring(archive.read(_book(archive)))
    settings = (each for each in book.iter() if _local(each.tag) == "calcPr")
    return not any(each.get("fullCalcOnLoad") in TRUE for each in settings)


def _filling(file: IO[bytes], is_calculated: bool) -> Filling:
    rows, is_filled, merged, pending = 0, False, None, None
    table: Element | None = None
    for event, element in iterparse(file, events=("start", "end")):
        match event, _local(element.tag):
            case "start", "sheetData":
                table = element
            case "end", "v" | "t" if element.text:
                is_filled = True
            case "end", "c" if pending is None and _is_pending(element, is_calculated):
                pending = element.get("r", "?")
            case "end", "row" if table is not None:
                rows += is_filled
                is_filled = False
                table.clear()  # what was read is let go
            case "end", "mergeCell":
                merged = merged or element.get("ref")
    return Filling(rows=rows, merged=merged, pending=pending)


def _is_pending(cell: Element, is_calculated: bool) -> bool:
    """It has a formula and no value of it. A formula that gave an empty text has one: that text."""
    parts = {_local(each.tag): each for each in cell}
    if "f" not in parts:
        return False
    value = parts.get("v")
    return not is_calculated or value is None or not (value.text or cell.get("t") == TEXT)


def _book(archive: ZipFile) -> str:
    return next(target for kind, _, target in _relations(archive, "") if kind.endswith(DOCUMENT))


def _relations(archive: ZipFile, part: str) -> Iterator[tuple[str, str, str]]:
    """(kind, id, the part that is meant) of everything that a part refers to; "" is the archive itself."""
    folder, name = posixpath.split(part)
    for each in fromstring(archive.read(posixpath.join(folder, "_rels", f"{name}.rels"))):
        target = posixpath.join("/", folder, each.get("Target", ""))
        yield each.get("Type", ""), each.get("Id", ""), posixpath.normpath(target).lstrip("/")


def _parts(sheets: Iterator[Element], targets: dict[str, str]) -> Iterator[SheetPart]:
    for sheet in sheets:
        relation = next(value for name, value in sheet.items() if _local(name) == RELATION_ID)
        if relation in targets:  # a chart has a tab too
            yield SheetPart(
                name=sheet.get("name", ""),
                part=targets[relation],
                is_hidden=sheet.get("state", "visible") != "visible",
            )


def _local(name: object) -> str:
    """A name without its namespace, of which there are several for one thing."""
    return str(name).rpartition("}")[2]
