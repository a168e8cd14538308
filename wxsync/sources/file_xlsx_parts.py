"""A workbook as its archive tells it: its sheets, and in one of them merged cells and filled rows.

openpyxl streams values and tells none of this: it takes the size of a sheet from a hint that many
programs write wrongly, does not show merged cells while it streams, and is checked by a count of its own.
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


def sheets_of(archive: ZipFile) -> list[SheetPart]:
    """Every worksheet in the order of its tabs; raises KeyError or ParseError for what is no workbook."""
    book = next(target for kind, _, target in _relations(archive, "") if kind.endswith(DOCUMENT))
    targets = {
        name: target for kind, name, target in _relations(archive, book) if kind.endswith("/worksheet")
    }
    sheets = (each for each in fromstring(archive.read(book)).iter() if _local(each.tag) == "sheet")
    return list(_parts(sheets, targets))


def filling_of(archive: ZipFile, part: str) -> Filling:
    """Counts the filled rows of a sheet and looks for merged cells, cell by cell in flat memory."""
    with archive.open(part) as file:
        return _filling(file)


def _filling(file: IO[bytes]) -> Filling:
    rows, is_filled, merged = 0, False, None
    table: Element | None = None
    for event, element in iterparse(file, events=("start", "end")):
        match event, _local(element.tag):
            case "start", "sheetData":
                table = element
            case "end", "v" | "t" if element.text:
                is_filled = True
            case "end", "row" if table is not None:
                rows += is_filled
                is_filled = False
                table.clear()  # what was read is let go
            case "end", "mergeCell":
                merged = merged or element.get("ref")
    return Filling(rows=rows, merged=merged)


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
